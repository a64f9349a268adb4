// Import rules: shaders <- tensor <- nn <- fer <- examples, bench <- test; layers inside each package; no cycles. Imports of types
// alone follow the same rules.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { root } from './workspace.mjs';

/** @typedef {{ readonly from: string, readonly target: string | null, readonly isType: boolean }} Import */
/** @typedef {ReadonlyMap<string, string>} Files path from the root to text */

const packages = ['shaders', 'tensor', 'nn', 'fer'];

/** Other folders with code, and those that they may reach by relative imports. */
const reaches = new Map([
  ['examples', ['examples']],
  ['scripts', ['scripts', 'bench', 'test']],
  ['bench', ['bench']],
  ['test', ['test', 'bench', 'scripts', 'examples']],
]);

/** Layers of each package, each by its folders and files of src; a layer imports itself and those before it. */
const layers = new Map([
  [
    'tensor',
    [
      ['session.ts', 'errors.ts', 'arguments.ts', 'dtype.ts', 'shape.ts', 'generator.ts', 'places.ts'],
      ['device'],
      ['runtime'],
      ['graph', 'autograd.ts', 'anomaly.ts'],
      ['ops'],
      ['tensor.ts'],
      ['capture.ts', 'grad.ts'],
      ['testing'],
      ['index.ts', 'internal.ts'],
    ],
  ],
  [
    'nn',
    [
      ['errors.ts', 'options.ts', 'state.ts'],
      ['moduleWalk.ts', 'init.ts', 'losses.ts', 'schedulers.ts', 'data'],
      ['module.ts', 'layer.ts'],
      ['layers', 'optim', 'formats'],
      ['index.ts'],
    ],
  ],
  [
    'fer',
    [
      [
        'bytes.d.ts',
        'memory.ts',
        'datasets',
        'photos',
        'detection',
        'augmentation.ts',
        'lrSchedule.ts',
        'blazeface.ts',
      ],
      ['transforms.ts', 'metrics.ts', 'calibration.ts', 'timeline.ts'],
      ['weights.ts', 'models', 'training', 'evaluation.ts', 'prediction.ts', 'gradCam.ts', 'doctor'],
      ['runs', 'figures'],
      ['cli', 'commands'],
      ['index.ts', 'node.ts'],
    ],
  ],
]);

/** Methods of Tensor call every operation, so ops may import Tensor, and these places its type. */
const belowTensor = ['runtime', 'graph', 'autograd.ts', 'anomaly.ts'];

/** Files that reach into a package, each with the reason. */
const exceptions = new Map([
  ['bench/peers/adapter.mjs', 'opens the adapter that Mien opens, without initializing Mien'],
]);

/** Problems of the repository, each with its remedy. */
export async function importsOutOfDirection() {
  return importProblems(sources());
}

/**
 * Problems of the given files, each with its remedy.
 * @param {Files} files
 * @returns {string[]}
 */
export function importProblems(files) {
  const problems = placesWithoutLayer(files);
  /** @type {Map<string, string[]>} */
  const graph = new Map();
  for (const [path, text] of files) {
    if (path.endsWith('.json')) continue;
    const edges = importsOf(path, text, files);
    graph.set(
      path,
      edges.flatMap(({ target, isType }) =>
        target !== null && files.has(target) && !mayCycle(path, target, isType) ? [target] : [],
      ),
    );
    for (const edge of edges) {
      const problem = judge(path, edge, files);
      if (problem) problems.push(`${path}: imports ${edge.from}; ${problem}`);
    }
  }
  for (const cycle of cyclesOf(graph)) {
    problems.push(`${cycle.join(' -> ')} -> ${cycle[0]}: a cycle; move what both need into a file of its own`);
  }
  return problems;
}

/**
 * Problems of folders and files of src that no layer lists.
 * @param {Files} files
 */
function placesWithoutLayer(files) {
  const places = new Set([...files.keys()].map((path) => path.split('/').slice(0, 4).join('/')));
  return [...places].flatMap((path) => {
    const [top, name = '', src, place = ''] = path.split('/');
    const isListed =
      layers.get(name)?.some((layer) => layer.includes(place)) || (name === 'tensor' && place === 'reference');
    if (top !== 'packages' || src !== 'src' || isListed) return [];
    return [`${path}: add ${place} to the layers of ${name} in scripts/checkImports.mjs`];
  });
}

/** Every source and package.json, by path. */
function sources() {
  const files = new Map();
  for (const folder of ['packages', ...reaches.keys()]) {
    for (const name of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
      const path = join(folder, name).replaceAll('\\', '/');
      if (/\/(?:node_modules|dist)\//.test(path)) continue;
      if (/\.(?:m?ts|mjs)$|^packages\/\w+\/package\.json$/.test(path))
        files.set(path, readFileSync(join(root, path), 'utf8'));
    }
  }
  return files;
}

/**
 * @param {string} path
 * @param {string} text
 * @param {Files} files
 * @returns {Import[]}
 */
function importsOf(path, text, files) {
  const found = text.matchAll(
    /^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\b(?:import|require\.resolve)\('([^']+)'\)/gm,
  );
  return [...found].flatMap(([, type, name, dynamic]) => {
    const from = name ?? dynamic ?? '';
    return targetsOf(path, from, files).map((target) => ({ from, target, isType: type !== undefined }));
  });
}

/**
 * The files that an import reads, as far as they are in the repository; `#name` may read one in Node and another in browsers.
 * @param {string} path
 * @param {string} from
 * @param {Files} files
 * @returns {(string | null)[]}
 */
