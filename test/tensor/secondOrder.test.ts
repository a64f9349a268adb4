// Second derivatives of operations that are linear (or piecewise linear), from their first derivatives: the second derivative of
// sum((L x)^3) / 3 along u is the gradient of L for 2 (L x) (L u).
import {
  adaptiveAvgPool2d,
  avgPool2d,
  cat,
  clamp,
  conv2d,
  convTranspose2d,
  embedding,
  gather,
  grad,
  leakyRelu,
  linear,
  logSoftmax,
  maxPool2d,
  pad,
  scope,
  softmaxCrossEntropy,
  stack,
  type Tensor,
  tensor,
  where,
} from '@mien/tensor';
import { summed, ulps, within } from '@mien/tensor/reference';
import { distinctValuesOf, near, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law } from '../harness.ts';

interface LinearCase {
  readonly shape: readonly number[];
  readonly op: (x: Tensor) => Tensor;
  /** Number of summands of one value of the second derivative, unless their sum is exact in float32. */
  readonly terms?: number;
  /** Linear only around inputs that differ from each other and from 0. */
  readonly distinct?: boolean;
}

const integers = (shape: readonly number[], seed: number): Tensor =>
  tensor({
    shape: [...shape],
    data: Float32Array.from({ length: shape.reduce((n, size) => n * size, 1) }, (_, i) => ((i * seed + 3) % 7) - 3),
  });
const int32 = { dtype: 'int32' } as const;

const operations: Readonly<Record<string, LinearCase>> = {
  gather: {
    shape: [3, 4],
    op: (x) =>
      gather(
        x,
        1,
        tensor(
          [
            [3, 0],
            [1, 1],
            [2, 3],
          ],
          int32,
        ),
      ),
  },
  embedding: { shape: [4, 3], op: (x) => embedding(tensor([2, 0, 2, 1], int32), x) },
  slice: { shape: [5, 3], op: (x) => x.slice(0, 1, 5, 2) },
  pad: {
    shape: [2, 3],
    op: (x) =>
      pad(x, [
        [1, 0],
        [2, 1],
      ]),
  },
  permute: { shape: [2, 3, 4], op: (x) => x.permute([2, 0, 1]) },
  flip: { shape: [2, 3], op: (x) => x.flip([1]) },
  expand: { shape: [2, 1], op: (x) => x.expand([3, 2, 4]) },
  cat: { shape: [2, 3], op: (x) => cat([x, x.mul(2)], 1) },
  stack: { shape: [2, 3], op: (x) => stack([x, x], 1) },
  reshape: { shape: [2, 6], op: (x) => x.reshape([3, 4]) },
  sum: { shape: [3, 4], op: (x) => x.sum(0) },
  mean: { shape: [4, 2], op: (x) => x.mean(0) },
  neg: { shape: [5], op: (x) => x.neg() },
  sub: { shape: [5], op: (x) => x.mul(3).sub(x) },
  div: { shape: [5], op: (x) => x.div(2) },
  where: { shape: [4], op: (x) => where(tensor([true, false, true, false]), x, x.mul(2)) },
  avgPool2d: { shape: [1, 2, 4, 4], op: (x) => avgPool2d(x, { kernelSize: 2, stride: 1, padding: 1 }) },
  adaptiveAvgPool2d: { shape: [1, 2, 4, 4], op: (x) => adaptiveAvgPool2d(x, [2, 4]) },
  'matmul by its left operand': { shape: [3, 4], op: (x) => x.matmul(integers([4, 5], 3)) },
  'matmul by its right operand': { shape: [2, 4, 3], op: (x) => integers([5, 4], 5).matmul(x) },
  'linear by its input': { shape: [3, 4], op: (x) => linear(x, integers([2, 4], 4), integers([2], 1)) },
  'linear by its weight': { shape: [2, 4], op: (x) => linear(integers([3, 4], 4), x) },
  'conv2d by its input': {
    shape: [2, 2, 5, 4],
    op: (x) => conv2d(x, integers([3, 2, 3, 3], 3), null, { padding: 1, stride: 2 }),
    terms: 27,
  },
  'conv2d by its weight': {
    shape: [3, 2, 3, 3],
    op: (x) => conv2d(integers([2, 2, 5, 4], 5), x, null, { padding: 1, stride: 2 }),
    terms: 18,
  },
  'convTranspose2d by its input': {
    shape: [1, 3, 3, 2],
    op: (x) => convTranspose2d(x, integers([3, 2, 3, 3], 3), null, { stride: 2 }),
    terms: 18,
  },
  'convTranspose2d by its weight': {
    shape: [3, 2, 2, 2],
    op: (x) => convTranspose2d(integers([1, 3, 3, 2], 5), x, null, { stride: 2 }),
    terms: 6,
  },
  relu: { shape: [9], op: (x) => x.relu(), distinct: true },
  abs: { shape: [9], op: (x) => x.abs(), distinct: true },
  leakyRelu: { shape: [9], op: (x) => leakyRelu(x, 0.5), distinct: true },
  clamp: { shape: [9], op: (x) => clamp(x, { min: -0.3, max: 0.3 }), distinct: true },
  max: { shape: [3, 4], op: (x) => x.max(1), distinct: true },
  min: { shape: [3, 4], op: (x) => x.min(0), distinct: true },
  maximum: { shape: [3, 4], op: (x) => x.maximum(x.flip([1])), distinct: true },
  maxPool2d: { shape: [1, 2, 5, 4], op: (x) => maxPool2d(x, { kernelSize: 3, stride: 2, padding: 1 }), distinct: true },
  'maxPool2d with windows of padding only': {
    shape: [1, 2, 2, 2],
    op: (x) => maxPool2d(x, { kernelSize: 2, padding: 1, dilation: 3, ceilMode: false }).maximum(-100),
    distinct: true,
  },
  'maxPool2d by halves': { shape: [1, 2, 4, 4], op: (x) => maxPool2d(x, { kernelSize: 2 }), distinct: true },
};

