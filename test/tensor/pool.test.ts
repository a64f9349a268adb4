import { adaptiveAvgPool2d, avgPool2d, maxPool2d, ShapeError, type Tensor, ValueError } from '@mien/tensor';
import { withLimits } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { distinctValuesOf, ensure, gradcheck, near, refuses, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';
import { lawByAlgorithm } from './algorithms/laws.ts';
import { poolLaw } from './algorithms/pool.ts';

const sizes = fc.tuple(
  fc.integer({ min: 1, max: 3 }),
  fc.integer({ min: 1, max: 3 }),
  fc.integer({ min: 4, max: 13 }),
  fc.integer({ min: 4, max: 13 }),
);

const windows = fc.integer({ min: 1, max: 3 }).chain((k) =>
  fc.record({
    kernelSize: fc.constantFrom<number | readonly [number, number]>(k, [k, 2]),
    stride: fc.constantFrom<number | readonly [number, number]>(1, 2, 3, [2, 1]),
    padding: fc.constantFrom(0, k > 1 ? 1 : 0),
    ceilMode: fc.boolean(),
  }),
);

const maxCases = fc
  .tuple(sizes, windows, fc.constantFrom(1, 1, 2))
  .chain(([shape, options, dilation]) =>
    fc.record({
      x: distinctValuesOf(shape),
      options: fc.constant({ ...options, dilation: options.ceilMode ? 1 : dilation }),
    }),
  )
  .filter(({ x, options }) => options.dilation === 1 || Math.min(...x.shape.slice(-2)) >= 7);

law(
  'maxPool2d equals its reference for any window, stride, padding and dilation, gradient included',
  maxCases,
  async ({ x, options }) => {
    await near(maxPool2d(toTensor(x), options), reference.maxPool2d(x, options));
    await gradcheck(
      (v) => maxPool2d(v, options),
      (v) => reference.maxPool2d(v, options),
      [x],
    );
  },
);

lawByAlgorithm(poolLaw);

const averageCases = fc
  .tuple(sizes, windows, fc.boolean())
  .chain(([shape, options, countIncludePad]) =>
    fc.record({ x: valuesOf(shape), options: fc.constant({ ...options, countIncludePad }) }),
  );

law(
  'avgPool2d equals its reference for any window, stride and padding, gradient included',
  averageCases,
  async ({ x, options }) => {
    await near(avgPool2d(toTensor(x), options), reference.avgPool2d(x, options));
    await gradcheck(
      (v) => avgPool2d(v, options),
      (v) => reference.avgPool2d(v, options),
      [x],
    );
  },
);

const adaptiveCases = sizes.chain((shape) =>
  fc.record({
    x: valuesOf(shape),
    size: fc.constantFrom<number | readonly [number, number]>(1, 2, 3, 5, [3, 7], [13, 1]),
  }),
);

law('adaptiveAvgPool2d equals its reference for any size, gradient included', adaptiveCases, async ({ x, size }) => {
  await near(adaptiveAvgPool2d(toTensor(x), size), reference.adaptiveAvgPool2d(x, size));
  await gradcheck(
    (v) => adaptiveAvgPool2d(v, size),
    (v) => reference.adaptiveAvgPool2d(v, size),
    [x],
  );
});

law(
  'pooling is split where a tensor is larger than a binding',
  distinctValuesOf([64, 3, 8, 8]),
  (x) =>
    withLimits({ maxStorageBufferBindingSize: 1 << 14 }, async () => {
      await near(maxPool2d(toTensor(x), { kernelSize: 2 }), reference.maxPool2d(x, { kernelSize: 2 }));
      await near(avgPool2d(toTensor(x), { kernelSize: 2 }), reference.avgPool2d(x, { kernelSize: 2 }));
    }),
  { runs: 3 },
);

test('maxPool2d gives the gradient to the first of equal values, and propagates NaN', async () => {
  const x = toTensor(reference.full([1, 1, 2, 2], 1), { requiresGrad: true });
  maxPool2d(x, { kernelSize: 2 }).sum().backward();
  await near(x.grad as Tensor, reference.values([1, 1, 2, 2], [1, 0, 0, 0]));
  const y = toTensor(reference.values([1, 2, 2], [1, NaN, 5, 2]));
  await near(maxPool2d(y, { kernelSize: 2 }), reference.values([1, 1, 1], [NaN]));
});

/** Values above 1, so that their squares differ as much as the values. */
const positiveValues = distinctValuesOf([1, 1, 4, 4]).map(({ shape, data }) => ({
  shape,
  data: data.map((v) => v + 3),
}));

law('the second derivative of maxPool2d of squares is 2 at the maxima', positiveValues, async (x) => {
  const leaf = toTensor(x, { requiresGrad: true });
  maxPool2d(leaf.square(), { kernelSize: 2 }).sum().backward(null, { createGraph: true });
  const slope = (leaf.grad as Tensor).sum();
  leaf.grad = null;
  slope.backward();
  const squares = reference.square(x);
  const chosen = reference.maxPool2d(squares, { kernelSize: 2 });
  const expected = reference.build(x.shape, (i) => {
    const window = reference.at(chosen, [0, 0, Math.floor((i[2] as number) / 2), Math.floor((i[3] as number) / 2)]);
    return reference.at(squares, i) === window ? 2 : 0;
  });
  await near(leaf.grad as unknown as Tensor, expected);
});

test('maxPool2d gives -Infinity and no gradients of any order for windows entirely in padding', async () => {
  const x = toTensor(
    reference.build([1, 2, 1, 8], ([, c, , w]) => -1 - (w as number) - 10 * (c as number)),
    { requiresGrad: true },
  );
  // Window starts: rows -1, 1 and 3; columns -2, 0 and 2, then 4, 6 and 8.
  const empty = { kernelSize: 3, stride: 6, padding: 1, dilation: 2, ceilMode: true };
  const y = maxPool2d(x, empty);
  await near(y, reference.maxPool2d(toValues(x, await x.data()), empty));
  await near(y, reference.full([1, 2, 1, 2], Number.NEGATIVE_INFINITY));
  const dy = toTensor(reference.full([1, 2, 1, 2], 3), { requiresGrad: true });
  y.backward(dy, { createGraph: true });
  await near(x.grad as Tensor, reference.full([1, 2, 1, 8], 0));
  (x.grad as Tensor).sum().backward();
  await near(dy.grad as Tensor, reference.full([1, 2, 1, 2], 0));
  const wide = { kernelSize: [1, 2], stride: 1, padding: [0, 1], dilation: [1, 8] } as const;
  const z = toTensor(reference.full([1, 1, 2, 7], -3));
  await near(maxPool2d(z, wide), reference.full([1, 1, 2, 1], Number.NEGATIVE_INFINITY));
});

const toValues = ({ shape }: Tensor, data: ArrayLike<number>) => reference.values(shape, data);

law(
  'every window of an average covers an element, whatever size, stride, padding and ceilMode',
  fc.record({
    size: fc.integer({ min: 1, max: 9 }),
    kernelSize: fc.integer({ min: 1, max: 7 }),
    stride: fc.integer({ min: 1, max: 9 }),
    padding: fc.nat(3),
    ceilMode: fc.boolean(),
    countIncludePad: fc.boolean(),
  }),
  async ({ size, ...options }) => {
    fc.pre(2 * options.padding <= options.kernelSize && size + 2 * options.padding >= options.kernelSize);
    const x = reference.full([1, size, size], 1);
    const expected = reference.avgPool2d(x, options);
    await near(avgPool2d(toTensor(x), options), expected);
    ensure(
      expected.data.every((v) => v > 0 && v <= 1),
      `${expected.data}`,
    );
  },
  { runs: 100 },
);

test('pooling refuses windows that do not fit, and padding over half of a window', () => {
  const x = toTensor(reference.full([1, 1, 2, 2], 1));
  refuses(() => maxPool2d(x, { kernelSize: 3 }), ShapeError, 'maxPool2d: windows of [3, 3] do not fit into [2, 2]');
  refuses(
    () => maxPool2d(x, { kernelSize: 2, padding: 2 }),
    ValueError,
    'maxPool2d: padding must be at most half the window of 2, got 2',
  );
  refuses(
    () => avgPool2d(x, { kernelSize: 0 }),
    ValueError,
    'avgPool2d: kernelSize must be one or two integers of at least 1, got 0',
  );
  refuses(
    () => adaptiveAvgPool2d(x, 0),
    ValueError,
    'adaptiveAvgPool2d: size must be one or two integers of at least 1, got 0',
  );
});
