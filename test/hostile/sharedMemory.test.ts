// Results that could share their input's memory, and operations with the same tensor as both inputs.
import { assign, cat, scope, type Tensor, tensor } from '@mien/tensor';
import { nearValues } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const results: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  'sum of one element': (x) => x.sum(0),
  'max over a dimension of size 1': (x) => x.max(0, { keepDim: true }),
  'sum over no dimension': (x) => x.sum([]),
  'mean of one element': (x) => x.mean(0),
  'slice of everything': (x) => x.slice(0),
  'expand to its own shape': (x) => x.expand([1, 3]),
  'cat of one tensor': (x) => cat([x], 0),
  'flip of one row': (x) => x.flip(0),
  'transpose of one row': (x) => x.transpose(0, 1),
};

for (const [name, make] of Object.entries(results)) {
  test(`${name} keeps its values when its input is overwritten in place`, async () => {
    const [x, y] = scope(() => {
      const x = tensor([[1, 2, 3]]);
      return [x, make(x)] as const;
    });
    assign(x, [7, 8, 9]);
    nearValues(await y.data(), [1, 2, 3]);
    x.dispose();
    y.dispose();
  });
}

test('assign of a tensor to itself changes nothing', async () => {
  const x = tensor([1, 2]);
  const same = x.detach();
  assign(x, same);
  nearValues(await x.data(), [1, 2]);
  x.dispose();
  same.dispose();
});

test('mul, add, sub and div of a tensor with itself add up both gradients', async () => {
  const x = tensor([3, -2], { requiresGrad: true });
  scope(() => x.mul(x).add(x).sub(x.div(x)).sum().backward());
  nearValues((await x.grad?.data()) ?? [], [7, -3]);
  x.dispose();
});

test('matmul of a tensor with itself adds up both gradients', async () => {
  const x = tensor(
    [
      [1, 2],
      [3, 4],
    ],
    { requiresGrad: true },
  );
  scope(() => x.matmul(x).sum().backward());
  nearValues((await x.grad?.data()) ?? [], [7, 11, 9, 13]);
  x.dispose();
});
