// npm run bench -- [WORD] [--json FILE]: runs bench/*.bench.ts whose names contain the word, or all.
import { readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { callerFolder, fail, prepare, root, typed } from './workspace.mjs';

const { values, positionals } = readOptions();
prepare();
const names = readdirSync(join(root, 'bench'))
  .filter((name) => name.endsWith('.bench.ts'))
  .sort();
const wanted = names.filter((name) => positionals.length === 0 || positionals.some((word) => name.includes(word)));
if (wanted.length === 0)
  fail(`bench: none is named ${positionals.join(' ')}; there are ${names.map((name) => name.slice(0, -9)).join(', ')}`);

const { bundleForNode } = await import('./bundle.mjs');
const entry = [
  `export { init } from '@mien/tensor';`,
  ...wanted.map((name, i) => `export { bench as bench${i} } from './bench/${name}';`),
].join('\n');
const bundle = await bundleForNode({ name: 'bench.ts', contents: entry }, 'bench').catch(() => process.exit(1));
process.setSourceMapsEnabled(true);
const { init, ...benches } = await import(pathToFileURL(bundle).href);
const { facts } = await init();
process.stdout.write(`on ${facts.name} (${facts.description})\n`);
const rows = [];
for (const run of Object.values(benches)) {
  await run((row) => {
    rows.push(row);
    const { name, milliseconds, rate, unit } = row;
    process.stdout.write(
      `${name.padEnd(56)} ${milliseconds.toFixed(2).padStart(10)} ms  ${rate.toPrecision(3).padStart(8)} ${unit}\n`,
    );
  });
}
if (values.json) {
  const { name, description } = facts;
  writeFileSync(
    resolve(callerFolder, values.json),
    `${JSON.stringify({ adapter: { name, description }, node: process.version, rows }, null, 2)}\n`,
  );
}

function readOptions() {
  try {
    return parseArgs({ args: typed(), options: { json: { type: 'string' } }, allowPositionals: true });
  } catch (reason) {
    return fail(`bench: ${reason.message}; options are [WORD...] --json FILE`);
  }
}
