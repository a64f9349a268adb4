// Every kernel that sums keeps its precision at any length: no thread adds a long sequence in one chain, whose error grows with
// its length and whose value stops growing at 2^24. Bounds are relative to the sum of magnitudes; sums of ones are exact.

import { clipGradNorm, mseLoss } from '@mien/nn';
import {
  adaptiveAvgPool2d,
  avgPool2d,
  batchNorm,
  cat,
  conv2d,
  convTranspose2d,
  embedding,
  full,
  logSoftmax,
  maxPool2d,
  ones,
  scope,
  softmax,
  softmaxCrossEntropy,
  type Tensor,
  tensor,
  zeros,
} from '@mien/tensor';
import { viewOf } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { ensure, toTensor, valuesOf } from '@mien/tensor/testing';
import { law, test } from '../harness.ts';

/** Half a unit in the last place: the relative error of one addition. */
const half = 2 ** -24;
/** Longest chains of additions: of reductions and lib/longSum.wgsl, and of products (`longestChain`). */
const chain = { sum: 2048, product: 2 ** 16 };

async function check(what: string, y: Tensor, expected: number, magnitudes: number, additions: number): Promise<void> {
  for (const value of await y.data()) {
    const error = Math.abs(value - expected);
    ensure(error <= additions * half * magnitudes, `${what}: expected ${expected}, got ${value}`);
  }
  y.dispose();
}

const tenth = Math.fround(0.1);
const longest = 2 ** 26;

test('sum and mean of 2^26 values keep their precision along rows, columns and all, for equal values and for large beside small ones', async () => {
  const all = full([longest], tenth);
  await check(
    'ones',
    scope(() => ones([longest]).sum()),
    longest,
    0,
    0,
  );
  await check(
    '0.1',
    scope(() => all.sum()),
    longest * tenth,
    longest * tenth,
    chain.sum,
  );
  await check(
    'mean',
    scope(() => all.mean()),
    tenth,
    tenth,
    chain.sum,
  );
  all.dispose();
  for (const shape of [
    [longest / 4, 4],
    [longest / 4, 3],
    [8, longest / 8],
    [4, longest / 4],
    [2, longest / 2],
    [3, longest / 4 + 1],
  ] as const) {
    const dim = shape[1] > shape[0] ? 1 : 0;
    const count = shape[dim];
    await check(
      `0.1 of [${shape}]`,
      scope(() => full(shape, tenth).sum(dim)),
      count * tenth,
      count * tenth,
      chain.sum,
    );
  }
  const pair = [30_000, 2 ** -7];
  const total = (longest / 2) * (30_000 + 2 ** -7);
  await check(
    'large and small',
    scope(() =>
      tensor(pair)
        .expand([longest / 2, 2])
        .sum(),
    ),
    total,
    total,
    chain.sum,
  );
  const canceling = scope(() =>
    tensor([30_000, -30_000, 1])
      .expand([longest / 4, 3])
      .sum(),
  );
  await check('canceling', canceling, longest / 4, (longest / 4) * 60_001, chain.sum);
});

test('adaptiveAvgPool2d, avgPool2d and mean of 5000 x 5000 ones are 1, and their gradients 1 / 25,000,000', async () => {
  const shape = [1, 1, 5000, 5000];
  const averages: Record<string, (x: Tensor) => Tensor> = {
    adaptiveAvgPool2d: (x) => adaptiveAvgPool2d(x, 1),
    avgPool2d: (x) => avgPool2d(x, { kernelSize: 5000 }),
    'windows of half': (x) => avgPool2d(x, { kernelSize: [2500, 5000] }),
    'windows of a half each': (x) => adaptiveAvgPool2d(x, [1, 2]),
  };
  for (const [name, average] of Object.entries(averages)) {
    await check(
      `${name} of ones`,
      scope(() => average(ones(shape))),
      1,
      0,
      0,
    );
    await check(
      `${name} of 0.1`,
      scope(() => average(full(shape, tenth))),
      tenth,
      tenth,
      chain.sum,
    );
  }
  const x = ones([1, 1, 512, 512], { requiresGrad: true });
  adaptiveAvgPool2d(x, 1).sum().backward();
  await check('the gradient', x.grad as Tensor, 2 ** -18, 2 ** -18, 1);
});

