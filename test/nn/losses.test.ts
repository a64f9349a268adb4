import { binaryCrossEntropyWithLogits, crossEntropy, mseLoss, nllLoss, type Reduction } from '@mien/nn';
import { ShapeError, type Tensor, tensor, ValueError, zeros } from '@mien/tensor';
import {
  at,
  build,
  div,
  type Element,
  mean,
  mul,
  softmaxCrossEntropy,
  square,
  sub,
  sum,
  Total,
  ulps,
  type Values,
  values,
  within,
} from '@mien/tensor/reference';
import { ensure, gradcheck, gradgradcheck, near, nearValues, refuses, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

// Definitions, sample by sample, in float64.

interface Definition {
  readonly samples: readonly (number | Element)[];
  /** The divisor of the mean. */
  readonly weight: number;
}

/** The logits of sample i (batch n, index p in the trailing dimensions). */
function sampleOf({ shape, data }: Values, i: number): number[] {
  const [, classes = 1, ...rest] = shape;
  const places = rest.reduce((product, size) => product * size, 1);
  const [n, p] = [Math.floor(i / places), i % places];
  return Array.from({ length: classes }, (_, c) => data[(n * classes + c) * places + p] as number);
}

const samplesIn = ({ shape, data }: Values): number => data.length / (shape[1] as number);

function logSoftmax(x: readonly number[]): number[] {
  const largest = Math.max(...x);
  const total = x.reduce((sum, each) => sum + Math.exp(each - largest), 0);
  return x.map((each) => each - largest - Math.log(total));
}

function crossEntropyOf(
  logits: Values,
  targets: readonly number[][],
  weight: readonly number[],
  divisors: readonly number[],
): Definition {
  const samples = targets.map((target, i) => {
    const log = logSoftmax(sampleOf(logits, i));
    const sum = new Total();
    // log has an error of 2^-21 near 1, shares and products a few roundings.
    for (const [c, part] of target.entries()) {
      const share = part * (weight[c] as number);
      sum.add(-share * (log[c] as number), share * (2 ** -21 + ulps(8, log[c] as number)));
    }
    return sum;
  });
  return { samples, weight: divisors.reduce((sum, each) => sum + each, 0) };
}

function reduced({ samples, weight }: Definition, reduction: Reduction, shape: readonly number[]): Values {
  const elements = samples.map((each) => (typeof each === 'number' ? { value: each, error: ulps(4, each) } : each));
  if (reduction === 'none') {
    const data = Float64Array.from(elements, ({ value }) => value);
    return within({ shape, data }, (_, i) => (elements[i] as Element).error);
  }
  const sum = new Total();
  for (const { value, error } of elements) sum.add(value, error);
  const by = reduction === 'sum' ? 1 : weight;
  return within(values([], [sum.value / by]), sum.error / by + ulps(2, sum.value / by));
}

const cases = fc
  .record({
    n: fc.integer({ min: 1, max: 5 }),
    classes: fc.integer({ min: 1, max: 9 }),
    rest: fc.constantFrom([], [3], [2, 2]),
    smoothing: fc.constantFrom(0, 0.1, 1),
    reduction: fc.constantFrom('mean' as const, 'sum' as const, 'none' as const),
    weighted: fc.boolean(),
  })
  .chain((c) => {
    const size = c.n * c.rest.reduce((product, each) => product * each, 1);
    return fc.record({
      c: fc.constant(c),
      logits: valuesOf([c.n, c.classes, ...c.rest], { min: -4, max: 4 }),
      soft: valuesOf([c.n, c.classes, ...c.rest], { min: 0, max: 1 }),
      weight: valuesOf([c.classes], { min: 0.25, max: 2 }),
      labels: fc.array(fc.nat(c.classes - 1), { minLength: size, maxLength: size }),
    });
  });

law('crossEntropy equals its definition for labels, smoothing, weights and reductions', cases, async (example) => {
  const { c, logits, weight, labels } = example;
  const weights = c.weighted ? [...weight.data] : Array.from({ length: c.classes }, () => 1);
  const targets = labels.map((label) =>
    weights.map((_, i) => Number(i === label) * (1 - c.smoothing) + c.smoothing / c.classes),
  );
  const divisors = labels.map((label) => weights[label] as number);
  const expected = reduced(crossEntropyOf(logits, targets, weights, divisors), c.reduction, [c.n, ...c.rest]);
  const target = tensor(labels, { shape: [c.n, ...c.rest], dtype: 'int32' });
  const given = c.weighted ? { weight: toTensor(weight) } : {};
  const options = { ...given, labelSmoothing: c.smoothing, reduction: c.reduction };
  await near(crossEntropy(toTensor(logits), target, options), expected);
});

law('crossEntropy equals its definition for soft targets', cases, async ({ c, logits, soft, weight }) => {
  const count = samplesIn(logits);
  const weights = c.weighted ? [...weight.data] : Array.from({ length: c.classes }, () => 1);
  const targets = Array.from({ length: count }, (_, i) =>
    sampleOf(soft, i).map((part) => part * (1 - c.smoothing) + c.smoothing / c.classes),
  );
  const divisors = targets.map(() => 1);
  const expected = reduced(crossEntropyOf(logits, targets, weights, divisors), c.reduction, [c.n, ...c.rest]);
  const given = c.weighted ? { weight: toTensor(weight) } : {};
  const options = { ...given, labelSmoothing: c.smoothing, reduction: c.reduction };
  await near(crossEntropy(toTensor(logits), toTensor(soft), options), expected);
});

law('the gradient of crossEntropy is the derivative of its definition', cases, async ({ c, logits, labels }) => {
  const target = tensor(labels, { shape: [c.n, ...c.rest], dtype: 'int32' });
  const targets = labels.map((label) =>
    Array.from({ length: c.classes }, (_, i) => Number(i === label) * (1 - c.smoothing) + c.smoothing / c.classes),
  );
  const ones = Array.from({ length: c.classes }, () => 1);
  const count = labels.map(() => 1);
  await gradcheck(
    (x) => crossEntropy(x, target, { labelSmoothing: c.smoothing }),
    (x) => reduced(crossEntropyOf(x, targets, ones, count), 'mean', []),
    [logits],
  );
});

law('nllLoss picks the labels and weights them', cases, async ({ c, logits, weight, labels }) => {
  const samples = labels.map((label, i) => -(sampleOf(logits, i)[label] as number) * (weight.data[label] as number));
  const total = labels.reduce((sum, label) => sum + (weight.data[label] as number), 0);
  const expected = reduced({ samples, weight: total }, c.reduction, [c.n, ...c.rest]);
  const target = tensor(labels, { shape: [c.n, ...c.rest], dtype: 'int32' });
  const actual = nllLoss(toTensor(logits), target, { weight: toTensor(weight), reduction: c.reduction });
  await near(actual, expected);
});

law(
  'crossEntropy and nllLoss leave ignored labels out of every reduction, and the mean divides by the weights of the others',
  fc.record({ example: cases, ignoreIndex: fc.constantFrom(-100, 0), every: fc.constantFrom(1, 2, 3) }),
  async ({ example: { c, logits, weight, labels }, ignoreIndex, every }) => {
    const given = labels.map((label, i) => (i % every === 0 ? ignoreIndex : label));
    const counts = given.map((label) => Number(label !== ignoreIndex));
    const weights = c.weighted ? [...weight.data] : Array.from({ length: c.classes }, () => 1);
    const targets = labels.map((label, n) =>
      weights.map(
        (_, i) => (counts[n] as number) * (Number(i === label) * (1 - c.smoothing) + c.smoothing / c.classes),
      ),
    );
    const divisors = labels.map((label, n) => (counts[n] as number) * (weights[label] as number));
    const shape = [c.n, ...c.rest];
    const target = tensor(given, { shape, dtype: 'int32' });
    const options = {
      ...(c.weighted ? { weight: toTensor(weight) } : {}),
      ...(ignoreIndex === -100 ? {} : { ignoreIndex }),
      reduction: c.reduction,
    };
    const expected = reduced(crossEntropyOf(logits, targets, weights, divisors), c.reduction, shape);
    const actual = crossEntropy(toTensor(logits), target, { ...options, labelSmoothing: c.smoothing });
    // With ignored labels only, the mean is 0 / 0, as in PyTorch.
    await near(actual, expected);
    const picked = labels.map((label, n) => -(sampleOf(logits, n)[label] as number) * (divisors[n] as number));
    const total = divisors.reduce((sum, each) => sum + each, 0);
    await near(
      nllLoss(toTensor(logits), target, options),
      reduced({ samples: picked, weight: total }, c.reduction, shape),
    );
  },
);

test('crossEntropy gives NaN for a label out of range that is not ignored, and no gradient for ignored samples', async () => {
  const target = (...labels: number[]) => tensor(Int32Array.of(...labels));
  const logits = () =>
    tensor(
      [
        [1, 2],
        [3, 5],
      ],
      { requiresGrad: true },
    );
  ensure(Number.isNaN(await crossEntropy(logits(), target(0, -1)).item()), 'a label of -1');
  ensure(Number.isNaN(await nllLoss(logits(), target(0, 2)).item()), 'a label of 2');
  ensure(Number.isNaN(await crossEntropy(logits(), target(-100, -100)).item()), 'nothing counts');
  for (const loss of [crossEntropy, nllLoss]) {
    const x = logits();
    loss(x, target(0, -100)).backward();
    const slopes = await (x.grad as NonNullable<typeof x.grad>).data();
    ensure(slopes[0] !== 0 && slopes[2] === 0 && slopes[3] === 0, `${loss.name}: ${slopes}`);
  }
  refuses(
    () => crossEntropy(logits(), zeros([2, 2]), { ignoreIndex: 0 }),
    ValueError,
    'crossEntropy: expected class indices with ignoreIndex, got probabilities; remove ignoreIndex',
  );
});

const pairs = fc.integer({ min: 1, max: 40 }).chain((size) =>
  fc.record({
    x: valuesOf([size], { min: -30, max: 30 }),
    y: valuesOf([size], { min: 0, max: 1 }),
    w: valuesOf([size], { min: 0.5, max: 3 }),
  }),
);

law('mseLoss is the mean of squared differences', pairs, async ({ x, y }) => {
  const samples = [...x.data].map((each, i) => (each - (y.data[i] as number)) ** 2);
  const expected = reduced({ samples, weight: samples.length }, 'mean', []);
  await near(mseLoss(toTensor(x), toTensor(y)), expected);
});

function binaryOf(x: Values, y: Values, w: Values): Values {
  const softplus = (t: number): number => Math.max(t, 0) + Math.log1p(Math.exp(-Math.abs(t)));
  const samples = [...x.data].map((t, i) => {
    const label = y.data[i] as number;
    const [hit, miss] = [(w.data[i] as number) * label * softplus(-t), (1 - label) * softplus(t)];
    // softplus is max(t, 0) + log(1 + exp(-|t|)): log has 2^-21 near 1.
    const error = ulps(4, hit + miss) + ((w.data[i] as number) * label + 1 - label) * 2 ** -21;
    return { value: hit + miss, error };
  });
  return reduced({ samples, weight: samples.length }, 'mean', []);
}

law('binaryCrossEntropyWithLogits equals its definition, far from zero too', pairs, async ({ x, y, w }) => {
  const actual = binaryCrossEntropyWithLogits(toTensor(x), toTensor(y), { posWeight: toTensor(w) });
  await near(actual, binaryOf(x, y, w));
});

law('the gradient of binaryCrossEntropyWithLogits is the derivative of its definition', pairs, async ({ x, y, w }) => {
  const [target, posWeight] = [toTensor(y), toTensor(w)];
  const loss = (logits: Parameters<typeof mseLoss>[0]) => binaryCrossEntropyWithLogits(logits, target, { posWeight });
  await gradcheck(loss, (logits) => binaryOf(logits, y, w), [x]);
});

test('the gradient of binaryCrossEntropyWithLogits at zero logits is a half minus the target', async () => {
  const logits = zeros([2], { requiresGrad: true });
  binaryCrossEntropyWithLogits(logits, tensor([0, 1]), { reduction: 'sum' }).backward();
  const gradient = await logits.grad?.data();
  ensure(gradient?.join() === '0.5,-0.5', String(gradient));
});

test('crossEntropy is finite for logits of a thousand', async () => {
  const loss = await crossEntropy(tensor([[1000, -1000, 0]]), tensor([1], { dtype: 'int32' })).item();
  ensure(loss === 2000, String(loss));
});

test('binaryCrossEntropyWithLogits and its gradient are finite for logits of a thousand', async () => {
  const logits = tensor([1000, -1000, 1000, -1000], { requiresGrad: true });
  const losses = binaryCrossEntropyWithLogits(logits, tensor([1, 0, 0, 1]), { reduction: 'none' });
  ensure((await losses.data()).join() === '0,0,1000,1000', `${await losses.data()}`);
  losses.sum().backward();
  const gradient = Array.from((await logits.grad?.data()) ?? []);
  ensure(gradient.map((g) => g + 0).join() === '0,0,1,-1', gradient.join());
});

test('the mean over unsigned labels, which are never ignored, is by count or by class weights', async () => {
  const logits = tensor([
    [0, Math.log(3)],
    [0, 0],
  ]);
  const labels = tensor([0, 1], { dtype: 'uint32' });
  const [first, second] = [Math.log(4), Math.LN2];
  const weight = tensor([1, 3]);
  nearValues([await crossEntropy(logits, labels).item()], [(first + second) / 2]);
  nearValues([await crossEntropy(logits, labels, { weight }).item()], [(first + 3 * second) / 4]);
});

test('losses refuse targets and weights of other shapes', () => {
  const logits = zeros([2, 3]);
  refuses(
    () => crossEntropy(logits, zeros([3], { dtype: 'int32' })),
    ShapeError,
    'crossEntropy: expected target [2] for [2, 3], got int32 [3]',
  );
  refuses(
    () => crossEntropy(logits, zeros([2])),
    ShapeError,
    "expected target [2, 3] for [2, 3], got float32 [2]; convert class indices with to('int32')",
  );
  refuses(() => crossEntropy(zeros([3]), zeros([3])), ShapeError, 'crossEntropy: expected [N, C, ...], got [3]');
  const weight = zeros([2]);
  refuses(
    () => nllLoss(logits, zeros([2], { dtype: 'int32' }), { weight }),
    ShapeError,
    'expected weight [3], one per class',
  );
  refuses(
    () => crossEntropy(logits, zeros([2, 3]), { labelSmoothing: 1.5 }),
    ValueError,
    'crossEntropy: labelSmoothing must be from 0 to 1, got 1.5',
  );
  refuses(() => mseLoss(logits, zeros([3, 2])), ShapeError, 'mseLoss: expected target [2, 3] for [2, 3]');
});

// Gradients of all orders: the definitions are split into parts, so that their differences keep their digits.

const few = fc.record({
  x: valuesOf([2, 3]),
  y: valuesOf([2, 3], { min: 0, max: 1 }),
  w: valuesOf([3], { min: 0.5, max: 2 }),
});
const chosen = [2, 0];
const squared = (x: Values, y: Values): Values => mean(square(sub(x, y)));

law('the gradient of mseLoss is the derivative of its definition', few, ({ x, y }) =>
  gradcheck((a, b) => mseLoss(a as Tensor, b as Tensor), squared, [x, y]),
);

law('the second derivative of mseLoss is that of its definition', few, ({ x, y }) =>
  gradgradcheck((a, b) => mseLoss(a as Tensor, b as Tensor), squared, [x, y]),
);

/** -sum of w[label] x[label] over the sum of w[label]. */
function picked(x: Values, w: Values): Values {
  const weights = build([2], ([i]) => w.data[chosen[i as number] as number] as number);
  const samples = build([2], ([i]) => at(x, [i as number, chosen[i as number] as number]));
  return div(mul(sum(mul(samples, weights)), values([], [-1])), sum(weights));
}

law('the gradient of nllLoss is the derivative of its definition', few, ({ x, w }) =>
  gradcheck(
    (v) => nllLoss(v, tensor(chosen, { dtype: 'int32' }), { weight: toTensor(w) }),
    (v) => picked(v, w),
    [x],
  ),
);

law('the second derivative of nllLoss is that of its definition', few, ({ x, w }) =>
  gradgradcheck(
    (v) => nllLoss(v, tensor(chosen, { dtype: 'int32' }), { weight: toTensor(w) }),
    (v) => picked(v, w),
    [x],
  ),
);

law('the second derivative of crossEntropy is that of its definition', few, ({ x, y }) =>
  gradgradcheck(
    (v) => crossEntropy(v, toTensor(y)),
    (v) => mean(softmaxCrossEntropy(v, y, values([3], [1, 1, 1]), 0)),
    [x],
  ),
);

law('the second derivative of binaryCrossEntropyWithLogits is that of its definition', few, ({ x, y, w }) =>
  gradgradcheck(
    (v) => binaryCrossEntropyWithLogits(v, toTensor(y), { posWeight: toTensor(w) }),
    (v) => binaryOf(v, y, { shape: [2, 3], data: Float64Array.from([...w.data, ...w.data]) }),
    [x],
  ),
);
