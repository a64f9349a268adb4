// npm run bench:peers -- [FILTER...] [--json FILE]: the same work in Mien and in its peers, on one adapter in one run, and how
// many times as fast Mien is. --json writes FILE and a chart beside it. The peers are installed in bench/peers, apart from the workspace.
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  cacheFolder,
  callerFolder,
  exitWithError,
  installApart,
  parseScriptArgs,
  prepare,
  root,
} from './workspace.mjs';

/** The longest time of a process. */
const limitSeconds = 600;

/** Keeps packages with native code external, by the path that their importer resolves. @type {import('esbuild').Plugin} */
const externalNative = {
  name: 'external-native',
  setup(build) {
    build.onResolve({ filter: /^(webgpu|onnxruntime-node|@resvg\/resvg-js)$/ }, ({ path, importer }) => {
      return { path: pathToFileURL(createRequire(importer).resolve(path)).href, external: true };
    });
  },
};

/** @typedef {{ readonly seconds?: import('../bench/measure.ts').Spread, readonly reason?: string, readonly median?: number, readonly adapter?: string }} Outcome */

const { values, positionals: filters } = parseScriptArgs('bench:peers', '[FILTER...] --json FILE', {
  json: { type: 'string' },
});
prepare();
const { chartOfPeers, largePeerWork, peerWork, quietness, ratioOf, ratioText, verdict } = await helpers();
const folder = join(root, 'bench', 'peers');
const python = ['/usr/bin/python3', 'python3'].find((name) => spawnSync(name, ['-c', 'import torch']).status === 0);
const torchDevice = python
  ? spawnSync(python, [join(folder, 'pytorch.py'), '--device'])
      .stdout.toString()
      .trim()
  : '';
const cuda = torchDevice !== '' && torchDevice !== 'cpu';
const all = [...peerWork, ...largePeerWork];
const wanted = all.filter((name) =>
  filters.length === 0 ? cuda || peerWork.includes(name) : selects(name, largePeerWork.includes(name) && !cuda),
);
if (wanted.length === 0)
  exitWithError(`bench:peers: no record matches ${filters.join(' or ')}; the records are ${all.join(', ')}`);
installApart(folder, 'bench:peers', 'the peers in bench/peers (once, 370 MB)');
const [mien = '', tfjs = '', jax = '', onnx = ''] = await bundlePrograms();
/** @type {(readonly [name: string, run: (work: string) => Promise<Outcome>])[]} */
const peers = [
  ['tfjs WebGPU', (work) => node(tfjs, work, 'webgpu')],
  ['tfjs wasm, 1 thread', (work) => node(tfjs, work, 'wasm')],
  ['jax-js WebGPU', (work) => node(jax, work)],
  ['onnxruntime WebGPU', (work) => node(onnx, work)],
  ...(cuda ? ['f32', 'tf32', 'bf16'] : ['f32']).map(pytorch),
];

if (cuda)
  print(`PyTorch on ${torchDevice}. On a GPU, Mien and PyTorch do several runs for each wait, the other peers one.`);
/** @type {Awaited<ReturnType<typeof quietness>>[]} */
const quietnesses = [];
/** @type {import('../bench/peersChart.ts').PeerResult[]} */
const results = [];
let failures = 0;
for (const work of wanted) {
  quietnesses.push(await quietness());
  const own = await node(mien, work);
  if (!own.seconds) {
    print(`${work}: Mien failed: ${own.reason}`);
    failures++;
    continue;
  }
  const flops = (own.median ?? 0) * own.seconds.median;
  print(`\n${work} on ${own.adapter}`);
  const measured = [{ name: 'Mien', seconds: own.seconds }];
  print(`  ${'Mien'.padEnd(20)} ${rate(flops, own.seconds)}`);
  for (const [name, run] of peers) {
    const { seconds, reason } = await run(work);
    if (seconds) measured.push({ name, seconds });
    const outcome = seconds
      ? `${rate(flops, seconds)}  Mien : ${name} = ${ratioText(ratioOf(own.seconds, seconds))}`
      : `none: ${reason}`;
    print(`  ${name.padEnd(20)} ${outcome}`);
  }
  results.push({ work, adapter: own.adapter ?? '', measured });
}
const shares = quietnesses.map(({ busy }) => busy);
print(
  `\n${verdict(/** @type {Awaited<ReturnType<typeof quietness>>} */ (quietnesses[0]), await quietness(), shares).sentence}`,
);
print('Ratios are of medians; in brackets the slowest Mien against the fastest peer and the other way round.');
if (values.json !== undefined) {
  const file = resolve(callerFolder, values.json);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  const chart = `${file.replace(/\.json$/, '')}.png`;
  writeFileSync(chart, chartOfPeers(results));
  print(`${values.json} and its chart ${chart}`);
}
process.exitCode = failures > 0 ? 1 : 0;

