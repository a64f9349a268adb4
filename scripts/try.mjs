// npm run try -- WORD: every variant of a kernel, by bench/WORD.try.ts: error against the reference, rate, tile sizes.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fail, prepare, root, typed } from './workspace.mjs';

const [word, ...rest] = typed();
const known = readdirSync(join(root, 'bench'))
  .filter((name) => name.endsWith('.try.ts'))
  .map((name) => name.slice(0, -7));
if (!word || rest.length > 0 || !existsSync(join(root, 'bench', `${word}.try.ts`))) {
  fail(`try: name one of ${known.join(', ')}: npm run try -- ${known[0]}`);
}
prepare();
const { runEntry } = await import('./bundle.mjs');
await runEntry(
  {
    name: 'try.ts',
    contents: `import { problems } from './bench/${word}.try.ts';\nimport { tryAll } from './bench/tryAll.ts';\nawait tryAll(problems);\n`,
  },
  [],
);
