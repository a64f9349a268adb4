import { arange, eye, full, linspace, ones, ShapeError, tensor, ValueError, zeros } from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { ensure, near, refuses, shapes, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

law(
  'full fills any shape',
  fc.record({ shape: shapes(), value: fc.integer({ min: -9, max: 9 }) }),
  async ({ shape, value }) => {
    await near(full(shape, value), reference.full(shape, value));
    await near(full(shape, value, { dtype: 'int32' }), reference.full(shape, value));
  },
);

law(
  'tensor and toArray are inverses',
  shapes({ maxSize: 100 }).chain((shape) => valuesOf(shape)),
  async (x) => {
    const made = tensor({ shape: x.shape, data: x.data });
    await near(tensor(await made.toArray()), x);
  },
);

const steps = fc.record({
  start: fc.integer({ min: -9, max: 9 }),
  count: fc.integer({ min: 1, max: 50 }),
  step: fc.constantFrom(1, 2, -1, 0.5),
});

law('arange and linspace equal their references', steps, async ({ start, count, step }) => {
  const end = start + count * step;
  await near(arange(start, end, step), reference.arange(start, end, step));
  await near(linspace(start, end, count), reference.linspace(start, end, count));
});

test('eye, ones and zeros have the values of their names', async () => {
  await near(eye(3, 2), reference.eye(3, 2));
  await near(ones([2, 3]), reference.full([2, 3], 1));
  await near(zeros([]), reference.full([], 0));
});

test('tensor takes booleans, typed arrays and nested rows', async () => {
  ensure(tensor([true, false]).dtype === 'bool', 'expected dtype bool');
  ensure(tensor(new Int32Array([1, 2])).dtype === 'int32', 'expected int32');
  ensure(
    (await tensor([
      [1, 2],
      [3, 4],
    ])
      .sum()
      .item()) === 10,
    'nested rows',
  );
});

test('tensor refuses ragged rows, wrong counts and no elements', () => {
  refuses(() => tensor([[1, 2], [3]]), ShapeError, 'tensor: expected rows of 2 values at depth 1, got 1');
  refuses(() => tensor([1, 2, 3], { shape: [2, 2] }), ShapeError, 'tensor: expected 4 values for shape [2, 2], got 3');
  refuses(() => tensor([]), ShapeError, 'empty tensors are not supported');
  refuses(() => zeros([2, 0]), ShapeError, 'sizes must be positive integers, got [2, 0]');
  refuses(() => arange(1, 1), ValueError, 'arange: expected at least one element, got none from 1 to 1 by 1');
});
