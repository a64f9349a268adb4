import { type Tensor, ValueError } from '@mien/tensor';
import { withLimits } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { distinctValuesOf, ensure, gradcheck, near, refuses, shapes, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

const dimsOf = (rank: number) =>
  fc.option(
    fc.subarray(
      Array.from({ length: rank }, (_, dim) => dim),
      { minLength: 1 },
    ),
    { nil: undefined },
  );

const cases = (maxSize: number, distinct = false) =>
  shapes({ minRank: 1, maxSize }).chain((shape) =>
    fc.record({
      x: distinct ? distinctValuesOf(shape) : valuesOf(shape),
      dims: dimsOf(shape.length),
      keepDim: fc.boolean(),
    }),
  );

for (const name of ['sum', 'mean', 'max', 'min'] as const) {
  law(`${name} equals its reference over any dims`, cases(20_000), async ({ x, dims, keepDim }) => {
    await near(toTensor(x)[name](dims, { keepDim }), reference[name](x, dims, { keepDim }));
  });
  law(`the gradient of ${name} is the derivative of its reference`, cases(200, true), ({ x, dims, keepDim }) =>
    gradcheck(
      (v) => v[name](dims, { keepDim }),
      (v) => reference[name](v, dims, { keepDim }),
      [x],
    ),
  );
}

law('sum, max and min of integers are exact', cases(5000), async ({ x, dims }) => {
  const integers = reference.to({ ...x, data: x.data.map((v) => v * 1000) }, 'int32');
  for (const name of ['sum', 'max', 'min'] as const) {
    await near(toTensor(integers, { dtype: 'int32' })[name](dims), reference[name](integers, dims));
  }
});

law(
  'variance equals its reference, gradient included, for any correction',
  shapes({ minRank: 1, maxSize: 500 }).chain((shape) =>
    fc.record({ x: valuesOf([2, ...shape]), correction: fc.constantFrom(0, 1) }),
  ),
  async ({ x, correction }) => {
    await near(toTensor(x).variance(0, { correction }), reference.variance(x, 0, { correction }));
    await near(toTensor(x).variance(undefined, { correction }), reference.variance(x, undefined, { correction }));
    await gradcheck(
      (v) => v.variance([0, 1], { correction }),
      (v) => reference.variance(v, [0, 1], { correction }),
      [x],
    );
  },
);

/** x with 8 added in the second half: no group over the first dimension has a deviation near 0. */
function spread(x: reference.Values): reference.Values {
  return { ...x, data: x.data.map((v, i) => (2 * i < x.data.length ? v : v + 8)) };
}

law(
  'std equals its reference, gradient included, for any correction',
  shapes({ minRank: 1, maxSize: 500 }).chain((shape) =>
    fc.record({
      x: valuesOf([2, ...shape], { min: -2, max: 2 }),
      correction: fc.constantFrom(0, 1),
      keepDim: fc.boolean(),
    }),
  ),
  async ({ x, correction, keepDim }) => {
    await near(toTensor(x).std(0, { correction, keepDim }), reference.std(x, 0, { correction, keepDim }));
    await near(toTensor(x).std(undefined, { correction }), reference.std(x, undefined, { correction }));
    await gradcheck(
      (v) => v.std([0, 1], { correction }),
      (v) => reference.std(v, [0, 1], { correction }),
      [spread(x)],
    );
  },
);

test('std of equal values is 0 with a gradient of 0, as in PyTorch, and never NaN', async () => {
  const x = toTensor(reference.values([2, 3], [3, 3, 3, 1, 2, 3]), { requiresGrad: true });
  const y = x.std(1);
  ensure((await y.data()).join() === '0,1', `the deviations are ${await y.data()}`);
  y.sum().backward();
  const gradient = await (x.grad as Tensor).data();
  ensure(gradient.subarray(0, 3).every((v) => v === 0) && gradient[5] === 0.5, `the gradient is ${gradient}`);
  for (const count of [3, 7, 100, 1023]) {
    const deviation = await toTensor(reference.full([count], 0.1))
      .std()
      .item();
    ensure(deviation >= 0 && deviation < 1e-6, `of ${count} values it is ${deviation}`);
  }
});

law('variance of small deviations keeps its precision', valuesOf([200]), async (x) => {
  for (const size of [2 ** -10, 2 ** -30, 2 ** -50]) {
    const small = { ...x, data: x.data.map((v) => v * size) };
    await near(toTensor(small).variance(), reference.variance(small));
    await gradcheck(
      (v) => v.variance(),
      (v) => reference.variance(v),
      [small],
    );
  }
});

law('variance keeps its precision far from zero', valuesOf([1000], { min: 4000, max: 4001 }), async (x) => {
  await near(toTensor(x).variance(), reference.variance(x));
});

for (const name of ['argmax', 'argmin'] as const) {
  law(
    `${name} equals its reference, the first of equal values included`,
    shapes({ minRank: 1 }).chain((shape) =>
      fc.record({
        x: valuesOf(shape, { min: -4, max: 4, integer: true }),
        dim: fc.option(fc.nat(shape.length - 1), { nil: undefined }),
        keepDim: fc.boolean(),
      }),
    ),
    async ({ x, dim, keepDim }) => {
      await near(toTensor(x)[name](dim, { keepDim }), reference[name](x, dim, { keepDim }));
    },
  );
}

law(
  'sum of a large tensor keeps its precision',
  valuesOf([300_000], { min: 0, max: 1 }),
  async (x) => {
    await near(toTensor(x).sum(), reference.sum(x));
    const columns = { shape: [100_000, 3], data: x.data };
    await near(toTensor(columns).sum(0), reference.sum(columns, 0));
  },
  { runs: 3 },
);

law('reductions are split where a tensor is larger than a binding', valuesOf([130, 5, 64]), (x) =>
  withLimits({ maxStorageBufferBindingSize: 1 << 17, minStorageBufferOffsetAlignment: 256 }, async () => {
    for (const dims of [undefined, 0, 1, 2, [1, 2]]) {
      await near(toTensor(x).sum(dims), reference.sum(x, dims));
    }
  }),
);

test('max divides the gradient among equal values, and propagates NaN', async () => {
  const x = toTensor(reference.values([4], [3, 1, 3, 2]), { requiresGrad: true });
  x.max().backward();
  await near(x.grad as Tensor, reference.values([4], [0.5, 0, 0.5, 0]));
  await near(toTensor(reference.values([3], [1, NaN, 2])).max(), reference.values([], [NaN]));
  ensure(
    (await toTensor(reference.values([3], [1, NaN, 2]))
      .argmax()
      .item()) === 1,
    'argmax finds the NaN',
  );
});

test('sum of booleans counts them', async () => {
  const truth = toTensor(reference.values([5], [1, 0, 1, 1, 0]), { dtype: 'bool' });
  ensure(truth.sum().dtype === 'int32' && (await truth.sum().item()) === 3, 'expected three true values');
});

test('reductions refuse dims out of range or repeated', () => {
  const x = toTensor(reference.values([2, 2], [1, 2, 3, 4]));
  refuses(() => x.sum(2), ValueError, 'sum: dim must be an integer from -2 to 1, got 2');
  refuses(() => x.sum([0, -2]), ValueError, 'sum: dims must be distinct, got [0, 0]');
  refuses(
    () => x.slice(0, 0, 1).variance(0),
    ValueError,
    'variance: expected more values than the correction 1, got 1',
  );
});
