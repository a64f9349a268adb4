// npm run bench:peers -- [WORD...] [--json FILE]: the same work in Mien and in its peers, on one adapter in one run, and how
// many times as fast Mien is. --json writes FILE and a chart beside it. The peers are installed in bench/peers, apart from the workspace.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { cacheFolder, callerFolder, fail, pnpm, prepare, root, typed } from './workspace.mjs';

/** A process may take so long for one piece of work. */
const limitSeconds = 600;

/** Leaves packages with native code where their importer finds them. */
const nativeApart = {
  name: 'native-apart',
  setup(build) {
    build.onResolve({ filter: /^(webgpu|onnxruntime-node|@resvg\/resvg-js)$/ }, ({ path, importer }) => {
      return { path: pathToFileURL(createRequire(importer).resolve(path)).href, external: true };
    });
  },
};

const { values, positionals: words } = readOptions();
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
  words.length === 0 ? cuda || peerWork.includes(name) : selects(name, largePeerWork.includes(name) && !cuda),
);
if (wanted.length === 0) fail(`bench:peers: nothing is named ${words.join(' or ')}; there are ${all.join(', ')}`);
installPeers();
const [mien, tfjs, jax, onnx] = await bundlePrograms();
const peers = [
  ['tfjs WebGPU', (work) => node(tfjs, work, 'webgpu')],
  ['tfjs wasm, 1 thread', (work) => node(tfjs, work, 'wasm')],
  ['jax-js WebGPU', (work) => node(jax, work)],
  ['onnxruntime WebGPU', (work) => node(onnx, work)],
  ...(cuda
    ? ['f32', 'tf32', 'bf16'].map((precision) => [`PyTorch ${precision}`, (work) => torch(work, precision)])
    : [['PyTorch CPU', (work) => torch(work, 'f32')]]),
];

if (cuda) print(`PyTorch on ${torchDevice}. On a GPU Mien and PyTorch do many runs a wait, the other peers one.`);
const looks = [];
const results = [];
let failures = 0;
for (const work of wanted) {
  looks.push(await quietness());
  const own = await node(mien, work);
  if (!own.seconds) {
    print(`${work}: Mien failed: ${own.reason}`);
    failures++;
    continue;
  }
  const flops = own.median * own.seconds.median;
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
  results.push({ work, adapter: own.adapter, measured });
}
const shares = looks.map(({ busy }) => busy);
print(`\n${verdict(looks[0], await quietness(), shares).sentence}`);
print('Ratios are of medians; in brackets the slowest Mien against the fastest peer and the other way round.');
if (values.json !== undefined) {
  const file = resolve(callerFolder, values.json);
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  const chart = `${file.replace(/\.json$/, '')}.png`;
  writeFileSync(chart, chartOfPeers(results));
  print(`${values.json} and its chart ${chart}`);
}
process.exitCode = failures > 0 ? 1 : 0;

function readOptions() {
  try {
    return parseArgs({ args: typed(), options: { json: { type: 'string' } }, allowPositionals: true });
  } catch (reason) {
    return fail(`bench:peers: ${reason.message}; its one option is --json FILE`);
  }
}

/** Whether a word selects `name`; what is large for a CPU only by its whole name. */
function selects(name, large) {
  return words.some((word) => (large ? name === word : name.includes(word)));
}

/** Median, least and most of a second's work, and the median time. */
function rate(flops, { median, min, max }) {
  const digits = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
  const ends = `(${digits(flops / max)} to ${digits(flops / min)})`;
  const time = median >= 1 ? `${median.toFixed(2)} s` : `${(1000 * median).toFixed(1)} ms`;
  return `${digits(flops / median).padStart(6)} GFLOP/s ${ends.padEnd(18)} ${time.padStart(9)}`;
}

function torch(work, precision) {
  if (python) return outcome(python, [join(folder, 'pytorch.py'), work, precision]);
  return { reason: 'PyTorch is not installed (Debian: apt-get install python3-torch)' };
}

function node(program, ...args) {
  return outcome(process.execPath, [program, ...args]);
}

/** What a program says in its last line, or why it says nothing. */
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
  if (late) return { reason: `it took longer than ${limitSeconds} s` };
  const last = out.trimEnd().split('\n').at(-1);
  if (last.startsWith('{')) return JSON.parse(last);
  const words = err.split('\n').find((line) => /error/i.test(line)) ?? err.trimEnd().split('\n').at(-1);
  return { reason: `it ended with ${code}: ${words.trim()}` };
}

async function text(stream) {
  let all = '';
  for await (const part of stream.setEncoding('utf8')) all += part;
  return all;
}

/** Installs what bench/peers/pnpm-lock.yaml names, unless just that is there; pnpm keeps a copy of what it installed. */
function installPeers() {
  const [locked, installed] = ['pnpm-lock.yaml', 'node_modules/.pnpm/lock.yaml'].map((name) => join(folder, name));
  if (existsSync(installed) && readFileSync(installed, 'utf8') === readFileSync(locked, 'utf8')) return;
  process.stderr.write('bench:peers: installing the peers in bench/peers (once, 370 MB)\n');
  const install = ['--dir', folder, '--ignore-workspace', 'install', '--frozen-lockfile', '--ignore-scripts'];
  if (pnpm(install) !== 0) fail('bench:peers: the installation failed; its reason stands above');
}

/** The programs of bench/peers, each in one file: tfjs's modules import one another in a way that Node does not take. */
async function bundlePrograms() {
  const { build } = await import('esbuild');
  const { endIfPrinted } = await import('./bundle.mjs');
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
    plugins: [nativeApart],
    absWorkingDir: root,
    logLevel: 'error',
  }).catch(endIfPrinted);
  return programs.map((name) => join(outdir, name.replace(/\.m?[jt]s$/, '.mjs')));
}

async function helpers() {
  const { bundleForNode } = await import('./bundle.mjs');
  const contents = ['quiet', 'compare', 'peersChart'].map((name) => `export * from './bench/${name}.ts';`).join('\n');
  return import(pathToFileURL(await bundleForNode({ name: 'peers.ts', contents }, 'peers')).href);
}

function print(line) {
  process.stdout.write(`${line}\n`);
}
