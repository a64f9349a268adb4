// Everything that can be checked without running a test. Each problem is printed with its remedy.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { changedApis, declarationsFolder } from './api.mjs';
import { uncoveredFunctions } from './checkCoverage.mjs';
import { docsThatFail } from './checkDocs.mjs';
import { importsOutOfDirection } from './checkImports.mjs';
import { wordsToReplace } from './checkWords.mjs';
import { staleRows } from './mutate/equivalents.mjs';
import { thinPlaces } from './mutate/list.mjs';
import { root } from './workspace.mjs';

/**
 * Gzipped kilobytes of each package's bundle for browsers, without its dependencies. tensor includes every algorithm of every operation;
 * fer includes face detection but no weights.
 */
const budgets = { tensor: 125, nn: 21, fer: 25 };

/** Files of ops/ without a public operation. */
const notOperations = ['elementwise', 'epilogue', 'fill', 'geometry', 'longSum', 'sumTo'];

/** @type {readonly (readonly [name: string, run: () => Promise<string[]>])[]} */
const checks = [
  ['types: tsc finds nothing', typeErrors],
  [
    'style: biome finds nothing (npm run check -- --fix formats)',
    () => tool('@biomejs/biome/bin/biome', ['ci', '--colors=off', '--max-diagnostics=30', '.']),
  ],
  ['direction: imports point one way', () => importsOutOfDirection()],
  ['prose: comments, strings and documents are in plain English', () => wordsToReplace()],
  ['errors: no package throws a bare Error', bareErrors],
  ['names: each operation has its kernel, reference and laws under one name', missingPlaces],
  ['kernels: every kernel compiles in every specialization, and none is forgotten', brokenKernels],
  [
    'mutation: each kernel and gradient formula has mutants of two kinds, and no argument for one is stale',
    async () => [...thinPlaces(), ...staleRows()],
  ],
  ['coverage: each public function has its laws and a docstring, or a reason', uncoveredFunctions],
  ['api: the public names and signatures are those of api.txt', changedApis],
  ['bytes: each package is within its budget', overBudget],
  ['docs: every code block runs', docsThatFail],
];

/** Runs all checks; returns a record of each, as test/harness.ts does. */
export async function check() {
  /** @type {import('./testFiles.mjs').TestRecord[]} */
  const records = [];
  for (const [name, run] of checks) {
    const start = Date.now();
    const problems = await run().catch((reason) => [
      reason instanceof Error ? (reason.stack ?? reason.message) : `${reason}`,
    ]);
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

/**
 * Runs an installed program of Node. Returns its output if it fails.
 * @param {string} bin path in node_modules
 * @param {readonly string[]} args
 */
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

/** Paths of files below a folder, from the root. @param {string} folder @param {string} ending */
function files(folder, ending) {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name).replaceAll('\\', '/'))
    .filter((path) => path.endsWith(ending) && !path.includes('node_modules'))
    .sort();
}

/** The name of a file without folder and ending. @param {string} path */
function nameOf(path) {
  return basename(path, extname(path));
}

