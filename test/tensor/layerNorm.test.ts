import { DtypeError, grad, layerNorm, memory, rmsNorm, ShapeError, scope, type Tensor, ValueError } from '@mien/tensor';
import { withLimits } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { ensure, gradcheck, gradgradcheck, near, refuses, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

type Values = reference.Values;

/** Shapes of x with the number of dimensions that are normalized. */
type Shaped = readonly [shape: readonly number[], dims: number];
const small: readonly Shaped[] = [
  [[3], 1],
  [[2, 5], 1],
  [[3, 2, 4], 1],
  [[3, 2, 4], 2],
  [[2, 3, 2, 2], 3],
  [[1, 13], 1],
];
const large: readonly Shaped[] = [
  [[7, 64], 1],
  [[1200, 3], 1],
  [[65, 131], 1],
  [[4, 3, 257], 1],
  [[2, 3, 16, 33], 2],
  [[3, 4099], 1],
  [[33, 1], 1],
];

/** x with every row's variance over 0.1: a rounding error of the mean divided by a small deviation is large. */
function spread({ shape, data }: Values, columns: number): Values {
  const varianceOf = (row: Float64Array): number => {
    const mean = row.reduce((sum, v) => sum + v, 0) / columns;
    return row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / columns;
  };
  const narrow = Array.from({ length: data.length / columns }, (_, r) => {
    return varianceOf(data.slice(r * columns, (r + 1) * columns)) < 0.1;
  });
  return { shape, data: data.map((v, i) => (narrow[Math.floor(i / columns)] ? v + 2 * ((i % columns) % 2) : v)) };
}

const cases = (shapes: readonly Shaped[]) =>
  fc.constantFrom(...shapes).chain(([shape, dims]) => {
    const normalized = shape.slice(-dims);
    const columns = normalized.reduce((product, size) => product * size);
    return fc.record({
      x: valuesOf(shape, { min: -1, max: 3 }).map((x) => spread(x, columns)),
      weight: valuesOf(normalized),
      bias: valuesOf(normalized),
      normalized: fc.constant(normalized),
      columns: fc.constant(columns),
      eps: fc.constantFrom(1e-5, 0.1),
    });
  });

type Case = ReturnType<typeof cases> extends fc.Arbitrary<infer C> ? C : never;

law('layerNorm equals its reference, with and without weight and bias', cases([...small, ...large]), async (c) => {
  const { x, weight, bias, normalized, columns, eps } = c;
  const both = { weight: toTensor(weight), bias: toTensor(bias), eps };
  await near(layerNorm(toTensor(x), normalized, both), reference.layerNorm(x, columns, { weight, bias, eps }));
  await near(layerNorm(toTensor(x), normalized, { bias: both.bias }), reference.layerNorm(x, columns, { bias }));
  const alone = normalized.length === 1 ? columns : normalized;
  await near(layerNorm(toTensor(x), alone), reference.layerNorm(x, columns));
});

law('rmsNorm equals its reference, with and without weight', cases([...small, ...large]), async (c) => {
  const { x, weight, normalized, columns, eps } = c;
  const scaled = { weight: toTensor(weight), eps };
  await near(rmsNorm(toTensor(x), normalized, scaled), reference.rmsNorm(x, columns, { weight, eps }));
  await near(rmsNorm(toTensor(x), normalized), reference.rmsNorm(x, columns));
});

/** `layerNorm` and its reference as functions of x, weight and bias. */
const ofLayer = ({ normalized, columns, eps }: Case) =>
  [
    (x: Tensor, weight: Tensor, bias: Tensor) => layerNorm(x, normalized, { weight, bias, eps }),
    (x: Values, weight: Values, bias: Values) => reference.layerNorm(x, columns, { weight, bias, eps }),
  ] as const;

/** `rmsNorm` and its reference as functions of x and weight. */
const ofSquares = ({ normalized, columns, eps }: Case) =>
  [
    (x: Tensor, weight: Tensor) => rmsNorm(x, normalized, { weight, eps }),
    (x: Values, weight: Values) => reference.rmsNorm(x, columns, { weight, eps }),
  ] as const;

type Op = (...inputs: Tensor[]) => Tensor;
type Definition = (...inputs: Values[]) => Values;

const ofBoth = (c: Case): readonly (readonly [Op, Definition, Values[]])[] => [
  [...(ofLayer(c) as unknown as readonly [Op, Definition]), [c.x, c.weight, c.bias]],
  [...(ofSquares(c) as unknown as readonly [Op, Definition]), [c.x, c.weight]],
];

law('the gradient of layerNorm is the derivative of its reference', cases(small.concat(large.slice(0, 4))), (c) => {
  const [[op, definition, inputs]] = ofBoth(c) as [[Op, Definition, Values[]]];
  return gradcheck(op, definition, inputs);
});

law('the gradient of rmsNorm is the derivative of its reference', cases(small.concat(large.slice(0, 4))), (c) => {
  const [, [op, definition, inputs]] = ofBoth(c) as [unknown, [Op, Definition, Values[]]];
  return gradcheck(op, definition, inputs);
});

law(
  'the second derivative of layerNorm is that of its reference',
  cases(small.slice(0, 4)),
  (c) => {
    const [[op, definition, inputs]] = ofBoth(c) as [[Op, Definition, Values[]]];
    return gradgradcheck(op, definition, inputs);
  },
  { runs: 8 },
);

law(
  'the second derivative of rmsNorm is that of its reference',
  cases(small.slice(0, 4)),
  (c) => {
    const [, [op, definition, inputs]] = ofBoth(c) as [unknown, [Op, Definition, Values[]]];
    return gradgradcheck(op, definition, inputs);
  },
  { runs: 8 },
);

law(
  'layerNorm and rmsNorm equal their references in parts that fit a binding and in grids with idle workgroups, gradients included',
  cases([
    [[300, 3], 1],
    [[70, 12], 1],
    [[130, 16], 1],
  ]),
  (c) =>
    withLimits({ maxStorageBufferBindingSize: 2048, maxComputeWorkgroupsPerDimension: 7 }, async () => {
      for (const [op, definition, inputs] of ofBoth(c)) {
        await near(op(...inputs.map((v) => toTensor(v))), definition(...inputs));
        await gradcheck(op, definition, inputs);
      }
    }),
  { runs: 6 },
);

law(
  'layerNorm keeps its precision for any values: far from zero, with an outlier first, or constant',
  fc.record({
    x: valuesOf([5, 130], { min: -1, max: 1 }),
    center: fc.constantFrom(0, 100, -1000, 1e6),
    first: fc.constantFrom(0, 30, -300),
  }),
  async ({ x, center, first }) => {
    const data = Float64Array.from(x.data, (v, i) => Math.fround(v + center + (i % 130 === 0 ? first : 0)));
    await near(layerNorm(toTensor({ ...x, data }), 130), reference.layerNorm({ ...x, data }, 130));
    const flat = reference.full([3, 70], center);
    await near(layerNorm(toTensor(flat), 70), reference.full([3, 70], 0));
  },
);

test('layerNorm and rmsNorm of long rows keep their precision, gradient included', async () => {
  const columns = 600_000;
  // Of a thousand and a few others: the sum of squares would stop growing in one chain.
  const x = reference.build([1, columns], ([, c]) => 1000 + ((c as number) % 7));
  const deviation = reference.layerNorm(x, columns);
  await near(layerNorm(toTensor(x), columns), deviation);
  await near(rmsNorm(toTensor(x), columns), reference.rmsNorm(x, columns));
  // By a gradient of ones nothing changes: the normalized values add up to 0.
  const leaf = toTensor(x, { requiresGrad: true });
  layerNorm(leaf, columns).sum().backward();
  const slopes = await (leaf.grad as Tensor).data();
  ensure(
    slopes.every((v) => Math.abs(v) < 1e-5),
    `the gradient is ${slopes.slice(0, 5)}`,
  );
});

test('layerNorm and rmsNorm make a row with NaN NaN, and no other', async () => {
  const x = reference.build([3, 9], ([r, c]) => (r === 1 && c === 4 ? Number.NaN : Math.sin(4 * (c as number))));
  for (const y of [layerNorm(toTensor(x), 9), rmsNorm(toTensor(x), 9)]) {
    const data = await y.data();
    ensure(
      data.every((v, i) => Number.isNaN(v) === (i >= 9 && i < 18)),
      `${data}`,
    );
  }
});

test('layerNorm saves x, its weight and two numbers per row', () => {
  const x = toTensor(reference.full([64, 128], 1), { requiresGrad: true });
  const before = memory().liveBytes;
  const y = scope(() => layerNorm(x, 128).sum());
  const saved = memory().liveBytes - before;
  ensure(saved <= 64 * 2 * 4 + 1024, `${saved} bytes are saved beside x`);
  y.dispose();
  x.dispose();
});

test('a gradient penalty through layerNorm trains its weight', async () => {
  const x = toTensor(reference.build([4, 6], ([n, c]) => Math.sin(5 * (n as number) + (c as number))));
  const weight = toTensor(
    reference.build([6], ([c]) => 1 + (c as number) / 8),
    { requiresGrad: true },
  );
  const slope = grad((v) => layerNorm(v, 6, { weight }).square().mul(v).sum())(x);
  slope.square().sum().backward();
  const actual = await (weight.grad as Tensor).data();
  ensure(
    actual.every((v) => Number.isFinite(v) && v !== 0),
    `${actual}`,
  );
});

test('layerNorm and rmsNorm refuse shapes that do not match', () => {
  const x = toTensor(reference.full([2, 3], 1));
  refuses(
    () => layerNorm(x, 4),
    ShapeError,
    'layerNorm: expected x whose last sizes are normalizedShape [4], got x [2, 3]; pass the sizes of the dimensions to normalize',
  );
  refuses(
    () => rmsNorm(x, [1, 2, 3]),
    ShapeError,
    'rmsNorm: expected x whose last sizes are normalizedShape [1, 2, 3]',
  );
  refuses(() => layerNorm(x, []), ShapeError, 'normalizedShape []');
  refuses(
    () => layerNorm(x, 3, { weight: x }),
    ShapeError,
    'layerNorm: expected weight of normalizedShape [3], got [2, 3]',
  );
  refuses(() => layerNorm(x, 3, { bias: x }), ShapeError, 'expected bias of normalizedShape [3], got [2, 3]');
  refuses(() => layerNorm(x, 3, { eps: -1 }), ValueError, 'layerNorm: eps must be a number from 0 to Infinity, got -1');
  refuses(() => rmsNorm(x.to('int32'), 3), DtypeError, 'rmsNorm: expected x to be float32, got int32');
});
