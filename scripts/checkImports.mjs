// shaders <- tensor <- nn <- fer <- examples, bench; test sees public exports only; inside tensor an order of its own.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { root } from './workspace.mjs';

const packages = ['shaders', 'tensor', 'nn', 'fer'];

/** Later ones import earlier ones. A file's place is its folder below src, or its own name there. */
const insideTensor = [
  ['errors.ts', 'arguments.ts', 'dtype.ts', 'generator.ts', 'places.ts'],
  ['device'],
  ['runtime'],
  ['checkpoint.ts', 'autograd.ts', 'anomaly.ts'],
  ['ops'],
  ['tensor.ts'],
  ['capture.ts'],
  ['index.ts', 'testing'],
];

/** Problems, each with its remedy. Imports of types alone leave no trace at run time and are free within a package. */
export async function importsOutOfDirection() {
  const problems = [];
  for (const folder of ['packages', 'test', 'examples', 'bench']) {
    const all = readdirSync(join(root, folder), { recursive: true }).map((name) =>
      join(folder, name).replaceAll('\\', '/'),
    );
    for (const path of all.filter(
      (path) => /\.tsx?$/.test(path) && !path.includes('node_modules/') && !path.includes('/dist/'),
    )) {
      for (const edge of importsOf(path)) {
        const problem = judge(path, edge);
        if (problem) problems.push(`${path}: imports ${edge.from}; ${problem}`);
      }
    }
  }
  return problems;
}

function importsOf(path) {
  const text = readFileSync(join(root, path), 'utf8');
  const found = text.matchAll(/^(?:import|export)\s+(type\s)?(?:[^'";]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm);
  return [...found].map(([, type, from, dynamic]) => ({ type: Boolean(type), from: from ?? dynamic }));
}

function judge(path, { type, from }) {
  const [top, name] = path.split('/');
  const own = top === 'packages' ? packages.indexOf(name) : packages.length;
  const scoped = /^@mien\/([^/]+)/.exec(from)?.[1];
  if (scoped) {
    const other = packages.indexOf(scoped);
    if (other < 0) return 'there is no such package';
    if (other >= own) return `the direction is ${packages.join(' <- ')} <- examples, bench, test`;
    if (top === 'test' && scoped === 'shaders') return 'tests reach kernels through @mien/tensor/testing';
    return null;
  }
  if (!from.startsWith('.')) return null;
  const target = normalize(join(dirname(path), from)).replaceAll('\\', '/');
  if (top !== 'packages') {
    return target.startsWith('packages/') || target.startsWith('shaders/') ? 'use the public exports of @mien/*' : null;
  }
  if (!target.startsWith(`packages/${name}/`)) return 'a relative import stays in its package';
  return name === 'tensor' && !type ? judgeInsideTensor(path, target) : null;
}

function judgeInsideTensor(path, target) {
  const [from, to] = [path, target].map((file) => file.split('/')[3]);
  if (from === 'reference' || to === 'reference') {
    if (from === to || from === 'testing') return null;
    return 'the reference stands alone: it is what the rest is measured by';
  }
  // The one cycle: methods of Tensor call ops, and ops make Tensors, inside function bodies only.
  if (from === 'ops' && to === 'tensor.ts') return null;
  const [own, other] = [from, to].map((place) => insideTensor.findIndex((level) => level.includes(place)));
  if (own < 0 || other < 0) return `give ${own < 0 ? from : to} a place in scripts/checkImports.mjs`;
  if (other <= own) return null;
  return 'inside tensor the direction is device <- runtime <- autograd <- ops <- tensor.ts <- capture.ts <- index';
}