async function bareErrors() {
  const problems = [];
  for (const path of files('packages', '.ts')) {
    for (const [i, line] of readFileSync(join(root, path), 'utf8').split('\n').entries()) {
      if (/\b(new|throw) (Type|Range)?Error\(/.test(line))
        problems.push(`${path}:${i + 1}: throw the class of its remedy (packages/tensor/src/errors.ts)`);
    }
  }
  return problems;
}

async function missingPlaces() {
  const problems = [];
  const names = files('packages/tensor/src/ops', '.ts').map(nameOf);
  // conv.ts is the operation; convGeometry.ts and convDepthwise.ts are parts of it.
  /** @param {string} name @param {string} word */
  const belongs = (name, word) => name === word || (name.startsWith(word) && /^[A-Z]/.test(name.slice(word.length)));
  /** @param {string} name */
  const isPart = (name) => names.some((word) => word !== name && belongs(name, word));
  for (const name of names.filter((name) => !notOperations.includes(name) && !isPart(name))) {
    for (const place of [`packages/tensor/src/reference/${name}.ts`, `test/tensor/${name}.test.ts`]) {
      if (!existsSync(join(root, place))) problems.push(`${name}: ${place} is missing`);
    }
  }
  const sources = files('packages', '.ts');
  for (const path of files('shaders', '.wgsl')) {
    const [, family = ''] = path.split('/');
    const users = sources.filter((source) => readFileSync(join(root, source), 'utf8').includes(`'@mien/${path}'`));
    if (users.length === 0) problems.push(`${path}: nothing imports it; delete it or use it`);
    const inOps = users.filter((user) => user.includes('/ops/'));
    if (inOps.length > 0 && !inOps.some((user) => belongs(nameOf(user), family))) {
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
    const name = nameOf(path);
    const entries = [...text.matchAll(/^@compute[^{]*?fn (\w+)/gm)].map(([, entry]) => entry);
    if (entries.join() !== name)
      problems.push(`${path}: expected one entry point ${name}, got ${entries.join(', ') || 'none'}`);
    if (!/^\/\/ threads: /m.test(text))
      problems.push(`${path}: add a line \`// threads:\` that says which thread computes which elements`);
    for (const [, list = ''] of text.matchAll(/^\/\/ uses: (.*)$/gm)) {
      for (const library of list.split(',').map((word) => word.trim())) {
        if (!existsSync(join(root, 'shaders', library)))
          problems.push(`${path}: ${library} in its line \`// uses:\` does not exist`);
      }
    }
  }
  const { bundleForNode } = await import('./bundle.mjs');
  const entry = `
    import * as tensor from '@mien/tensor';
    import * as nn from '@mien/nn';
    import * as fer from '@mien/fer';
    import { kernels } from '@mien/tensor/internal';
    // Keeps modules that nothing else uses, and their kernels.
    export const all = [tensor, nn, fer];
    const { device, init } = tensor;
    export async function compileAll() {
      await init();
      const problems = [];
      const note = (reason) => void problems.push(reason.message);
      const { facts } = device();
      // The adapter's feature for each name of an \`enable\` line.
      const features = { f16: 'shader-f16', subgroups: 'subgroups' };
      const lacking = ({ code }) =>
        [...(/^(?:enable \\w+;\\s*)+/.exec(code)?.[0] ?? '').matchAll(/enable (\\w+)/g)]
          .map(([, word]) => features[word])
          .find((feature) => !facts.features.includes(feature));
      const possible = kernels().filter((kernel) => !lacking(kernel));
      const unsupported = kernels().filter(lacking).map(lacking);
      await Promise.all(possible.map((kernel) => device().compile([kernel]).catch(note)));
      return { count: possible.length, problems, adapter: facts.name, unsupported };
    }`;
  const file = await bundleForNode({ name: 'kernels.ts', contents: entry }, 'kernels');
  /** @type {{ compileAll: () => Promise<{ count: number, problems: string[], adapter: string, unsupported: string[] }> }} */
  const { compileAll } = await import(pathToFileURL(file).href);
  const { count, problems: broken, adapter, unsupported } = await compileAll();
  for (const feature of new Set(unsupported)) {
    const kernels = unsupported.filter((other) => other === feature).length;
    process.stdout.write(`        ${kernels} kernels were not compiled: ${adapter} does not support ${feature}\n`);
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
        plugins: [externalPackages(name)],
      },
    );
    const kilobytes = [...bundle.values()].reduce((sum, text) => sum + gzipSync(text).length, 0) / 1000;
    if (kilobytes > budget)
      problems.push(
        `${name}: ${kilobytes.toFixed(1)} kB gzipped, over its budget of ${budget}; remove code, or raise the budget and say why in the commit`,
      );
  }
  return problems;
}

/** Leaves everything except the package and the shaders out of its bundle. @param {string} name @returns {import('esbuild').Plugin} */
function externalPackages(name) {
  return {
    name: 'external-packages',
    setup(build) {
      build.onResolve({ filter: /^[^./#]/ }, ({ path, kind }) => {
        if (kind === 'entry-point' || path.startsWith('@mien/shaders/') || path.startsWith(`@mien/${name}`))
          return undefined;
        return { path, external: true };
      });
    },
  };
}