for (const [name, { shape, op, terms, distinct }] of Object.entries(operations)) {
  const values = distinct ? distinctValuesOf(shape) : valuesOf(shape, { min: -3, max: 3, integer: true });
  law(
    `the second derivative of ${name} follows from its first`,
    fc.record({
      x: distinct ? values.map(({ shape, data }) => ({ shape, data: data.map((v) => v + 1 / 16) })) : values,
      u: valuesOf(shape, { min: -2, max: 2, integer: true }),
    }),
    async ({ x, u }) => {
      const along = toTensor(u);
      const cubes = (v: Tensor): Tensor => {
        const y = op(v);
        return y.mul(y).mul(y).sum();
      };
      const actual = grad((v) => grad(cubes)(v).mul(along).sum())(toTensor(x));
      const start = toTensor(x);
      // L u. A linear piece extends at least to x + u / 64, and eighths and sixty-fourths are exact.
      const reached = distinct
        ? op(start.add(along.div(64)))
            .sub(op(start))
            .mul(64)
        : op(along).sub(op(along.mul(0)));
      const weights = scope(() => op(toTensor(x)).mul(reached).mul(6));
      const expected = grad((v) => op(v).mul(weights).sum())(toTensor(x));
      const data = Float64Array.from(await expected.data());
      const list = { shape: expected.shape, data };
      await near(actual, terms === undefined ? list : summed(list, terms));
    },
    { runs: 5 },
  );
}

law(
  'the second derivative of softmaxCrossEntropy along a direction is that of its composition',
  fc.record({ x: valuesOf([3, 4], { min: -3, max: 3 }), soft: valuesOf([3, 4], { min: 0, max: 1 }) }),
  async ({ x, soft }) => {
    const [target, direction] = [toTensor(soft), integers([3, 4], 5)];
    const along = (loss: (v: Tensor) => Tensor): Tensor =>
      grad((v) =>
        grad((w) => loss(w).square().sum())(v)
          .mul(direction)
          .sum(),
      )(toTensor(x));
    const expected = along((v) => logSoftmax(v, 1).mul(target).sum(1).neg());
    const actual = along((v) => softmaxCrossEntropy(v, target));
    await near(actual, summed({ shape: [3, 4], data: Float64Array.from(await expected.data()) }, 64));
  },
  { runs: 5 },
);

const curves = {
  sigmoid: (x: number) => {
    const s = 1 / (1 + Math.exp(-x));
    return { value: s, slope: s * (1 - s), curvature: s * (1 - s) * (1 - 2 * s) };
  },
  tanh: (x: number) => {
    const t = Math.tanh(x);
    return { value: t, slope: 1 - t * t, curvature: -2 * t * (1 - t * t) };
  },
} as const;

for (const [name, curve] of Object.entries(curves)) {
  law(
    `the second derivative of the square of ${name} is that of its formula`,
    valuesOf([7], { min: -3, max: 3 }),
    async (x) => {
      const method = name as keyof typeof curves;
      const actual = grad((v) => grad((w) => w[method]().square().sum())(v).sum())(toTensor(x));
      const data = x.data.map((v) => {
        const { value, slope, curvature } = curve(v);
        return 2 * slope * slope + 2 * value * curvature;
      });
      // 1 - s and 1 - t * t have the absolute error of 1.
      await near(actual, within({ shape: [7], data }, ulps(16, 1)));
    },
    { runs: 5 },
  );
}
