// Triangles of matrices.
import { ShapeError, tensor, ValueError, zeros } from '@mien/tensor';
import { withLimits } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { ensure, gradcheck, gradgradcheck, near, refuses, shapes, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

const cases = fc.record({
  x: shapes({ minRank: 2, maxSize: 1200 }).chain((shape) => valuesOf(shape)),
  diagonal: fc.oneof(fc.integer({ min: -4, max: 4 }), fc.constantFrom(-300, 300, -(2 ** 40), 2 ** 40)),
});

law('tril and triu equal their references, gradients included', cases, async ({ x, diagonal }) => {
  await near(toTensor(x).tril(diagonal), reference.tril(x, diagonal));
  await near(toTensor(x).triu(diagonal), reference.triu(x, diagonal));
  await gradcheck(
    (v) => v.tril(diagonal),
    (v) => reference.tril(v, diagonal),
    [x],
  );
  await gradcheck(
    (v) => v.triu(diagonal),
    (v) => reference.triu(v, diagonal),
    [x],
  );
});

law(
  'tril and triu are split where a tensor is larger than a binding',
  shapes({ minRank: 2, maxRank: 3 }).chain((shape) => valuesOf(shape)),
  (x) =>
    withLimits({ maxStorageBufferBindingSize: 1024, minStorageBufferOffsetAlignment: 256 }, async () => {
      await near(toTensor(x).tril(1), reference.tril(x, 1));
      await near(toTensor(x).triu(-1), reference.triu(x, -1));
    }),
);

law(
  'the second derivatives of tril and triu are those of their references',
  valuesOf([2, 3], { min: -1.5, max: 1.5 }),
  async (x) => {
    await gradgradcheck(
      (v) => v.tril().square(),
      (v) => reference.square(reference.tril(v)),
      [x],
    );
    await gradgradcheck(
      (v) => v.triu(1).square(),
      (v) => reference.square(reference.triu(v, 1)),
      [x],
    );
  },
);

test('tril and triu replace NaN by 0 and keep every dtype', async () => {
  const nan = Number.NaN;
  const x = tensor([
    [1, nan],
    [nan, Infinity],
  ]);
  await near(x.tril(), reference.values([2, 2], [1, 0, nan, Infinity]));
  await near(x.triu(), reference.values([2, 2], [1, nan, 0, Infinity]));
  for (const dtype of ['int32', 'uint32', 'bool'] as const) {
    const y = tensor([1, 1, 1, 1], { shape: [2, 2], dtype }).tril(-1);
    ensure(y.dtype === dtype && (await y.data()).join() === '0,0,1,0', `${dtype} gives ${await y.data()}`);
  }
});

test('tril and triu refuse vectors and fractions', () => {
  refuses(() => zeros([3]).tril(), ShapeError, 'tril: expected x of shape [..., rows, columns], got [3]');
  refuses(() => zeros([2, 2]).triu(0.5), ValueError, 'triu: diagonal must be an integer, got 0.5');
});
