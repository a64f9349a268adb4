import { detectAnomaly, tensor } from '@mien/tensor';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';

async function messageOf(fn: () => unknown): Promise<string> {
  try {
    await detectAnomaly(fn);
    return '';
  } catch (reason) {
    return String(reason);
  }
}

test('detectAnomaly names the first operation whose result has a NaN', async () => {
  const x = tensor([4, -1, 9]);
  const message = await messageOf(() => x.mul(2).sqrt().add(1).sum());
  ensure(message.includes('the first NaN came from sqrt'), message);
});

test('detectAnomaly names the gradient that made a NaN', async () => {
  const x = tensor([0], { requiresGrad: true });
  const message = await messageOf(() => x.sqrt().mul(0).sum().backward());
  ensure(message.includes('in the gradient of sqrt'), message);
});

test('detectAnomaly passes what is sound, and its result', async () => {
  const y = await detectAnomaly(() => tensor([1, 2, 3]).exp().sum());
  ensure((await y.item()) > 30, 'the sum of exponentials');
});