function targetsOf(path, from, files) {
  if (from.startsWith('.')) return [normalize(join(dirname(path), from)).replaceAll('\\', '/')];
  if (!from.startsWith('#')) return [null];
  const folder = path.split('/').slice(0, 2).join('/');
  /** @type {{ imports?: Record<string, Record<string, string>> }} */
  const { imports = {} } = JSON.parse(files.get(`${folder}/package.json`) ?? '{}');
  return Object.values(imports[from] ?? {}).map((file) => normalize(join(folder, file)).replaceAll('\\', '/'));
}

/**
 * @param {string} path
 * @param {Import} edge
 * @param {Files} files
 * @returns {string | null}
 */
function judge(path, { from, target, isType }, files) {
  const [top = '', name = ''] = path.split('/');
  const scoped = /^@mien\/([^/]+)/.exec(from)?.[1];
  if (scoped !== undefined) return judgePackage(top, name, scoped, from);
  if (target === null) return top === 'packages' ? judgeDependency(name, from, files) : null;
  if (top !== 'packages') {
    const [there = ''] = target.split('/');
    if ((reaches.get(top) ?? []).includes(there) || exceptions.has(path)) return null;
    if (there === 'packages' || there === 'shaders') return 'use the public exports of @mien/*';
    return `${top} does not import ${there}`;
  }
  if (!target.startsWith(`packages/${name}/`)) return 'a relative import stays in its package';
  return target.startsWith(`packages/${name}/src/`) ? judgeLayers(name, path, target, isType) : null;
}

/** @param {string} top @param {string} name @param {string} scoped @param {string} from */
function judgePackage(top, name, scoped, from) {
  const position = top === 'packages' ? packages.indexOf(name) : packages.length;
  const other = packages.indexOf(scoped);
  if (other < 0) return 'there is no such package';
  if (other >= position) return `the direction is ${packages.join(' <- ')} <- examples, bench, test`;
  if (top === 'examples' && from.endsWith('/internal')) return 'examples show what users can import';
  if (top === 'test' && scoped === 'shaders') return 'tests reach kernels through @mien/tensor/internal';
  return null;
}

/** @param {string} name @param {string} from @param {Files} files */
function judgeDependency(name, from, files) {
  if (from.startsWith('node:')) return null;
  const { dependencies = {}, peerDependencies = {} } = JSON.parse(files.get(`packages/${name}/package.json`) ?? '{}');
  const dependency = from.split('/', from.startsWith('@') ? 2 : 1).join('/');
  if (dependency in dependencies || dependency in peerDependencies) return null;
  return `add ${dependency} to the dependencies of packages/${name}/package.json`;
}

/** @param {string} name @param {string} path @param {string} target @param {boolean} isType */
function judgeLayers(name, path, target, isType) {
  const order = layers.get(name) ?? [];
  const [from = '', to = ''] = [path, target].map((file) => file.split('/')[3] ?? '');
  if (name === 'tensor' && (from === 'reference' || to === 'reference')) {
    return from === to || from === 'testing'
      ? null
      : 'the reference imports nothing of the rest, which is compared with it';
  }
  if (isOnTensor(path, target) && (from === 'ops' || isType)) return null;
  /** @param {string} place */
  const layerOf = (place) => order.findIndex((layer) => layer.includes(place));
  const [here, there] = [layerOf(from), layerOf(to)];
  if (here < 0 || there < 0 || there <= here) return null;
  return `inside ${name} the direction is ${order.map((layer) => layer.join(', ')).join(' <- ')}`;
}

/** Whether an import is of Tensor by code that its methods call. @param {string} path @param {string} target */
function isOnTensor(path, target) {
  if (target !== 'packages/tensor/src/tensor.ts') return false;
  const place = path.split('/')[3] ?? '';
  return place === 'ops' || belowTensor.includes(place);
}

/**
 * Whether cycles may go through an import, which then is of types only: of Tensor by what its methods call, and between the parts of the
 * runtime.
 * @param {string} path
 * @param {string} target
 * @param {boolean} isType
 */
function mayCycle(path, target, isType) {
  const isWithin = (/** @type {string} */ folder) => path.startsWith(folder) && target.startsWith(folder);
  return isType && (isOnTensor(path, target) || isWithin('packages/tensor/src/runtime/'));
}

/**
 * One cycle through each group of files that import one another (Tarjan 1972).
 * @param {ReadonlyMap<string, readonly string[]>} graph
 * @returns {string[][]}
 */
function cyclesOf(graph) {
  /** @type {string[][]} */
  const cycles = [];
  /** @type {Map<string, { index: number, low: number }>} */
  const visited = new Map();
  /** @type {string[]} */
  const stack = [];
  /** @param {string} path */
  const visit = (path) => {
    const node = { index: visited.size, low: visited.size };
    visited.set(path, node);
    stack.push(path);
    for (const next of graph.get(path) ?? []) {
      const other = visited.get(next);
      if (other === undefined) node.low = Math.min(node.low, visit(next).low);
      else if (stack.includes(next)) node.low = Math.min(node.low, other.index);
    }
    if (node.low < node.index) return node;
    const group = stack.splice(stack.indexOf(path));
    if (group.length > 1 || graph.get(path)?.includes(path)) cycles.push(shortest(path, group, graph));
    return node;
  };
  for (const path of graph.keys()) if (!visited.has(path)) visit(path);
  return cycles;
}

/**
 * The shortest cycle through a file inside its group.
 * @param {string} start
 * @param {readonly string[]} group
 * @param {ReadonlyMap<string, readonly string[]>} graph
 */
function shortest(start, group, graph) {
  const paths = [[start]];
  const seen = new Set();
  for (const path of paths) {
    for (const next of graph.get(path.at(-1) ?? '') ?? []) {
      if (next === start) return path;
      if (!group.includes(next) || seen.has(next)) continue;
      seen.add(next);
      paths.push([...path, next]);
    }
  }
  return [...group];
}
