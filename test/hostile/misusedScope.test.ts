import { DisposedError, GradientError, memory, noGrad, scope, type Tensor, tensor, ValueError } from '@mien/tensor';
import { ensure, refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

test('scope and noGrad refuse a promise, whose work they would not cover', () => {
  refuses(() => scope(async () => 1), ValueError, 'scope: the function returned a promise');
  refuses(() => noGrad(async () => 1), ValueError, 'noGrad: the function returned a promise');
});

test('a promise that scope refused gives no unhandled rejection and leaves no tensor', async () => {
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
  await new Promise((done) => setTimeout(done));
  ensure(memory().liveBytes <= before, `${memory().liveBytes} bytes live, ${before} before`);
});

test('a tensor that left its scope unreturned is refused by every use', async () => {
  let lost: Tensor | null = null;
  scope(() => {
    lost = tensor([1, 2], { requiresGrad: true });
  });
  const used = lost as unknown as Tensor;
  const sentence = 'tensor: [2] was disposed of; return it from its scope, or take it out of it with keep()';
  refuses(() => used.add(1), DisposedError, sentence);
  refuses(() => used.reshape([2, 1]), DisposedError, sentence);
  refuses(() => used.sum(), DisposedError, sentence);
  const message = await used.data().then(String, (reason: Error) => reason.message);
  ensure(message === sentence, message);
});

test('a scope whose function throws frees what it made', () => {
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

test('backward is refused a second time, for many elements, and where nothing requires a gradient', () => {
  scope(() => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = x.mul(x).sum();
    y.backward();
    refuses(() => y.backward(), GradientError, 'was freed by an earlier backward; pass keepGraph to that one');
    refuses(() => x.mul(x).backward(), GradientError, 'reduce it to one, or give the gradient');
    refuses(() => tensor([1]).backward(), GradientError, 'no leaf before this tensor requires a gradient');
  });
});
