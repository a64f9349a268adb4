// npm run try -- NAME: every variant of a kernel, by bench/NAME.try.ts: error against the reference, rate, tile sizes.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { exitWithError, prepare, root, scriptArgs } from './workspace.mjs';

const [name, ...rest] = scriptArgs();
const known = readdirSync(join(root, 'bench'))
  .filter((file) => file.endsWith('.try.ts'))
  .map((file) => file.slice(0, -7));
if (!name || rest.length > 0 || !existsSync(join(root, 'bench', `${name}.try.ts`)))
  exitWithError(`try: expected one of ${known.join(', ')}: npm run try -- ${known[0]}`);
prepare();
const { runEntry } = await import('./bundle.mjs');
const contents = `import { problems } from './bench/${name}.try.ts';
import { tryAll } from './bench/tryAll.ts';
await tryAll(problems);
`;
await runEntry({ name: 'try.ts', contents }, []);
