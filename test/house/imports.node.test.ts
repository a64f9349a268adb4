// The import rules of scripts/checkImports.mjs, by files that break them.
import { ensure } from '@mien/tensor/testing';
import { importProblems } from '../../scripts/checkImports.mjs';
import { test } from '../harness.ts';

const manifest = ['packages/tensor/package.json', '{ "imports": { "#gpu": { "node": "./src/device/gpu.node.ts" } } }'];

/** Problems of files, given as path and text. */
function problemsOf(...files: readonly (readonly [path: string, text: string])[]): string[] {
  return importProblems(new Map([manifest as [string, string], ...files]));
}

/** Expects one problem that holds `remedy`. */
function expectProblem(remedy: string, ...files: readonly (readonly [path: string, text: string])[]): void {
  const problems = problemsOf(...files);
  ensure(
    problems.length === 1 && problems[0]?.includes(remedy) === true,
    `${remedy}: ${problems.join('; ') || 'none'}`,
  );
}

const tensor = (file: string): string => `packages/tensor/src/${file}`;

test('check refuses an import against the direction of the packages, of types too', () => {
  for (const statement of [
    "import { Linear } from '@mien/nn';",
    "import type { Linear } from '@mien/nn';",
    "export * from '@mien/nn';",
    "import '@mien/nn';",
    "const { Linear } = await import('@mien/nn/checkpoint');",
    "import {\n  Linear,\n  Module,\n} from '@mien/nn';",
  ])
    expectProblem('the direction is shaders <- tensor <- nn <- fer', [tensor('errors.ts'), statement]);
  expectProblem('the direction is', ['packages/nn/src/init.ts', "import type { Network } from '@mien/fer';"]);
  expectProblem('there is no such package', ['bench/a.ts', "import '@mien/audio';"]);
});

test('check refuses a relative import that leaves a package or enters one', () => {
  expectProblem('stays in its package', ['packages/nn/src/init.ts', "import '../../tensor/src/errors.ts';"]);
  for (const path of ['test/a.ts', 'bench/a.ts', 'examples/a.ts', 'scripts/a.mjs'])
    expectProblem('use the public exports', [path, "import type { A } from '../packages/nn/src/init.ts';"]);
  expectProblem('tests reach kernels', ['test/a.ts', "import '@mien/shaders/unary/unary.wgsl';"]);
});

test('check refuses an import between folders that are independent', () => {
  expectProblem('bench does not import test', ['bench/a.ts', "import '../test/harness.ts';"]);
  expectProblem('examples does not import bench', ['examples/a.ts', "import '../bench/measure.ts';"]);
  expectProblem('scripts does not import examples', ['scripts/a.mjs', "import '../examples/a.ts';"]);
  expectProblem('examples show', ['examples/a.ts', "import { storageOf } from '@mien/tensor/internal';"]);
});

test('check refuses an import of a later layer inside each package, of types too', () => {
  expectProblem('inside tensor', [tensor('runtime/a.ts'), "import type { B } from '../ops/b.ts';"]);
  expectProblem('inside tensor', [tensor('runtime/a.ts'), "import { Tensor } from '../tensor.ts';"]);
  expectProblem('inside tensor', [tensor('device/a.ts'), "import type { Tensor } from '../tensor.ts';"]);
  expectProblem('inside nn', ['packages/nn/src/module.ts', "import type { Linear } from './layers/linear.ts';"]);
  expectProblem('inside fer', ['packages/fer/src/models/a.ts', "import { train } from '../cli/train.ts';"]);
  expectProblem('add somewhere to the layers of nn', ['packages/nn/src/somewhere/a.ts', '']);
});

test('check keeps the reference apart from what is compared with it', () => {
  const remedy = 'the reference imports nothing of the rest';
  expectProblem(remedy, [tensor('reference/conv.ts'), "import type { B } from '../ops/conv.ts';"]);
  expectProblem(remedy, [tensor('ops/conv.ts'), "import { conv } from '../reference/conv.ts';"]);
});

test('check refuses a package that a published package does not declare', () => {
  expectProblem('add left-pad to the dependencies', [
    'packages/nn/src/init.ts',
    "import pad from 'left-pad/index.js';",
  ]);
  expectProblem('add @a/b to the dependencies', ['packages/nn/src/init.ts', "import type { C } from '@a/b/c';"]);
});

test('check refuses cycles, of types and through aliases too, and names the shortest', () => {
  const nn = (file: string): string => `packages/nn/src/layers/${file}`;
  expectProblem(
    'layers/a.ts -> packages/nn/src/layers/b.ts -> packages/nn/src/layers/a.ts: a cycle',
    [nn('a.ts'), "import type { B } from './b.ts';"],
    [nn('b.ts'), "import './a.ts';\nimport './c.ts';"],
    [nn('c.ts'), "export type { A } from './a.ts';"],
  );
  expectProblem(
    'a cycle',
    [tensor('device/open.ts'), "import { gpu } from '#gpu';"],
    [tensor('device/gpu.node.ts'), "import type { Options } from './open.ts';"],
  );
  expectProblem(
    'a cycle',
    ['scripts/a.mjs', "import { b } from './b.mjs';"],
    ['scripts/b.mjs', "await import('./a.mjs');"],
  );
});

test('check allows cycles through types of Tensor and of the runtime only', () => {
  const [a, b] = [tensor('runtime/a.ts'), tensor('runtime/b.ts')];
  ensure(problemsOf([a, "import type { B } from './b.ts';"], [b, "import './a.ts';"]).length === 0, 'types in runtime');
  expectProblem('a cycle', [a, "import { B } from './b.ts';"], [b, "import './a.ts';"]);
  const [all, shape] = [tensor('tensor.ts'), tensor('ops/shape.ts')];
  const methods = [all, "import { cat } from './ops/shape.ts';"] as const;
  ensure(problemsOf(methods, [shape, "import type { Tensor } from '../tensor.ts';"]).length === 0, 'types of Tensor');
  expectProblem('a cycle', methods, [shape, "import { empty } from '../tensor.ts';"]);
  expectProblem('a cycle', [shape, "import type { A } from './a.ts';"], [tensor('ops/a.ts'), "import './shape.ts';"]);
});

test('check accepts what the rules allow', () => {
  const problems = problemsOf(
    ['packages/nn/package.json', '{ "dependencies": { "fflate": "1" } }'],
    [
      'packages/nn/src/layers/a.ts',
      "import { Tensor } from '@mien/tensor';\nimport { zip } from 'fflate';\nimport 'node:fs';",
    ],
    [tensor('tensor.ts'), "import { add } from './ops/a.ts';\nimport type { Node } from './autograd.ts';"],
    [tensor('ops/a.ts'), "import type { Tensor } from '../tensor.ts';\nimport '@mien/shaders/unary/unary.wgsl';"],
    [tensor('ops/b.ts'), "import { empty } from '../tensor.ts';"],
    [tensor('autograd.ts'), "import type { Tensor } from './tensor.ts';"],
    [tensor('testing/a.ts'), "import { conv } from '../reference/conv.ts';"],
    [tensor('reference/conv.ts'), "import { values } from './values.ts';"],
    [
      'test/a.ts',
      "import '../bench/a.ts';\nimport '../scripts/a.mjs';\nimport { Tensor } from '@mien/tensor/testing';",
    ],
  );
  ensure(problems.length === 0, problems.join('\n'));
});
