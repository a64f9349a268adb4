// npm run bench -- [WORD...] [--json FILE]: measures what the words select, or all; FILE's picture lies beside it.
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { callerFolder, fail, prepare, root, typed } from './workspace.mjs';

const { values, positionals } = readOptions();
prepare();
const { bundleForNode, endIfPrinted } = await import('./bundle.mjs');
const entry = `export { bench, names } from './bench/main.ts'; export { pictureOf } from './bench/picture.ts';`;
const bundle = await bundleForNode({ name: 'bench.ts', contents: entry }, 'bench').catch(endIfPrinted);
process.setSourceMapsEnabled(true);
process.chdir(root);
const { bench, names, pictureOf } = await import(pathToFileURL(bundle).href);
const result = await bench(positionals);
if (result === null) fail(`bench: no record is named ${positionals.join(' or ')}; there are ${names().join(', ')}`);
if (result.failures.length > 0) process.exitCode = 1;
if (values.json !== undefined) {
  const file = resolve(callerFolder, values.json);
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  const picture = `${file.replace(/\.json$/, '')}.png`;
  writeFileSync(picture, pictureOf(result));
  process.stdout.write(`${values.json} and its picture ${picture}\n`);
}

function readOptions() {
  try {
    return parseArgs({ args: typed(), options: { json: { type: 'string' } }, allowPositionals: true });
  } catch (reason) {
    return fail(`bench: ${reason.message}; options are [WORD...] --json FILE`);
  }
}