test('the gradients of pooling add all windows that contain an element', async () => {
  const x = ones([1, 1, 1, 1], { requiresGrad: true });
  adaptiveAvgPool2d(x, 2500).mul(tenth).sum().backward();
  const expected = 2500 ** 2 * tenth;
  await check('adaptiveAvgPool2d', x.grad as Tensor, expected, expected, chain.sum);
  // All 4096 windows contain the largest element, in the middle.
  const peak = reference.build([1, 1, 1, 8191], ([, , , w]) => Number(w === 4095));
  const y = toTensor(peak, { requiresGrad: true });
  maxPool2d(y, { kernelSize: [1, 4096], stride: 1 })
    .mul(tenth)
    .sum()
    .backward();
  const total = scope(() => (y.grad as Tensor).sum());
  await check('maxPool2d', total, 4096 * tenth, 4096 * tenth, 2 * chain.sum);
});

test('softmax and softmaxCrossEntropy sum over 2^22 equal classes', async () => {
  const classes = 2 ** 22;
  await check(
    'softmax',
    scope(() => softmax(zeros([classes]), 0).slice(0, 0, 1)),
    1 / classes,
    1 / classes,
    64,
  );
  const logarithm = scope(() => logSoftmax(zeros([classes]), 0).slice(0, 0, 1));
  await check('logSoftmax', logarithm, -Math.log(classes), Math.log(classes), 64);
  const logits = zeros([1, classes], { requiresGrad: true });
  const loss = scope(() => softmaxCrossEntropy(logits, tensor(Int32Array.of(1)), { labelSmoothing: 1 }));
  loss.backward();
  await check('softmaxCrossEntropy', loss.detach(), Math.log(classes), Math.log(classes), chain.sum);
  const slope = scope(() => (logits.grad as Tensor).abs().max());
  await check('its gradient', slope, 0, 1 / classes, chain.sum);
});

test('the gradient of embedding adds 2^22 uses of one row', async () => {
  const weight = ones([2, 1], { requiresGrad: true });
  const uses = 2 ** 22;
  scope(() =>
    embedding(zeros([uses], { dtype: 'int32' }), weight)
      .mul(tenth)
      .sum(),
  ).backward();
  const [first, second] = await (weight.grad as Tensor).data();
  ensure(
    Math.abs((first as number) / (uses * tenth) - 1) <= chain.sum * half && second === 0,
    `${first} and ${second}`,
  );
});

test('matrix products add 2^25 products of ones exactly, and of 0.1 within their bound, in every variant', async () => {
  const dot = (rows: number, columns: number, depth: number, value: number) =>
    scope(() =>
      full([rows, depth], 1)
        .matmul(full([depth, columns], value))
        .max(),
    );
  await check('ones', dot(1, 1, 2 ** 25, 1), 2 ** 25, 0, 0);
  for (const [rows, columns] of [
    [1, 1],
    [3, 2],
    [17, 17],
  ] as const) {
    const expected = 2 ** 20 * tenth;
    await check(`0.1 by ${rows} and ${columns}`, dot(rows, columns, 2 ** 20, tenth), expected, expected, chain.product);
  }
});

test('convolutions add 2^24 ones exactly, and 2^20 times 0.1 within their bound, along windows and channels', async () => {
  for (const [channels, groups, window, value] of [
    [1, 1, [4096, 4112], 1],
    [1, 1, [1, 2 ** 24 + 64], 1],
    [2 ** 24 + 64, 1, [1, 1], 1],
    [1, 1, [1024, 1024], tenth],
    [8200, 1, [3, 3], tenth],
    [140_000, 2, [1, 1], tenth],
  ] as const) {
    const [height, width] = window;
    const x = full([1, channels, height, width], value);
    const weight = ones([groups, channels / groups, height, width]);
    const turned = viewOf(weight, [channels, 1, height, width]);
    // With this padding the transpose's result is one pixel, which every tap reaches.
    const padding = [height - 1, width - 1] as const;
    const expected = (channels / groups) * height * width * value;
    const results = {
      conv2d: () => conv2d(x, weight, null, { groups }),
      convTranspose2d: () => convTranspose2d(x, turned, null, { groups, padding }),
    };
    for (const [name, result] of Object.entries(results)) {
      const what = `${name} of ${channels} channels in ${groups} groups by windows of ${height}x${width}`;
      await check(what, scope(result), expected, value === 1 ? 0 : expected, chain.sum);
    }
    for (const tensor of [x, weight]) tensor.dispose();
  }
});

