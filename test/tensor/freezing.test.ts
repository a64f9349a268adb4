// Leaves that are frozen and trained again by setting requiresGrad.
import { CaptureError, capture, DtypeError, GradientError, ones, type Tensor, tensor, zeros } from '@mien/tensor';
import { ensure, refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const numbers = async (x: Tensor | null): Promise<string> => (x ? [...(await x.data())].join() : 'null');

test('a leaf whose requiresGrad is set to false gets no gradient until it is set to true', async () => {
  const [a, b] = [tensor([2, 3], { requiresGrad: true }), tensor([5, 7], { requiresGrad: true })];
  a.requiresGrad = false;
  ensure(!a.requiresGrad && `${a}` === 'tensor(shape [2], float32)', `it is ${a}`);
  a.mul(b).sum().backward();
  ensure(a.grad === null && (await numbers(b.grad)) === '2,3', 'only b has a gradient');
  a.requiresGrad = true;
  a.mul(b).sum().backward();
  ensure((await numbers(a.grad)) === '5,7' && (await numbers(b.grad)) === '4,6', 'both have one');
});

test('requiresGrad of a plain tensor set to true makes it a leaf, and the gradient of a frozen one stays', async () => {
  const x = ones([2]);
  x.requiresGrad = false;
  x.requiresGrad = true;
  x.mul(3).sum().backward();
  x.requiresGrad = false;
  ensure((await numbers(x.grad)) === '3,3', 'freezing does not clear the gradient');
  refuses(() => x.sum().backward(), GradientError, 'no leaf before this tensor requires a gradient');
});

test('a leaf that is frozen between forward and backward gets no gradient', async () => {
  const [a, b] = [tensor([2], { requiresGrad: true }), tensor([3], { requiresGrad: true })];
  const y = a.mul(b).sum();
  a.requiresGrad = false;
  y.backward();
  ensure(a.grad === null && (await numbers(b.grad)) === '2', 'only b has a gradient');
});

test('requiresGrad refuses to freeze the result of an operation, and to train integers', () => {
  const y = ones([2], { requiresGrad: true }).mul(2);
  refuses(
    () => {
      y.requiresGrad = false;
    },
    GradientError,
    'requiresGrad: only a leaf can be frozen, and mul made this tensor; detach() it to use its values without gradient',
  );
  y.requiresGrad = true;
  ensure(y.requiresGrad && !y.detach().requiresGrad, 'nothing has changed');
  refuses(
    () => {
      zeros([2], { dtype: 'int32' }).requiresGrad = true;
    },
    DtypeError,
    'requiresGrad: only float32 has gradients, got int32',
  );
});

for (const [what, before] of [
  ['frozen', true],
  ['trained', false],
] as const) {
  test(`a captured function notices that a tensor is ${what} since`, async () => {
    const [weight, other] = [ones([3], { requiresGrad: before }), ones([3], { requiresGrad: true })];
    const step = (x: Tensor): Tensor => {
      const loss = other.mul(weight).mul(x).sum();
      loss.backward();
      const slope = other.grad?.detach() as Tensor;
      const result = slope.mul(1);
      other.grad = null;
      weight.grad = null;
      return result;
    };
    using captured = capture(step);
    for (let i = 0; i < 4; i++) captured.run(ones([3])).dispose();
    ensure(captured.replays, 'it replays');
    weight.requiresGrad = !before;
    refuses(
      () => captured.run(ones([3])),
      CaptureError,
      `requiresGrad of a tensor [3] is ${!before} and was ${before} when the function was recorded`,
    );
    weight.requiresGrad = before;
    ensure((await numbers(captured.run(ones([3])))) === '1,1,1', 'as before it replays');
  });
}

test('a captured function may freeze a leaf and train it again itself', async () => {
  const [weight, other] = [ones([2], { requiresGrad: true }), ones([2], { requiresGrad: true })];
  const step = (x: Tensor): Tensor => {
    weight.requiresGrad = false;
    const frozen = weight.mul(x).requiresGrad;
    weight.requiresGrad = true;
    weight.mul(other).mul(x).sum().backward();
    const result = (weight.grad as Tensor).mul(frozen ? 0 : 1).detach();
    for (const leaf of [weight, other]) leaf.grad = null;
    return result;
  };
  using captured = capture(step);
  for (let i = 1; i < 6; i++) ensure((await numbers(captured.run(ones([2]).mul(i)))) === `${i},${i}`, `call ${i}`);
  ensure(captured.replays, 'it replays');
});
