// npm run bench -- [FILTER...] [--json FILE] [--record] [--large] [--alone]: measures the matching cases, or all. --json writes FILE and a
// picture beside it, --record bench/results/<adapter>.json; --large adds cases that take minutes on a software adapter; --alone waits for
// each run and takes the host's clock, as 0.1.0 did.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, release, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { callerFolder, exitWithError, parseScriptArgs, prepare, root } from './workspace.mjs';

const { values, positionals } = parseScriptArgs('bench', '[FILTER...] --json FILE --record --large --alone', {
  json: { type: 'string' },
  record: { type: 'boolean', default: false },
  large: { type: 'boolean', default: false },
  alone: { type: 'boolean', default: false },
});
prepare();
const { bundleForNode, exitIfPrinted } = await import('./bundle.mjs');
const entry = `export { bench, names, slugOf } from './bench/main.ts'; export { pictureOf } from './bench/picture.ts';`;
const bundle = await bundleForNode({ name: 'bench.ts', contents: entry }, 'bench').catch(exitIfPrinted);
process.setSourceMapsEnabled(true);
process.chdir(root);
/** @type {typeof import('../bench/main.ts') & typeof import('../bench/picture.ts')} */
const { bench, names, pictureOf, slugOf } = await import(pathToFileURL(bundle).href);
const measured = await bench(positionals, { large: values.large, pace: values.alone ? 'alone' : 'together' });
if (measured === null)
  exitWithError(`bench: no record matches ${positionals.join(' or ')}; the records are ${names().join(', ')}`);
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

/** What results depend on besides the adapter: the code, Dawn's build and toggles, the machine. `+` marks uncommitted changes. */
function provenance() {
  /** @param {string[]} args */
  const git = (...args) => spawnSync('git', args, { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? '';
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

/** Rounds numbers to six digits, for JSON.stringify. @param {string} _ @param {unknown} value */
function sixDigits(_, value) {
  return typeof value === 'number' ? Number(value.toPrecision(Number.isInteger(value) ? 17 : 6)) : value;
}

/** The version of npm package webgpu, which is Dawn's build for Node. */
function dawnVersion() {
  const entry = createRequire(join(root, 'packages', 'tensor', 'package.json')).resolve('webgpu');
  return JSON.parse(readFileSync(join(dirname(entry), 'package.json'), 'utf8')).version;
}