test('weight gradients add the products of 2^24 and of 2^20 pixels', async () => {
  for (const [kernel, channels, groups, height, width, value] of [
    [1, 1, 1, 4096, 4112, 1],
    [3, 1, 1, 1024, 1024, tenth],
    [3, 2, 2, 1024, 1024, tenth],
    [3, 4, 1, 1024, 1024, tenth],
    [3, 16, 1, 512, 512, tenth],
    [5, 2, 1, 512, 512, tenth],
  ] as const) {
    const x = full([1, channels, height, width], value);
    const weight = ones([channels, channels / groups, kernel, kernel], { requiresGrad: true });
    scope(() => conv2d(x, weight, null, { padding: (kernel - 1) / 2, groups }).sum()).backward();
    const taps = (weight.grad as Tensor).reshape([-1, kernel ** 2]);
    const expected = height * width * value;
    const what = `conv2d by ${kernel}x${kernel}, ${channels} channels in ${groups} groups`;
    const middle = taps.slice(1, (kernel ** 2 - 1) / 2).slice(1, 0, 1);
    await check(what, middle, expected, value === 1 ? 0 : expected, chain.product / 8);
    for (const tensor of [x, taps, weight]) tensor.dispose();
  }
});

test('batchNorm keeps its precision over 2^24 values per channel: statistics, gradients and running statistics', async () => {
  const shape = [4, 1, 2048, 2048];
  const half = [2, 1, 2048, 2048];
  const [runningMean, runningVar] = [zeros([1]), zeros([1])];
  const [weight, bias] = [ones([1], { requiresGrad: true }), zeros([1], { requiresGrad: true })];
  const parameters = { weight, bias, runningMean, runningVar, training: true, momentum: 1 };
  scope(() => batchNorm(cat([full(half, 1000), full(half, 1000.5)], 0), parameters).sum()).backward();
  await check('mean', runningMean.detach(), 1000.25, 1000.25, 64);
  await check('variance', runningVar.detach(), 1 / 16, 1 / 16, chain.sum);
  await check(
    'bias',
    bias.grad as Tensor,
    shape.reduce((product, each) => product * each),
    0,
    0,
  );
});

test('norms of gradients and means of losses sum 2^24 values', async () => {
  const p = ones([2 ** 24], { requiresGrad: true });
  p.grad = full([2 ** 24], tenth);
  await check('clipGradNorm', clipGradNorm([p], 1), 4096 * tenth, 4096 * tenth, chain.sum);
  const loss = scope(() => mseLoss(full([2 ** 24], tenth), zeros([2 ** 24])));
  await check('mseLoss', loss, tenth ** 2, tenth ** 2, chain.sum);
});

law(
  'variance keeps its precision however far its values are from zero',
  valuesOf([1000], { min: 0, max: 1 }),
  async (x) => {
    for (const center of [0, 1e4, 1e6, 1e7, -3e7]) {
      const data = x.data.map((v) => Math.fround(center + 8 * v));
      const moved = { ...x, data };
      const expected = reference.variance(moved).data[0] as number;
      const actual = await toTensor(moved).variance().item();
      ensure(Math.abs(actual / expected - 1) < 1e-5, `around ${center}: expected ${expected}, got ${actual}`);
      const rows = { shape: [10, 100], data };
      for (const dim of [0, 1]) {
        const y = await toTensor(rows).variance(dim).data();
        for (const [i, expectedValue] of reference.variance(rows, dim).data.entries()) {
          ensure(
            Math.abs((y[i] as number) - expectedValue) <= 1e-5 * expectedValue,
            `around ${center}: ${expectedValue}, got ${y[i]}`,
          );
        }
      }
    }
  },
  { runs: 5 },
);
