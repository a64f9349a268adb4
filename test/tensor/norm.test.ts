import {
  type BatchNormParameters,
  batchNorm,
  grad,
  memory,
  ShapeError,
  scope,
  type Tensor,
  ValueError,
} from '@mien/tensor';
import { randomSigns, withLimits } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { ensure, gradcheck, gradgradcheck, near, refuses, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

const positive = { min: 0.5, max: 2 };

/** Whether every channel's variance is over 0.1: a rounding error of the mean divided by a small deviation is large. */
function isSpread(x: reference.Values): boolean {
  const channels = [x.shape[1] as number];
  const [zeros, ones] = [reference.full(channels, 0), reference.full(channels, 1)];
  const before = { weight: null, bias: null, runningMean: zeros, runningVar: ones, training: true, momentum: 1 };
  return reference.runningStatistics(x, before).variance.data.every((variance) => variance > 0.1);
}

const cases = (shapes: readonly (readonly number[])[]) =>
  fc.constantFrom(...shapes).chain((shape) => {
    const channels = [shape[1] as number];
    return fc.record({
      x: valuesOf(shape, { min: -1, max: 3 }).filter(isSpread),
      weight: valuesOf(channels, positive),
      bias: valuesOf(channels),
      runningMean: valuesOf(channels),
      runningVar: valuesOf(channels, positive),
      momentum: fc.constantFrom(0.1, 0.5),
      residual: fc.option(valuesOf(shape), { nil: null }),
      relu: fc.boolean(),
    });
  });

type Case = ReturnType<typeof cases> extends fc.Arbitrary<infer C> ? C : never;

/** Arguments of batchNorm that are the same in training and evaluation. */
const tensorsOf = (c: Case) => ({
  weight: toTensor(c.weight),
  bias: toTensor(c.bias),
  residual: c.residual && toTensor(c.residual),
  relu: c.relu,
});

const small = [
  [2, 1],
  [5, 3],
  [2, 3, 1],
  [3, 2, 5],
  [2, 3, 2, 2],
  [2, 2, 3, 5],
  [1, 2, 2, 4],
];
/** Two values per channel are both one deviation from the mean: their gradient is only rounding error. */
const several = small.filter((shape) => shape.reduce((product, size) => product * size) > 4 * (shape[1] as number));
const large = [
  [64, 7],
  [4, 3, 44, 44],
  [16, 5, 11, 11],
  [33, 8, 2, 2],
  [2, 2, 127, 65],
];

law(
  'batchNorm in training equals its reference and moves its running statistics',
  cases([...small, ...large]),
  async (c) => {
    const running = { runningMean: toTensor(c.runningMean), runningVar: toTensor(c.runningVar) };
    const options = { training: true, momentum: c.momentum };
    const y = batchNorm(toTensor(c.x), { ...tensorsOf(c), ...running, ...options });
    await near(y, reference.batchNorm(c.x, { ...c, ...options }));
    const after = reference.runningStatistics(c.x, { ...c, ...options });
    await near(running.runningMean, after.mean);
    await near(running.runningVar, after.variance);
  },
);

law('batchNorm in evaluation equals its reference', cases([...small, ...large]), async (c) => {
  const running = { runningMean: toTensor(c.runningMean), runningVar: toTensor(c.runningVar) };
  await near(
    batchNorm(toTensor(c.x), { ...tensorsOf(c), ...running, training: false }),
    reference.batchNorm(c.x, { ...c, training: false }),
  );
});

/** Gradients of `batchNorm` without residual and relu, by weight and bias, and by x if `byInput`. */
function checkGradient(c: Case, training: boolean, byInput: boolean): Promise<void> {
  return gradcheck(
    (weight, bias, x = toTensor(c.x)) =>
      batchNorm(x, { ...untracked(c, training), weight: weight as Tensor, bias: bias as Tensor, training }),
    (weight, bias, x = c.x) =>
      reference.batchNorm(x, {
        ...c,
        weight: weight as reference.Values,
        bias: bias as reference.Values,
        residual: null,
        relu: false,
        training,
      }),
    byInput ? [c.weight, c.bias, c.x] : [c.weight, c.bias],
  );
}

law(
  'the gradient of batchNorm is the derivative of its reference',
  fc.record({ c: cases(small.slice(1)), training: fc.boolean() }),
  ({ c, training }) => checkGradient(c, training, true),
);

law(
  'the gradient of batchNorm is the derivative of its reference in grids with idle workgroups',
  fc.record({ c: cases([[2, 14, 3, 3]]), training: fc.boolean() }),
  // 14 channels in rows of five workgroups need three rows.
  ({ c, training }) => withLimits({ maxComputeWorkgroupsPerDimension: 5 }, () => checkGradient(c, training, false)),
  { runs: 4 },
);

law(
  'the gradient of batchNorm over channels with several partial sums is the derivative of its reference',
  fc.record({
    c: cases([
      [8, 3, 44, 44],
      [2, 2, 127, 65],
    ]),
    training: fc.boolean(),
  }),
  ({ c, training }) => checkGradient(c, training, false),
  { runs: 4 },
);

test('the gradient of batchNorm with relu is 0 where the normalized value is exactly 0', async () => {
  const x = toTensor({ shape: [4, 1], data: Float64Array.of(-1, 0, 0, 2) });
  const [weight, bias] = [1, 0].map((value) => toTensor(reference.full([1], value), { requiresGrad: true }));
  const [runningMean, runningVar] = [0, 1].map((value) => toTensor(reference.full([1], value)));
  const parameters = { weight, bias, runningMean, runningVar, training: false, relu: true } as BatchNormParameters;
  batchNorm(x, parameters).sum().backward();
  await near(bias?.grad as Tensor, reference.full([1], 1));
  // In training a constant channel is 0 everywhere.
  const flat = toTensor(reference.full([6, 1], 3), { requiresGrad: true });
  if (weight && bias) [weight.grad, bias.grad] = [null, null];
  batchNorm(flat, { ...parameters, training: true })
    .mul(toTensor({ shape: [6, 1], data: Float64Array.of(1, -2, 3, 4, 5, -6) }))
    .sum()
    .backward();
  for (const { grad } of [flat, weight, bias] as Tensor[])
    await near(grad as Tensor, reference.full((grad as Tensor).shape, 0));
});

law(
  'the gradient of batchNorm with a residual and relu is the derivative of its reference, for any weight',
  fc
    .record({ c: cases(several), training: fc.boolean(), scale: fc.constantFrom(1, -1, 0) })
    .map(({ c, training, scale }) => ({ ...c, training, weight: scaled(c.weight, scale) }))
    .filter(offTheKink),
  (c) => {
    const options = { ...untracked(c, c.training), training: c.training, relu: c.relu };
    const inputs = [c.x, c.weight, c.bias, ...(c.residual ? [c.residual] : [])];
    return gradcheck(
      (x, weight, bias, residual = null as never) =>
        batchNorm(x as Tensor, { ...options, weight: weight as Tensor, bias: bias as Tensor, residual }),
      (x, weight, bias, residual = null as never) =>
        reference.batchNorm(x as reference.Values, {
          ...c,
          weight: weight as reference.Values,
          bias: bias as reference.Values,
          residual,
        }),
      inputs,
    );
  },
);

function scaled({ shape, data }: reference.Values, by: number): reference.Values {
  return { shape, data: data.map((v) => v * by) };
}

/** Whether no result is so close to 0 that rounding or the step of a difference could change its sign. */
function offTheKink(c: Case & { readonly training: boolean }): boolean {
  return !c.relu || reference.batchNorm(c.x, { ...c, relu: false }).data.every((v) => Math.abs(v) > 1e-3);
}

law(
  'batchNorm equals its reference in parts that fit a binding, gradient included',
  cases([
    [21, 3, 4, 4],
    [130, 3],
    [16, 64],
    [12, 16, 5],
  ]).filter((c) => offTheKink({ ...c, training: true })),
  (c) =>
    withLimits({ maxStorageBufferBindingSize: 2048 }, async () => {
      const none = { runningMean: null, runningVar: null, training: true };
      await near(batchNorm(toTensor(c.x), { ...tensorsOf(c), ...none }), reference.batchNorm(c.x, { ...c, ...none }));
      const { residual, relu } = tensorsOf(c);
      await gradcheck(
        (x, weight, bias) =>
          batchNorm(x as Tensor, { ...none, residual, relu, weight: weight as Tensor, bias: bias as Tensor }),
        (x, weight, bias) =>
          reference.batchNorm(x as reference.Values, {
            ...c,
            ...none,
            weight: weight as reference.Values,
            bias: bias as reference.Values,
          }),
        [c.x, c.weight, c.bias],
      );
    }),
  { runs: 8 },
);

law(
  'batchNorm keeps its precision for any values: far from zero, with an outlier first, or constant',
  fc.record({
    x: valuesOf([4, 2, 9, 9], { min: -1, max: 1 }),
    center: fc.constantFrom(0, 100, -1000),
    first: fc.constantFrom(0, 30, -300),
  }),
  async ({ x, center, first }) => {
    const data = Float64Array.from(x.data, (v, i) => Math.fround(v + center + (i % 81 === 0 ? first : 0)));
    const none = { weight: null, bias: null, runningMean: null, runningVar: null, training: true };
    await near(batchNorm(toTensor({ ...x, data }), none), reference.batchNorm({ ...x, data }, none));
  },
);

test('batchNorm with relu propagates NaN, and only to its results', async () => {
  const x = reference.build([2, 2, 4], (at) => (at[1] === 0 && at[2] === 1 ? Number.NaN : (at[0] as number)));
  const none = { weight: null, bias: null, runningMean: null, runningVar: null, training: true };
  const actual = await batchNorm(toTensor(x), { ...none, relu: true }).data();
  ensure(actual.slice(0, 4).every(Number.isNaN) && actual.slice(12).every(Number.isFinite), `got ${actual}`);
});

test('batchNorm saves no result in the graph: later operations recompute it', () => {
  const x = toTensor(reference.full([8, 4, 16, 16], 1), { requiresGrad: true });
  const bytes = x.bytes;
  const before = memory().liveBytes;
  const parameters = { weight: null, bias: null, runningMean: null, runningVar: null, training: true, relu: true };
  const y = scope(() => batchNorm(x, parameters).square().sum());
  const saved = memory().liveBytes - before;
  ensure(saved < bytes, `${saved} bytes are saved beside x`);
  y.backward();
  y.dispose();
  x.dispose();
});

law(
  'the second derivative of batchNorm is that of its reference',
  fc.record({
    c: cases([
      [4, 2],
      [3, 1, 2],
      [2, 2, 2, 1],
    ]),
    training: fc.boolean(),
  }),
  ({ c, training }) =>
    gradgradcheck(
      (x, weight, bias) =>
        batchNorm(x as Tensor, { ...untracked(c, training), weight: weight as Tensor, bias: bias as Tensor, training }),
      (x, weight, bias) =>
        reference.batchNorm(x as reference.Values, {
          ...c,
          weight: weight as reference.Values,
          bias: bias as reference.Values,
          residual: null,
          relu: false,
          training,
        }),
      [c.x, c.weight, c.bias],
    ),
  { runs: 10 },
);

law(
  'batchNorm has second derivatives equal to differences of the first, in training and evaluation, with relu and a residual',
  fc
    .record({ c: cases(several), training: fc.boolean(), direction: fc.integer() })
    .filter(({ c, training }) => offTheKink({ ...c, training })),
  async ({ c, training, direction }) => {
    const names = ['x', 'weight', 'bias', ...(c.residual ? ['residual'] : [])] as const;
    const inputs = [c.x, c.weight, c.bias, ...(c.residual ? [c.residual] : [])];
    const signs = inputs.map((input, i) => randomSigns(input.data.length, direction + i));
    const step = 1e-3;
    const moved = (by: number) =>
      inputs.map((v, i) => ({ ...v, data: v.data.map((each, k) => each + by * (signs[i]?.[k] ?? 0)) }));
    const options = { ...untracked(c, training), training, relu: c.relu };
    const weights = toTensor({ shape: c.x.shape, data: c.x.data.map((_, i) => Math.sin(3 * i)) });
    /** Gradients by every input of a loss that is not linear in the result. */
    const slopes = (leaves: readonly Tensor[], createGraph: boolean): Tensor[] => {
      const [x, weight, bias, residual = null] = leaves as [Tensor, Tensor, Tensor, Tensor?];
      const y = batchNorm(x, { ...options, weight, bias, residual });
      y.mul(y).mul(weights).sum().backward(null, { createGraph });
      return leaves.map((leaf) => leaf.grad as Tensor);
    };
    const leavesAt = (by: number) => moved(by).map((v) => toTensor(v, { requiresGrad: true }));
    const leaves = leavesAt(0);
    const first = slopes(leaves, true);
    const plain = slopes(leavesAt(0), false);
    for (const [i, slope] of first.entries()) {
      const expected = { shape: slope.shape, data: Float64Array.from(await (plain[i] as Tensor).data()) };
      await near(slope.detach(), reference.summed(expected, c.x.data.length));
    }
    // The derivative of the first gradients along the direction: by symmetry, the gradient of their sum along it.
    const along = scope(() =>
      first
        .map((slope, i) => slope.mul(toTensor({ shape: slope.shape, data: signs[i] as Float64Array })).sum())
        .reduce((a, b) => a.add(b)),
    );
    for (const leaf of leaves) leaf.grad = null;
    along.backward();
    const [up, down] = [slopes(leavesAt(step), false), slopes(leavesAt(-step), false)];
    for (const [i, leaf] of leaves.entries()) {
      const [high, low, actual] = await Promise.all(
        [up[i] as Tensor, down[i] as Tensor, leaf.grad as Tensor].map((t) => t.data()),
      );
      const expected = Array.from(high as Float32Array, (v, k) => (v - (low as Float32Array)[k]!) / (2 * step));
      const largest = Math.max(1, ...expected.map(Math.abs));
      for (const [k, expectedValue] of expected.entries()) {
        const error = Math.abs((actual as Float32Array)[k]! - expectedValue);
        ensure(
          error <= 0.01 * largest,
          `${names[i]} ${k}: ${(actual as Float32Array)[k]}, expected ${expectedValue} of ${largest}`,
        );
      }
    }
  },
);

test('a gradient penalty through batchNorm trains its weights', async () => {
  const x = toTensor(reference.build([6, 2], ([n, c]) => Math.sin(5 * (n as number) + (c as number))));
  const weight = toTensor(reference.values([2], [1, 2]), { requiresGrad: true });
  const none = { bias: null, runningMean: null, runningVar: null, training: true };
  const slope = grad((v) =>
    batchNorm(v, { ...none, weight })
      .square()
      .mul(v)
      .sum(),
  )(x);
  slope.square().sum().backward();
  const actual = await (weight.grad as Tensor).data();
  ensure(
    actual.every((v) => Number.isFinite(v) && v !== 0),
    `${actual}`,
  );
});

function untracked(c: { runningMean: reference.Values; runningVar: reference.Values }, training: boolean) {
  if (training) return { runningMean: null, runningVar: null };
  return { runningMean: toTensor(c.runningMean), runningVar: toTensor(c.runningVar) };
}

law(
  'batchNorm keeps the precision of running variances however far its values are from zero',
  valuesOf([5, 2, 7, 9], { min: 0, max: 8 }),
  async (x) => {
    for (const center of [1e4, 1e6, 1e7, -3e7]) {
      const data = x.data.map((v) => Math.fround(v + center));
      const zeros = { runningMean: reference.full([2], 0), runningVar: reference.full([2], 0) };
      const running = { runningMean: toTensor(zeros.runningMean), runningVar: toTensor(zeros.runningVar) };
      const parameters = { weight: null, bias: null, training: true, momentum: 1 };
      batchNorm(toTensor({ ...x, data }), { ...parameters, ...running });
      const after = reference.runningStatistics({ ...x, data }, { ...parameters, ...zeros });
      const actual = await running.runningVar.data();
      for (const [c, variance] of after.variance.data.entries()) {
        ensure(
          Math.abs((actual[c] as number) - variance) <= 1e-5 * variance,
          `around ${center}: ${actual[c]}, not ${variance}`,
        );
      }
    }
  },
  { runs: 5 },
);

law('batchNorm keeps its precision far from zero', valuesOf([4, 2, 9, 9], { min: 100, max: 101 }), async (x) => {
  const none = { weight: null, bias: null, runningMean: null, runningVar: null, training: true };
  // The mean of squares minus the squared mean would have an error of 1 % here.
  await near(batchNorm(toTensor(x), none), reference.batchNorm(x, none));
});

test('batchNorm refuses parameters of the wrong size and a single value per channel', () => {
  const x = toTensor(
    reference.build([2, 3], (at) => at[1] as number),
    { requiresGrad: true },
  );
  const none = { weight: null, bias: null, runningMean: null, runningVar: null, training: true };
  const two = toTensor(reference.full([2], 1));
  refuses(
    () => batchNorm(x, { ...none, weight: two }),
    ShapeError,
    'batchNorm: expected weight of shape [3], one value per channel of x [2, 3], got [2]',
  );
  refuses(
    () => batchNorm(x.slice(0, 0, 1), none),
    ValueError,
    'batchNorm: expected more than one value per channel in training, got x [1, 3]',
  );
  refuses(
    () => batchNorm(x, { ...none, residual: two }),
    ShapeError,
    'batchNorm: expected residual of the shape of x [2, 3], got [2]',
  );
  refuses(
    () => batchNorm(x, { ...none, training: false }),
    ValueError,
    'expected runningMean and runningVar outside training',
  );
});
