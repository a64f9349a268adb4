// What a reader would trust blindly, held by machine. Each failure prints its remedy.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { declarationsFolder } from './api.mjs';
import { uncoveredFunctions } from './checkCoverage.mjs';
import { docsThatFail } from './checkDocs.mjs';
import { importsOutOfDirection } from './checkImports.mjs';
import { wordsToReplace } from './checkWords.mjs';
import { staleRows } from './mutate/equivalents.mjs';
import { thinPlaces } from './mutate/list.mjs';
import { root } from './workspace.mjs';

/** Gzipped kilobytes of each package's bundle for a browser, without the packages that it stands on. */
// The tensor package holds every algorithm of every operation: a page that never convolves still ships Winograd's kernels.
// grad(outputs, inputs), printed tensors and checked options made it 105 kB.
// fer finds faces, explains and calibrates in a page too, and has a row for each data set; weights are modules loaded on demand.
const budgets = { tensor: 106, nn: 21, fer: 25 };

/** Files of ops/ that hold no operation: shape rules, elementwise families, ends of products and convolutions, sums by levels. */
const notOperations = ['elementwise', 'epilogue', 'geometry', 'longSum'];

const checks = [
  ['types: tsc finds nothing', typeErrors],
  [
    'style: biome finds nothing (npm run check -- --fix formats)',
    () => tool('@biomejs/biome/bin/biome', ['ci', '--colors=off', '--max-diagnostics=30', '.']),
  ],
  ['direction: imports point one way', () => importsOutOfDirection()],
  ['prose: comments, strings and documents are in plain English', () => wordsToReplace()],
  ['errors: no package throws a bare Error', bareErrors],
  ['words: each operation has its kernel, reference and laws under one name', missingPlaces],
  ['kernels: every kernel compiles in every specialization, and none is forgotten', brokenKernels],
  [
    'mutation: each kernel and gradient formula has mutants of two kinds, and no argument for one is stale',
    async () => [...thinPlaces(), ...staleRows()],
  ],
  ['coverage: each public function has its laws and a docstring, or a reason', uncoveredFunctions],
  ['bytes: each package is within its budget', overBudget],
  ['docs: every code block runs', docsThatFail],
];

/** Runs all checks; gives a record of each, in the form of test/harness.ts. */
export async function check() {
  const records = [];
  for (const [name, run] of checks) {
    const start = Date.now();
    const problems = await run().catch((reason) => [reason.stack ?? `${reason}`]);
    const passed = problems.length === 0;
    process.stdout.write(`${passed ? 'ok    ' : 'FAILED'}  ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)\n`);
    records.push({
      where: 'check',
      file: 'scripts/check.mjs',
      name,
      state: passed ? 'passed' : 'failed',
      reason: problems.join('\n'),
    });
  }
  return records;
}

/** Runs an installed program of Node. Returns its output where it fails. */
export async function tool(bin, args) {
  const child = spawn(process.execPath, [join(root, 'node_modules', bin), ...args], { cwd: root });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (part) => (output += part));
  const status = await new Promise((resolve) => child.once('close', resolve));
  return status === 0 ? [] : [output.trim()];
}

/** The packages alone once more, whose exports must have explicit types; their declarations are emitted for api.txt. */
export async function typeErrors() {
  rmSync(declarationsFolder, { recursive: true, force: true });
  const emit = ['--noEmit', 'false', '--emitDeclarationOnly', '--rootDir', 'packages', '--outDir', declarationsFolder];
  const [all = [], packages = []] = await Promise.all(
    [['.'], ['packages', ...emit]].map((args) => tool('typescript/bin/tsc', ['--pretty', 'false', '-p', ...args])),
  );
  return all.length > 0 ? all : packages;
}

/** Paths below `folder` that end with `ending`, relative to the root. */
function files(folder, ending) {
  const found = readdirSync(join(root, folder), { recursive: true }).map((name) =>
    join(folder, name).replaceAll('\\', '/'),
  );
  return found.filter((path) => path.endsWith(ending)).sort();
}