/** Whether a filter selects `name`: a part of it, or for large work the name itself. @param {string} name @param {boolean} large */
function selects(name, large) {
  return filters.some((filter) => (large ? name === filter : name.includes(filter)));
}

/** Median, minimum and maximum GFLOP/s, and the median time. @param {number} flops @param {import('../bench/measure.ts').Spread} seconds */
function rate(flops, { median, min, max }) {
  /** @param {number} value */
  const digits = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
  const ends = `(${digits(flops / max)} to ${digits(flops / min)})`;
  const time = median >= 1 ? `${median.toFixed(2)} s` : `${(1000 * median).toFixed(1)} ms`;
  return `${digits(flops / median).padStart(6)} GFLOP/s ${ends.padEnd(18)} ${time.padStart(9)}`;
}

/** @param {string} precision @returns {readonly [name: string, run: (work: string) => Promise<Outcome>]} */
function pytorch(precision) {
  return [`PyTorch ${cuda ? precision : 'CPU'}`, (work) => torch(work, precision)];
}

/** @param {string} work @param {string} precision @returns {Promise<Outcome>} */
async function torch(work, precision) {
  if (python) return outcome(python, [join(folder, 'pytorch.py'), work, precision]);
  return { reason: 'PyTorch is not installed (Debian: apt-get install python3-torch)' };
}

/** @param {string} program @param {string[]} args */
function node(program, ...args) {
  return outcome(process.execPath, [program, ...args]);
}

/** The outcome in the last line of a program. @param {string} command @param {readonly string[]} args @returns {Promise<Outcome>} */
async function outcome(command, args) {
  const child = spawn(command, args, { cwd: root, env: { ...process.env, MIEN_PEERS: folder } });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, 1000 * limitSeconds);
  const [out, err, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise((resolve) => child.on('close', (status, signal) => resolve(status ?? signal))),
  ]);
  clearTimeout(timer);
  if (late) return { reason: `it exceeded ${limitSeconds} s` };
  const last = out.trimEnd().split('\n').at(-1) ?? '';
  if (last.startsWith('{')) return JSON.parse(last);
  const line = err.split('\n').find((each) => /error/i.test(each)) ?? err.trimEnd().split('\n').at(-1) ?? '';
  return { reason: `it exited with ${code}: ${line.trim()}` };
}

/** @param {import('node:stream').Readable} stream */
async function text(stream) {
  let all = '';
  for await (const part of stream.setEncoding('utf8')) all += part;
  return all;
}

/** The programs of bench/peers, each in one file: Node cannot resolve the imports of tfjs's modules. */
async function bundlePrograms() {
  const { build } = await import('esbuild');
  const { exitIfPrinted } = await import('./bundle.mjs');
  const programs = ['mien.ts', 'tfjs.mjs', 'jax.mjs', 'onnx.mjs'];
  const outdir = join(cacheFolder(), 'peers');
  await build({
    entryPoints: programs.map((name) => join(folder, name)),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    loader: { '.wgsl': 'text', '.ttf': 'binary' },
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url), __dirname = import.meta.dirname ?? '', __filename = '';",
    },
    plugins: [externalNative],
    absWorkingDir: root,
    logLevel: 'error',
  }).catch(exitIfPrinted);
  return programs.map((name) => join(outdir, name.replace(/\.m?[jt]s$/, '.mjs')));
}

/** @returns {Promise<typeof import('../bench/quiet.ts') & typeof import('../bench/compare.ts') & typeof import('../bench/peersChart.ts')>} */
async function helpers() {
  const { bundleForNode } = await import('./bundle.mjs');
  const contents = ['quiet', 'compare', 'peersChart'].map((name) => `export * from './bench/${name}.ts';`).join('\n');
  return import(pathToFileURL(await bundleForNode({ name: 'peers.ts', contents }, 'peers')).href);
}

/** @param {string} line */
function print(line) {
  process.stdout.write(`${line}\n`);
}
