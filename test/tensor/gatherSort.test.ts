// Sums by many indices, which are sorted.
import { embedding, type Tensor, tensor, zeros } from '@mien/tensor';
import { withDispatches } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { ensure, gradcheck, near, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';
import { indexAddIsRight, indicesOf, int32, scatterAddIsRight, scatterCase, scatterIsRight } from './scatterCases.ts';

type Values = reference.Values;

/** Columns that are sorted in one block, in several, and in runs of unequal lengths. */
const many = fc
  .tuple(
    fc.constantFrom([[5000], 0] as const, [[1500, 4], 0] as const, [[3, 2000], 1] as const),
    fc.constantFrom(250, 600, 1030),
  )
  .chain(([[shape, dim], count]) => scatterCase(shape, dim, count));

async function isSorted(fn: () => unknown): Promise<boolean> {
  const names = new Set<string>();
  await withDispatches(
    ({ kernel }) => void names.add(kernel.name),
    () => void fn(),
  );
  return names.has('sortBlocks');
}

for (const count of [250, 600, 1030]) {
  const cases = scatterCase([5000], 0, count);
  law(
    `scatter, scatterAdd, and indexAdd equal their references for ${count} indices of 5000`,
    cases,
    async ({ x, dim, src, index }) => {
      const [values, at, sources] = [toTensor(x), int32(index), toTensor(src)];
      ensure(await isSorted(() => values.scatter(dim, at, sources)), 'scatter does not sort');
      ensure(await isSorted(() => values.scatterAdd(dim, at, sources)), 'scatterAdd does not sort');
      await near(values.scatter(dim, at, sources), reference.scatter(x, dim, index, src));
      await near(values.scatterAdd(dim, at, sources), reference.scatterAdd(x, dim, index, src));
      await near(values.indexAdd(dim, at, sources), reference.indexAdd(x, dim, index, src));
    },
    { runs: 4 },
  );
}

law('scatter equals its reference for many indices, gradients included', many, scatterIsRight, { runs: 3 });
law('scatterAdd equals its reference for many indices, gradients included', many, scatterAddIsRight, { runs: 3 });
law('indexAdd equals its reference for many indices, gradients included', many, indexAddIsRight, { runs: 3 });
law(
  'the gradient of embedding is the derivative of its reference for many indices that repeat',
  fc.record({ weight: valuesOf([5000, 1]), index: indicesOf([600], 40) }),
  ({ weight, index }) =>
    gradcheck(
      (w) => embedding(int32(index), w),
      (w) => reference.embedding(index, w),
      [weight],
    ),
  { runs: 3 },
);

test('scatter, scatterAdd and embedding sort many indices and read few for each result', async () => {
  const [large, small] = [zeros([3000], { dtype: 'int32' }), zeros([4], { dtype: 'int32' })];
  const weight = zeros([2000, 16], { requiresGrad: true });
  const gradient = (index: Tensor): Promise<boolean> => isSorted(() => embedding(index, weight).sum().backward());
  ensure(await gradient(large), 'the gradient of embedding reads all indices');
  ensure(!(await gradient(small)), 'the gradient of embedding sorts four indices');
  const [x, columns] = [zeros([3000, 16]), large.unsqueeze(1).repeat([1, 16])];
  ensure(await isSorted(() => x.scatterAdd(0, columns, x)), 'scatterAdd reads all indices');
  ensure(await isSorted(() => x.scatter(0, columns, x)), 'scatter reads all indices');
});

test('scatter, scatterAdd and indexAdd give NaN for an index out of range among many', async () => {
  const wrong = Int32Array.from({ length: 3000 }, (_, i) => (i === 1700 ? -1 : 3));
  const index = tensor(wrong).unsqueeze(1).repeat([1, 16]);
  const x = zeros([3000, 16]);
  for (const y of [x.scatter(0, index, x), x.scatterAdd(0, index, x), x.indexAdd(0, tensor(wrong), x)]) {
    ensure((await y.data()).every(Number.isNaN), 'an index out of range is not reported');
  }
});

/** More indices than one level of blocks adds up: read by each result, or sorted. */
for (const length of [2, 1500]) {
  law(
    `indexAdd equals its reference for 300,000 indices of ${length}`,
    fc.record({ x: valuesOf([length]), source: valuesOf([300_000]), place: fc.nat(length - 1) }),
    async ({ x, source, place }) => {
      const data = Float64Array.from({ length: 300_000 }, (_, i) => (i % 100 === 0 ? 0 : place));
      const list: Values = { shape: [300_000], data };
      const add = (): Tensor => toTensor(x).indexAdd(0, int32(list), toTensor(source));
      ensure((await isSorted(add)) === length > 2, 'the other kernel runs');
      await near(add(), reference.indexAdd(x, 0, list, source));
    },
    { runs: 1 },
  );
}