async function bareErrors() {
  const problems = [];
  for (const path of files('packages', '.ts').filter((path) => !path.includes('node_modules'))) {
    for (const [i, line] of readFileSync(join(root, path), 'utf8').split('\n').entries()) {
      if (/\b(new|throw) (Type|Range)?Error\(/.test(line))
        problems.push(`${path}:${i + 1}: throw the class of its remedy (packages/tensor/src/errors.ts)`);
    }
  }
  return problems;
}

async function missingPlaces() {
  const problems = [];
  const names = files('packages/tensor/src/ops', '.ts').map((path) => path.split('/').pop().slice(0, -3));
  // conv.ts is the operation; convGeometry.ts and convDepthwise.ts are parts of it.
  const belongs = (name, word) => name === word || (name.startsWith(word) && /^[A-Z]/.test(name.slice(word.length)));
  const isPart = (name) => names.some((word) => word !== name && belongs(name, word));
  for (const name of names.filter((name) => !notOperations.includes(name) && !isPart(name))) {
    for (const place of [`packages/tensor/src/reference/${name}.ts`, `test/tensor/${name}.test.ts`]) {
      if (!existsSync(join(root, place))) problems.push(`${name}: has no ${place}`);
    }
  }
  const sources = files('packages', '.ts').filter((path) => !path.includes('node_modules'));
  for (const path of files('shaders', '.wgsl')) {
    const [, family] = path.split('/');
    const users = sources.filter((source) => readFileSync(join(root, source), 'utf8').includes(`'@mien/${path}'`));
    if (users.length === 0) problems.push(`${path}: nothing imports it; delete it or use it`);
    const inOps = users.filter((user) => user.includes('/ops/'));
    if (inOps.length > 0 && !inOps.some((user) => belongs(user.split('/').pop().slice(0, -3), family))) {
      problems.push(
        `${path}: used by ${inOps.join(', ')} but not by ops/${family}.ts; move it to the family of its operation`,
      );
    }
  }
  return problems;
}

async function brokenKernels() {
  const problems = [];
  for (const path of files('shaders', '.wgsl').filter((path) => !path.startsWith('shaders/lib/'))) {
    const text = readFileSync(join(root, path), 'utf8');
    const name = path.split('/').pop().slice(0, -5);
    const entries = [...text.matchAll(/^@compute[^{]*?fn (\w+)/gm)].map(([, entry]) => entry);
    if (entries.join() !== name)
      problems.push(`${path}: its one entry point must be named ${name}, found ${entries.join(', ') || 'none'}`);
    if (!/^\/\/ threads: /m.test(text)) problems.push(`${path}: no \`// threads:\` line says who computes what`);
    for (const [, list] of text.matchAll(/^\/\/ uses: (.*)$/gm)) {
      for (const library of list.split(',').map((word) => word.trim())) {
        if (!existsSync(join(root, 'shaders', library)))
          problems.push(`${path}: uses ${library}, which is not in shaders/`);
      }
    }
  }
  const { bundleForNode } = await import('./bundle.mjs');
  const entry = `
    import * as tensor from '@mien/tensor';
    import * as nn from '@mien/nn';
    import * as fer from '@mien/fer';
    import { kernels } from '@mien/tensor/internal';
    // A module that nothing uses would be dropped, and its kernels with it.
    export const whole = [tensor, nn, fer];
    const { device, init } = tensor;
    export async function compileAll() {
      await init();
      const problems = [];
      const note = (reason) => void problems.push(reason.message);
      const { facts } = device();
      // What \`enable\` lines ask for, by the name of the adapter's feature.
      const features = { f16: 'shader-f16', subgroups: 'subgroups' };
      const lacking = ({ code }) =>
        [...(/^(?:enable \\w+;\\s*)+/.exec(code)?.[0] ?? '').matchAll(/enable (\\w+)/g)]
          .map(([, word]) => features[word])
          .find((feature) => !facts.features.includes(feature));
      const possible = kernels().filter((kernel) => !lacking(kernel));
      const passedOver = kernels().filter(lacking).map(lacking);
      await Promise.all(possible.map((kernel) => device().compile([kernel]).catch(note)));
      return { count: possible.length, problems, adapter: facts.name, passedOver };
    }`;
  const file = await bundleForNode({ name: 'kernels.ts', contents: entry }, 'kernels');
  const { compileAll } = await import(pathToFileURL(file).href);
  const { count, problems: broken, adapter, passedOver } = await compileAll();
  for (const feature of new Set(passedOver)) {
    const kernels = passedOver.filter((other) => other === feature).length;
    process.stdout.write(`        ${kernels} kernels passed over: they need ${feature}, which ${adapter} has not\n`);
  }
  if (count === 0) problems.push('no kernel is declared');
  return [...problems, ...broken];
}

async function overBudget() {
  const { bundleForBrowser } = await import('./bundle.mjs');
  const problems = [];
  for (const [name, budget] of Object.entries(budgets)) {
    const bundle = await bundleForBrowser(
      { [name]: join(root, 'packages', name, 'src', 'index.ts') },
      {
        minify: true,
        sourcemap: false,
        plugins: [othersApart(name)],
      },
    );
    const kilobytes = [...bundle.values()].reduce((sum, text) => sum + gzipSync(text).length, 0) / 1000;
    if (kilobytes > budget)
      problems.push(
        `${name}: ${kilobytes.toFixed(1)} kB gzipped, its budget is ${budget}; delete something, or raise it and say why`,
      );
  }
  return problems;
}

/** Leaves all but the package itself and the shaders out of its bundle. */
function othersApart(name) {
  return {
    name: 'others-apart',
    setup(build) {
      build.onResolve({ filter: /^[^./#]/ }, ({ path, kind }) => {
        if (kind === 'entry-point' || path.startsWith('@mien/shaders/') || path.startsWith(`@mien/${name}`))
          return undefined;
        return { path, external: true };
      });
    },
  };
}
