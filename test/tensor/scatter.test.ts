// Values written and added at indices.
import { DtypeError, gather, ShapeError, tensor, zeros } from '@mien/tensor';
import { withLimits } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { ensure, gradcheck, gradgradcheck, near, refuses, shapes, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';
import { indexAddIsRight, int32, scatterAddIsRight, scatterCase, scatterIsRight } from './scatterCases.ts';

type Values = reference.Values;

/** Few places, so that indices repeat. */
const scatterCases = (shape: fc.Arbitrary<number[]>, counts: fc.Arbitrary<number>) =>
  fc.tuple(shape, counts, fc.nat(7)).chain(([shape, count, nth]) => scatterCase(shape, nth % shape.length, count));

const few = scatterCases(shapes({ minRank: 1, maxSize: 300 }), fc.integer({ min: 1, max: 9 }));
law('scatter equals its reference, gradients included', few, scatterIsRight);
law('scatterAdd equals its reference, gradients included', few, scatterAddIsRight);
law('indexAdd equals its reference, gradients included', few, indexAddIsRight);
law('indexSelect equals its reference, gradient included', few, async ({ x, dim, list }) => {
  await near(toTensor(x).indexSelect(dim, int32(list)), reference.indexSelect(x, dim, list));
  await gradcheck(
    (v) => v.indexSelect(dim, int32(list)),
    (v) => reference.indexSelect(v, dim, list),
    [x],
  );
});

law(
  'the second derivatives of scatter, scatterAdd, indexAdd, and indexSelect are those of their references',
  fc.tuple(valuesOf([3, 2], { min: -1.5, max: 1.5 }), valuesOf([4, 2], { min: -1.5, max: 1.5 })),
  async ([x, src]) => {
    const index = reference.values([4, 2], [0, 2, 0, 1, 2, 2, 0, 1]);
    const list = reference.values([4], [2, 0, 2, 1]);
    await gradgradcheck(
      (v, s) => v.scatter(0, int32(index), s).square(),
      (v, s) => reference.square(reference.scatter(v, 0, index, s)),
      [x, src],
    );
    await gradgradcheck(
      (v, s) => v.scatterAdd(0, int32(index), s).square(),
      (v, s) => reference.square(reference.scatterAdd(v, 0, index, s)),
      [x, src],
    );
    await gradgradcheck(
      (v, s) => v.indexAdd(0, int32(list), s).square(),
      (v, s) => reference.square(reference.indexAdd(v, 0, list, s)),
      [x, src],
    );
    await gradgradcheck(
      (v) => v.indexSelect(0, int32(list)).square(),
      (v) => reference.square(reference.indexSelect(v, 0, list)),
      [x],
    );
  },
  { runs: 6 },
);

law(
  'scatterAdd and indexAdd are split where a tensor is larger than a binding, gradients included',
  scatterCases(shapes({ minRank: 3, maxRank: 3 }), fc.integer({ min: 1, max: 20 })),
  (example) =>
    withLimits({ maxStorageBufferBindingSize: 1024, minStorageBufferOffsetAlignment: 256 }, async () => {
      await scatterAddIsRight(example);
      await indexAddIsRight(example);
    }),
  { runs: 10 },
);

law('scatterAdd of integers wraps around as addition does', few, async ({ x, dim, src, index }) => {
  const whole = (values: Values): Values => ({ ...values, data: values.data.map((v) => Math.round(50 * v)) });
  const expected = reference.scatterAdd(whole(x), dim, index, whole(src));
  const actual = int32(whole(x)).scatterAdd(dim, int32(index), int32(whole(src)));
  ensure((await actual.data()).join() === [...expected.data].join(), 'the sums differ');
});

test('scatter writes a number, keeps every dtype, and the last of equal indices wins', async () => {
  const at = tensor([2, 0, 2], { dtype: 'int32' });
  await near(zeros([4]).scatter(0, at, 5), reference.values([4], [5, 0, 5, 0]));
  await near(zeros([4]).scatter(0, at.to('uint32'), tensor([1, 2, 3])), reference.values([4], [2, 0, 3, 0]));
  for (const dtype of ['int32', 'uint32', 'bool'] as const) {
    const y = zeros([4], { dtype }).scatter(0, at, tensor([0, 1, 1], { dtype }));
    ensure(y.dtype === dtype && (await y.data()).join() === '1,0,1,0', `${dtype} gives ${await y.data()}`);
  }
});

test('indexSelect keeps every dtype', async () => {
  for (const dtype of ['int32', 'uint32', 'bool'] as const) {
    const y = tensor([0, 1, 1], { dtype }).indexSelect(0, tensor([2, 0, 1, 1], { dtype: 'int32' }));
    ensure(y.dtype === dtype && (await y.data()).join() === '1,0,1,1', `${dtype} gives ${await y.data()}`);
  }
});

test('scatter, scatterAdd, indexAdd and indexSelect give NaN for an index out of range, and ignore it for integers', async () => {
  const nan = Number.NaN;
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  const index = tensor([[0, 5]], { dtype: 'int32' });
  const src = tensor([[7, 8]]);
  await near(x.scatter(0, index, src), reference.values([2, 2], [7, nan, 3, nan]));
  await near(x.scatterAdd(0, index, src), reference.values([2, 2], [8, nan, 3, nan]));
  const list = tensor([-1], { dtype: 'int32' });
  await near(x.indexAdd(0, list, src), reference.values([2, 2], [nan, nan, nan, nan]));
  await near(x.indexSelect(0, list), reference.values([1, 2], [nan, nan]));
  const [integers, sources] = [x.to('int32'), src.to('int32')];
  await near(integers.scatter(0, index, sources), reference.values([2, 2], [7, 2, 3, 4]));
  await near(integers.scatterAdd(0, index, sources), reference.values([2, 2], [8, 2, 3, 4]));
  await near(integers.indexSelect(0, list), reference.values([1, 2], [0, 0]));
});

test('scatter, scatterAdd, indexAdd and indexSelect refuse invalid arguments', () => {
  const x = zeros([2, 3]);
  const index = zeros([2, 3], { dtype: 'int32' });
  const sizes = 'expected index with the sizes of x [2, 3] except along dim 0, got [2, 2]';
  refuses(() => x.scatter(0, x, x), DtypeError, 'scatter: expected index to be int32 or uint32, got float32');
  refuses(() => x.scatter(0, index.slice(1, 0, 2), x), ShapeError, `scatter: ${sizes}`);
  refuses(() => x.scatterAdd(0, index.slice(1, 0, 2), x), ShapeError, `scatterAdd: ${sizes}`);
  refuses(() => x.scatter(1, index, zeros([2, 2])), ShapeError, 'scatter: expected src of shape [2, 3], got [2, 2]');
  refuses(() => x.scatter(1, index, index), DtypeError, 'scatter: expected src to be float32, got int32');
  refuses(() => x.indexAdd(0, index, x), ShapeError, 'indexAdd: expected index of shape [K], got [2, 3]; flatten it');
  refuses(
    () => x.indexSelect(0, index),
    ShapeError,
    'indexSelect: expected index of shape [K], got [2, 3]; flatten it',
  );
  const list = zeros([2], { dtype: 'int32' });
  refuses(() => x.indexAdd(1, list, x), ShapeError, 'indexAdd: expected source of shape [2, 2], got [2, 3]');
  const flags = tensor([true, false]);
  refuses(
    () => flags.scatterAdd(0, list, flags),
    DtypeError,
    'scatterAdd: expected x to be float32 or int32 or uint32',
  );
  refuses(() => gather(x, 0, x), DtypeError, 'gather: expected index to be int32 or uint32, got float32');
});
