import { DisposedError, GradientError, memory, noGrad, scope, type Tensor, tensor, ValueError } from '@mien/tensor';
import { ensure, refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

test('scope and noGrad refuse a function that returns a promise', () => {
  refuses(() => scope(async () => 1), ValueError, 'scope: the function returned a promise');
  refuses(() => noGrad(async () => 1), ValueError, 'noGrad: the function returned a promise');
});

test('scope handles the rejection of a refused promise and frees its tensors', async () => {
  const before = memory().liveBytes;
  refuses(
    () =>
      scope(async () => {
        tensor([1]);
        throw new ValueError('late');
      }),
    ValueError,
    'scope: the function returned a promise',
  );
  await new Promise((resolve) => setTimeout(resolve));
  ensure(memory().liveBytes <= before, `${memory().liveBytes} bytes live, ${before} before`);
});

test('scope disposes of tensors that are not returned, and their use throws', async () => {
  let escaped: Tensor | null = null;
  scope(() => {
    escaped = tensor([1, 2], { requiresGrad: true });
  });
  const used = escaped as unknown as Tensor;
  const expected = 'tensor: [2] was disposed of; return it from its scope, or take it out of it with keep()';
  refuses(() => used.add(1), DisposedError, expected);
  refuses(() => used.reshape([2, 1]), DisposedError, expected);
  refuses(() => used.sum(), DisposedError, expected);
  const message = await used.data().then(String, (reason: Error) => reason.message);
  ensure(message === expected, message);
});

test('scope frees its tensors when its function throws', () => {
  const before = memory().liveBytes;
  refuses(
    () =>
      scope(() => {
        tensor([1, 2]).add(tensor([1, 2, 3]));
      }),
    Error,
    'do not broadcast',
  );
  ensure(memory().liveBytes <= before, `${memory().liveBytes} bytes live, ${before} before`);
});

test('backward refuses a second call, several elements, and a graph without gradients', () => {
  scope(() => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = x.mul(x).sum();
    y.backward();
    refuses(() => y.backward(), GradientError, 'was freed by an earlier backward; pass keepGraph to that one');
    refuses(() => x.mul(x).backward(), GradientError, 'reduce it to one, or pass its gradient');
    refuses(() => tensor([1]).backward(), GradientError, 'no leaf before this tensor requires a gradient');
  });
});
