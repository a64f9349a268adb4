import {
  AnomalyError,
  checkpoint,
  detectAnomaly,
  empty,
  full,
  kernel,
  ones,
  record,
  run,
  type Tensor,
  tensor,
} from '@mien/tensor';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';

async function anomalyOf(
  fn: () => unknown,
  options: { readonly infinity?: boolean } = {},
): Promise<AnomalyError | null> {
  try {
    await detectAnomaly(fn, options);
    return null;
  } catch (reason) {
    if (reason instanceof AnomalyError) return reason;
    throw reason;
  }
}

/** Throws unless `fn` throws an AnomalyError for `operation` whose message contains `words`. */
async function expectAnomaly(fn: () => unknown, operation: string, words: string): Promise<void> {
  const reason = await anomalyOf(fn);
  ensure(
    reason?.operation === operation && reason.message.includes(words),
    `expected ${operation}: ${reason?.message}`,
  );
}

test('detectAnomaly names the first operation with a NaN or Infinity in its result', async () => {
  const x = tensor([4, -1, 9]);
  await expectAnomaly(
    () => x.mul(2).sqrt().add(1).sum(),
    'sqrt',
    'sqrt [3] is the first to produce NaN, from finite inputs',
  );
  await expectAnomaly(
    () => x.mul(100).exp().mul(0).sum(),
    'exp',
    'exp [3] is the first to produce Infinity, from finite inputs',
  );
  await expectAnomaly(() => tensor([0]).log().exp(), 'log', 'Infinity');
});

test('detectAnomaly does not blame views and copies of a result', async () => {
  const x = tensor([4, -1, 9, 1e30]);
  const made = (): Tensor => x.square();
  await expectAnomaly(() => made().reshape([2, 2]).transpose(0, 1).reshape([4]).detach(), 'square', 'Infinity');
  await expectAnomaly(() => x.reshape([2, 2]).sqrt().reshape([4]).flip(0), 'sqrt', 'NaN');
});

test('detectAnomaly names external inputs that contain NaN', async () => {
  const x = tensor([1, Number.NaN]);
  await expectAnomaly(
    () => x.reshape([2, 1]).mul(2),
    'x of reshape',
    'x of reshape [2] contained NaN before the operation',
  );
  const weight = tensor([Number.POSITIVE_INFINITY], { requiresGrad: true });
  await expectAnomaly(() => tensor([2]).mul(weight), 'b of mul', 'contained Infinity before the operation');
});

test('detectAnomaly accepts infinite constants, as in a mask, but not a NaN that results from them', async () => {
  const mask = tensor([0, Number.NEGATIVE_INFINITY]);
  ensure((await anomalyOf(() => tensor([1, 2]).add(mask).exp().sum())) === null, 'a mask');
  await expectAnomaly(
    () => tensor([1, 2]).add(mask).mul(0),
    'mul',
    'the first to produce NaN, from inputs that contain Infinity',
  );
  ensure((await anomalyOf(() => tensor([0]).log(), { infinity: false })) === null, 'infinity: false');
  ensure(
    (await anomalyOf(() => tensor([-1]).log(), { infinity: false })) !== null,
    'expected infinity: false to detect NaN',
  );
});

test('detectAnomaly names the operation whose gradient is not finite', async () => {
  const x = tensor([0], { requiresGrad: true });
  const reason = await anomalyOf(() => x.sqrt().mul(2).sum().backward());
  ensure(reason?.operation.endsWith('in the gradient of sqrt') ?? false, String(reason));
  x.grad = null;
  const again = await anomalyOf(() =>
    checkpoint((x: Tensor) => x.sqrt().mul(2), x)
      .sum()
      .backward(),
  );
  ensure(again?.operation.endsWith('in the gradient of sqrt') ?? false, String(again));
});

const fillKernel = kernel(`struct Params { value: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1)
fn setTo() { y[0] = params.value; }
`);

test('detectAnomaly checks gradients that a kernel computes without an operation', async () => {
  const x = tensor([1], { requiresGrad: true });
  const backward = (): { x: Tensor } => {
    const dx = empty([1]);
    run(fillKernel, { y: dx }, { value: 1e38 * 10 }, 1);
    return { x: dx };
  };
  const reason = await anomalyOf(() =>
    record('own', x.detach().mul(2), { x }, { saves: {}, backward }).sum().backward(),
  );
  ensure(reason?.operation === 'x in the gradient of own', String(reason));
});

test('detectAnomaly finds a NaN at any index, and ignores padding after the last element', async () => {
  for (const size of [1, 2, 3, 4, 5, 8, 13, 16_385, 20_000]) {
    for (const place of new Set([0, 1, 2, 3, Math.floor(size / 2), size - 2, size - 1])) {
      if (place < 0 || place >= size) continue;
      const x = tensor({ shape: [size], data: Float32Array.from({ length: size }, (_, i) => (i === place ? -1 : 1)) });
      await expectAnomaly(() => x.sqrt(), 'sqrt', 'NaN');
    }
  }
  for (const size of [1, 2, 3, 5]) {
    // The next tensor of this size reuses the memory, where four elements were NaN.
    full([4], Number.NaN).dispose();
    const reason = await anomalyOf(() => ones([size]).sqrt());
    ensure(reason === null, `of ${size} elements none is NaN: ${reason?.message}`);
  }
});

test('detectAnomaly returns the result of a function without anomalies', async () => {
  const y = await detectAnomaly(() => tensor([1, 2, 3]).exp().sum());
  ensure((await y.item()) > 30, 'the sum of exponentials');
});

test('detectAnomaly checks any number of operations', async () => {
  const reason = await anomalyOf(() => {
    let x = tensor([1]);
    for (let i = 0; i < 2100; i++) x = x.mul(1);
    return x.sub(2).log();
  });
  ensure(reason?.operation === 'log', String(reason));
});
