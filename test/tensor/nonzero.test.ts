// Operations whose shape depends on values.
import {
  CaptureError,
  capture,
  DtypeError,
  noGrad,
  ShapeError,
  scope,
  type Tensor,
  tensor,
  ValueError,
} from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { ensure, near, refuses, shapes, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

type Values = reference.Values;

const cases = shapes({ maxSize: 600 }).chain((shape) =>
  fc.record({
    x: valuesOf(shape, { min: -2, max: 2, integer: true }),
    y: valuesOf(shape),
    mask: valuesOf(shape, { min: 0, max: 1, integer: true }),
  }),
);

/** Compares with the reference, whose empty results are null. */
async function nearOrNull(actual: Tensor | null, expected: Values): Promise<void> {
  if (actual) await near(actual, expected);
  else ensure(expected.data.length === 0, `nothing was found, expected [${expected.shape}]`);
}

law('nonzero and unique equal their references', cases, async ({ x, y }) => {
  await nearOrNull(await toTensor(x).nonzero(), reference.nonzero(x));
  await near(await toTensor(x).unique(), reference.unique(x));
  await near(await toTensor(y).unique(), reference.unique(y));
});

law('maskedSelect equals its reference, and its gradient goes where the mask is true', cases, async ({ y, mask }) => {
  const x = toTensor(y, { requiresGrad: true });
  const found = await x.maskedSelect(toTensor(mask, { dtype: 'bool' }));
  await nearOrNull(found, reference.maskedSelect(y, mask));
  if (!found) return;
  found.square().sum().backward();
  const slopes = y.data.map((v, i) => (mask.data[i] ? 2 * v : 0));
  await near(x.grad as Tensor, { shape: y.shape, data: slopes });
});

test('nonzero, maskedSelect and unique keep every dtype and resolve with null for nothing', async () => {
  for (const dtype of ['float32', 'int32', 'uint32', 'bool'] as const) {
    const x = tensor([1, 0, 1], { dtype });
    const [values, chosen] = [await x.unique(), await x.maskedSelect(x.to('bool'))];
    ensure(values.dtype === dtype && (await values.data()).join() === '0,1', `unique of ${dtype} gives ${values}`);
    ensure(
      chosen?.dtype === dtype && (await chosen.data()).join() === '1,1',
      `maskedSelect of ${dtype} gives ${chosen}`,
    );
    const none = x.to('float32').eq(5);
    ensure((await none.nonzero()) === null && (await x.maskedSelect(none)) === null, 'nothing is not null');
  }
});

test('nonzero and unique count NaN, and maskedSelect broadcasts', async () => {
  const nan = Number.NaN;
  await near((await tensor([0, nan, -0]).nonzero()) as Tensor, reference.values([1, 1], [1]));
  await near(await tensor([nan, 2, nan, 1, 2]).unique(), reference.values([4], [1, 2, nan, nan]));
  await near(await tensor(3).unique(), reference.values([1], [3]));
  const column = tensor([[1], [2]]);
  const chosen = await column.maskedSelect(tensor([true, false, true]));
  await near(chosen as Tensor, reference.values([4], [1, 1, 2, 2]));
});

test('maskedSelect records no gradient where noGrad called it', async () => {
  const x = tensor([1, 2], { requiresGrad: true });
  let promise: Promise<Tensor | null> | null = null;
  noGrad(() => {
    promise = x.maskedSelect(x.gt(1));
  });
  const found = await (promise as Promise<Tensor | null> | null);
  ensure(found?.requiresGrad === false, 'it records a gradient');
});

test('nonzero, maskedSelect and unique are refused inside scope and capture', () => {
  const x = tensor([1, 0]);
  const mask = x.gt(0);
  const calls = { nonzero: () => x.nonzero(), maskedSelect: () => x.maskedSelect(mask), unique: () => x.unique() };
  for (const [name, call] of Object.entries(calls)) {
    const reason = `${name}: the shape of its result depends on values that the host reads; call it outside of`;
    refuses(() => scope(() => void call()), ValueError, `${reason} scope and await it, or use where()`);
    const captured = capture(() => {
      call();
      return x.mul(2);
    });
    refuses(() => captured.run(), CaptureError, `${reason} capture, or use where()`);
    captured.dispose();
  }
});

test('maskedSelect refuses a mask of numbers or of another shape', () => {
  const x = tensor([1, 0]);
  refuses(() => x.maskedSelect(x), DtypeError, 'maskedSelect: expected mask to be bool, got float32');
  refuses(() => x.maskedSelect(tensor([true, true, true])), ShapeError, 'maskedSelect: [2] and [3] do not broadcast');
});
