import { memory, ones, randn, scope, ValueError } from '@mien/tensor';
import { ensure, refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

test('scope frees its tensors except those that it returns, also nested', async () => {
  const before = memory().liveBytes;
  const returned = scope(() => {
    ones([1000]).mul(2).exp();
    const inner = scope(() => ({ a: ones([1000]), list: [ones([1000]), new Map([['c', ones([1000])]])] }));
    return inner;
  });
  ensure(memory().liveBytes === before + 3 * 4096, `live ${memory().liveBytes - before}, expected three tensors`);
  returned.a.dispose();
  for (const item of returned.list) {
    if (item instanceof Map) item.get('c')?.dispose();
    else item.dispose();
  }
  ensure(memory().liveBytes === before, 'expected all memory to be freed');
});

test('scope frees everything when its function throws', () => {
  const before = memory().liveBytes;
  refuses(
    () =>
      scope(() => {
        ones([1000]);
        return ones([2]).reshape([3]);
      }),
    Error,
    'reshape: expected a shape of 2 elements',
  );
  ensure(memory().liveBytes === before, 'expected all memory to be freed');
});

test('scope refuses a promise', () => {
  refuses(() => scope(async () => ones([1])), ValueError, 'scope: the function returned a promise');
});

test('a training loop of 200 steps holds the same bytes and buffers from the second step on', async () => {
  const w1 = randn([16, 32]).detach({ requiresGrad: true });
  const w2 = randn([32, 4]).detach({ requiresGrad: true });
  const readings: { liveBytes: number; buffers: number }[] = [];
  for (let step = 0; step < 200; step++) {
    const loss = scope(() => {
      const x = ones([8, 16]);
      const y = x.matmul(w1).relu().matmul(w2).square().mean();
      y.backward();
      for (const w of [w1, w2]) w.grad = null;
      return y.detach();
    });
    if (step % 20 === 0) await loss.item();
    loss.dispose();
    readings.push(memory());
  }
  // Less is fine: garbage of an earlier test may be collected.
  const [, second, ...later] = readings as [unknown, (typeof readings)[number], ...typeof readings];
  for (const { liveBytes, buffers } of later) {
    ensure(liveBytes <= second.liveBytes, `${liveBytes} bytes live, ${second.liveBytes} after the second step`);
    ensure(buffers === second.buffers, `${buffers} buffers, ${second.buffers} after the second step`);
  }
});
