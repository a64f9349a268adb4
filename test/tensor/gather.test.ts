import { DtypeError, embedding, gather, oneHot, ShapeError, type Tensor, ValueError } from '@mien/tensor';
import { withLimits } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { gradcheck, near, refuses, shapes, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

const cases = shapes({ minRank: 1, maxSize: 300 }).chain((shape) =>
  fc.record({ dim: fc.nat(shape.length - 1), count: fc.integer({ min: 1, max: 9 }) }).chain(({ dim, count }) =>
    fc.record({
      x: valuesOf(shape),
      dim: fc.constant(dim),
      index: valuesOf(
        shape.map((size, d) => (d === dim ? count : size)),
        { min: 0, max: (shape[dim] as number) - 1, integer: true },
      ),
    }),
  ),
);

law('gather equals its reference along any dim, gradient included', cases, async ({ x, dim, index }) => {
  const indices = toTensor(index, { dtype: 'int32' });
  await near(gather(toTensor(x), dim, indices), reference.gather(x, dim, index));
  await gradcheck(
    (v) => gather(v, dim, indices),
    (v) => reference.gather(v, dim, index),
    [x],
  );
});

const tables = fc.record({
  rows: fc.integer({ min: 1, max: 40 }),
  width: fc.integer({ min: 1, max: 17 }),
  shape: shapes({ maxRank: 2, maxSize: 50 }),
});

law(
  'embedding equals its reference, gradient included',
  tables.chain(({ rows, width, shape }) =>
    fc.record({ weight: valuesOf([rows, width]), index: valuesOf(shape, { min: 0, max: rows - 1, integer: true }) }),
  ),
  async ({ weight, index }) => {
    const indices = toTensor(index, { dtype: 'int32' });
    await near(embedding(indices, toTensor(weight)), reference.embedding(index, weight));
    await gradcheck(
      (w) => embedding(indices, w),
      (w) => reference.embedding(index, w),
      [weight],
    );
  },
);

/** The embedding of a weight whose row `padding` is always that of `start`. */
const withConstantRow =
  (index: reference.Values, start: reference.Values, padding: number) => (w: reference.Values) => {
    const width = w.shape[1] as number;
    const data = w.data.map((v, i) => (Math.floor(i / width) === padding ? (start.data[i] as number) : v));
    return reference.embedding(index, { ...w, data });
  };

const padded = tables.chain(({ rows, width, shape }) =>
  fc.record({
    weight: valuesOf([rows, width]),
    index: valuesOf(shape, { min: 0, max: rows - 1, integer: true }),
    paddingIdx: fc.integer({ min: -rows, max: rows - 1 }),
  }),
);

law('embedding gives the row of paddingIdx no gradient', padded, async ({ weight, index, paddingIdx }) => {
  const indices = toTensor(index, { dtype: 'int32' });
  const row = (paddingIdx + (weight.shape[0] as number)) % (weight.shape[0] as number);
  await near(embedding(indices, toTensor(weight), { paddingIdx }), reference.embedding(index, weight));
  await gradcheck((w) => embedding(indices, w, { paddingIdx }), withConstantRow(index, weight, row), [weight]);
});

test('embedding with paddingIdx is differentiated twice, with unsigned indices too', async () => {
  const index = toTensor(reference.values([2, 2], [0, 2, 1, 1]), { dtype: 'uint32' });
  const weight = toTensor(reference.values([3, 1], [2, 3, 5]), { requiresGrad: true });
  embedding(index, weight, { paddingIdx: 1 }).pow(3).sum().backward(null, { createGraph: true });
  const slope = weight.grad as Tensor;
  await near(slope.detach(), reference.values([3, 1], [12, 0, 75]));
  weight.grad = null;
  slope.sum().backward();
  await near(weight.grad as unknown as Tensor, reference.values([3, 1], [12, 0, 30]));
});

test('embedding refuses a paddingIdx outside the rows', () => {
  const [index, weight] = [
    toTensor(reference.values([1], [0]), { dtype: 'int32' }),
    toTensor(reference.full([3, 2], 1)),
  ];
  for (const paddingIdx of [3, -4, 0.5]) {
    refuses(
      () => embedding(index, weight, { paddingIdx }),
      ValueError,
      `embedding: paddingIdx must be an integer from -3 to 2, a row of the weight, got ${paddingIdx}`,
    );
  }
});

/** Up to 16 KiB each of values and indices, for bindings of 1 KiB. */
const splitCases = shapes({ minRank: 3, maxRank: 3 }).chain((shape) =>
  fc.record({ dim: fc.nat(2), count: fc.integer({ min: 1, max: 40 }) }).chain(({ dim, count }) => {
    const integers = { min: 0, max: (shape[dim] as number) - 1, integer: true };
    return fc.record({
      x: valuesOf(shape),
      dim: fc.constant(dim),
      index: valuesOf(
        shape.map((size, d) => (d === dim ? count : size)),
        integers,
      ),
    });
  }),
);

law('gather is split where a tensor is larger than a binding, gradient included', splitCases, ({ x, dim, index }) =>
  withLimits({ maxStorageBufferBindingSize: 1024, minStorageBufferOffsetAlignment: 256 }, async () => {
    const indices = toTensor(index, { dtype: 'int32' });
    await near(gather(toTensor(x), dim, indices), reference.gather(x, dim, index));
    await gradcheck(
      (v) => gather(v, dim, indices),
      (v) => reference.gather(v, dim, index),
      [x],
    );
  }),
);

law(
  'embedding is split where a tensor is larger than a binding, gradient included',
  fc
    .record({ rows: fc.integer({ min: 1, max: 600 }), width: fc.constantFrom(1, 2, 5, 64, 300) })
    .chain(({ rows, width }) =>
      fc.record({
        weight: valuesOf([rows, width]),
        index: valuesOf([300], { min: 0, max: rows - 1, integer: true }),
      }),
    ),
  ({ weight, index }) =>
    withLimits({ maxStorageBufferBindingSize: 1 << 14, minStorageBufferOffsetAlignment: 256 }, async () => {
      const indices = toTensor(index, { dtype: 'int32' });
      await near(embedding(indices, toTensor(weight)), reference.embedding(index, weight));
      await gradcheck(
        (w) => embedding(indices, w),
        (w) => reference.embedding(index, w),
        [weight],
      );
    }),
  { runs: 10 },
);

law(
  'oneHot equals its reference',
  shapes({ maxRank: 3, maxSize: 200 }).chain((shape) => valuesOf(shape, { min: 0, max: 6, integer: true })),
  async (index) => {
    await near(oneHot(toTensor(index, { dtype: 'int32' }), 7), reference.oneHot(index, 7));
  },
);

test('gather gives NaN for an index out of range, and never a neighbor', async () => {
  const x = toTensor(reference.values([2, 2], [1, 2, 3, 4]));
  const index = toTensor(reference.values([2, 1], [2, -1]), { dtype: 'int32' });
  await near(gather(x, 1, index), reference.values([2, 1], [NaN, NaN]));
  await near(gather(x.to('int32'), 1, index), reference.values([2, 1], [0, 0]));
});

test('gather refuses an index of the wrong dtype or shape', () => {
  const x = toTensor(reference.values([2, 2], [1, 2, 3, 4]));
  refuses(() => gather(x, 0, x), DtypeError, 'gather: expected index to be int32 or uint32, got float32');
  const index = toTensor(reference.values([1, 3], [0, 0, 0]), { dtype: 'int32' });
  refuses(
    () => gather(x, 0, index),
    ShapeError,
    'gather: expected index with the sizes of x [2, 2] except along dim 0, got [1, 3]',
  );
});
