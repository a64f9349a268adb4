// npm run bench -- [WORD...] [--json FILE] [--record] [--large] [--alone]: measures what the words select, or all. --json writes FILE and a
// picture beside it, --record bench/results/<adapter>.json; --large adds what takes minutes on a software adapter; --alone waits for each
// run on the host's clock, as versions up to 0.1.0 did.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, release, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { callerFolder, fail, prepare, root, typed } from './workspace.mjs';

const { values, positionals } = readOptions();
prepare();
const { bundleForNode, endIfPrinted } = await import('./bundle.mjs');
const entry = `export { bench, names, slugOf } from './bench/main.ts'; export { pictureOf } from './bench/picture.ts';`;
const bundle = await bundleForNode({ name: 'bench.ts', contents: entry }, 'bench').catch(endIfPrinted);
process.setSourceMapsEnabled(true);
process.chdir(root);
const { bench, names, pictureOf, slugOf } = await import(pathToFileURL(bundle).href);
const measured = await bench(positionals, { large: values.large, pace: values.alone ? 'alone' : 'together' });
if (measured === null) fail(`bench: no record is named ${positionals.join(' or ')}; there are ${names().join(', ')}`);
const result = { ...provenance(), ...measured };
if (result.failures.length > 0) process.exitCode = 1;
if (values.record) {
  const file = join(root, 'bench', 'results', `${slugOf(result.adapter.name)}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, sixDigits, 2)}\n`);
  process.stdout.write(`${file}\n`);
}
if (values.json !== undefined) {
  const file = resolve(callerFolder, values.json);
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  const picture = `${file.replace(/\.json$/, '')}.png`;
  writeFileSync(picture, pictureOf(result));
  process.stdout.write(`${values.json} and its picture ${picture}\n`);
}

/** What figures depend on beside the adapter: the code, Dawn's build and toggles, and the machine. A commit with changes ends in `+`. */
function provenance() {
  const git = (...words) => spawnSync('git', words, { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? '';
  const commit = git('rev-parse', 'HEAD');
  const [{ model = '' } = {}] = cpus();
  return {
    commit: commit && `${commit}${git('status', '--porcelain') === '' ? '' : '+'}`,
    dawn: `webgpu ${dawnVersion()}`,
    toggles: process.env.MIEN_DAWN ?? '',
    machine: {
      os: `${process.platform} ${process.arch} ${release()}`,
      cpu: model.trim(),
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
    },
  };
}

/** Numbers with six digits, for JSON.stringify. */
function sixDigits(_, value) {
  return typeof value === 'number' ? Number(value.toPrecision(Number.isInteger(value) ? 17 : 6)) : value;
}

/** The version of npm package webgpu, which is Dawn's build for Node. */
function dawnVersion() {
  const entry = createRequire(join(root, 'packages', 'tensor', 'package.json')).resolve('webgpu');
  return JSON.parse(readFileSync(join(dirname(entry), 'package.json'), 'utf8')).version;
}

function readOptions() {
  const options = {
    json: { type: 'string' },
    record: { type: 'boolean' },
    large: { type: 'boolean' },
    alone: { type: 'boolean' },
  };
  try {
    return parseArgs({ args: typed(), options, allowPositionals: true });
  } catch (reason) {
    return fail(`bench: ${reason.message}; options are [WORD...] --json FILE --record --large --alone`);
  }
}
