// Parts along a dimension, copies put together, and grids.
import { cat, DtypeError, meshgrid, ShapeError, type Tensor, tensor, ValueError, zeros } from '@mien/tensor';
import { withLimits } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { ensure, gradcheck, gradgradcheck, near, refuses, shapes, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

type Values = reference.Values;

const alongDim = shapes({ minRank: 1, maxSize: 500 }).chain((shape) =>
  fc.record({ x: valuesOf(shape), dim: fc.nat(shape.length - 1), length: fc.integer({ min: 1, max: 9 }) }),
);

/** Lengths of at most `length` that add up to `size`. */
const equalParts = (size: number, length: number): number[] =>
  Array.from({ length: Math.ceil(size / length) }, (_, i) => Math.min(length, size - i * length));

async function nearAll(actual: readonly Tensor[], expected: readonly Values[]): Promise<void> {
  ensure(actual.length === expected.length, `${actual.length} parts, expected ${expected.length}`);
  for (const [i, part] of actual.entries()) await near(part, expected[i] as Values);
}

law('split equals its reference, gradient included', alongDim, async ({ x, dim, length }) => {
  const size = x.shape[dim] as number;
  const lengths = equalParts(size, length);
  await nearAll(toTensor(x).split(length, dim), reference.split(x, lengths, dim));
  const reversed = lengths.toReversed();
  await nearAll(toTensor(x).split(reversed, dim - x.shape.length), reference.split(x, reversed, dim));
  await gradcheck(
    (v) => v.split(length, dim)[0]?.square() as Tensor,
    (v) => reference.square(reference.split(v, lengths, dim)[0] as Values),
    [x],
  );
});

law('chunk equals its reference, gradient included', alongDim, async ({ x, dim, length: count }) => {
  await nearAll(toTensor(x).chunk(count, dim), reference.chunk(x, count, dim));
  await gradcheck(
    (v) => v.chunk(count, dim).at(-1)?.square() as Tensor,
    (v) => reference.square(reference.chunk(v, count, dim).at(-1) as Values),
    [x],
  );
});

const repeats = shapes({ maxRank: 4, maxSize: 60 }).chain((shape) =>
  fc.record({
    x: valuesOf(shape),
    counts: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: shape.length, maxLength: shape.length + 1 }),
    last: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: shape.length + 1 }),
  }),
);

law('repeat and tile equal their references, gradients included', repeats, async ({ x, counts, last }) => {
  await near(toTensor(x).repeat(counts), reference.repeat(x, counts));
  await near(toTensor(x).tile(last), reference.tile(x, last));
  await gradcheck(
    (v) => v.repeat(counts),
    (v) => reference.repeat(v, counts),
    [x],
  );
  await gradcheck(
    (v) => v.tile(last),
    (v) => reference.tile(v, last),
    [x],
  );
});

test('repeat equals its reference for eight dimensions', async () => {
  const x = reference.values(
    [2, 1, 2, 1, 3, 1, 1, 2],
    Float64Array.from({ length: 24 }, (_, i) => i),
  );
  const counts = [2, 2, 1, 3, 2, 1, 2, 2];
  await near(toTensor(x).repeat(counts), reference.repeat(x, counts));
});

const rolls = shapes({ minRank: 1, maxSize: 500 }).chain((shape) => {
  const dims = fc.array(fc.nat(shape.length - 1), { minLength: 1, maxLength: 3 });
  return dims.chain((dims) =>
    fc.record({
      x: valuesOf(shape),
      dims: fc.constant(dims),
      shifts: fc.array(fc.integer({ min: -40, max: 40 }), { minLength: dims.length, maxLength: dims.length }),
    }),
  );
});

law('roll equals its reference, gradient included', rolls, async ({ x, shifts, dims }) => {
  await near(toTensor(x).roll(shifts, dims), reference.roll(x, shifts, dims));
  const [shift] = shifts as [number];
  const flat = reference.roll(reference.flatten(x, 0, x.shape.length - 1), [shift], [0]);
  await near(toTensor(x).roll(shift), reference.reshape(flat, x.shape));
  await near(toTensor(x).roll(shift, -1), reference.roll(x, [shift], [x.shape.length - 1]));
  await gradcheck(
    (v) => v.roll(shifts, dims),
    (v) => reference.roll(v, shifts, dims),
    [x],
  );
});

law(
  'repeat and roll are split where a tensor is larger than a binding',
  shapes({ minRank: 2, maxRank: 3, maxSize: 1500 }).chain((shape) => valuesOf(shape)),
  (x) =>
    withLimits({ maxStorageBufferBindingSize: 1024, minStorageBufferOffsetAlignment: 256 }, async () => {
      const counts = x.shape.map((_, dim) => (dim === 0 ? 3 : 2));
      await near(toTensor(x).repeat(counts), reference.repeat(x, counts));
      await near(toTensor(x).roll([1, -2], [0, 1]), reference.roll(x, [1, -2], [0, 1]));
    }),
  { runs: 10 },
);

const axes = fc.array(
  shapes({ minRank: 1, maxRank: 1, maxSize: 9 }).chain((shape) => valuesOf(shape)),
  { minLength: 1, maxLength: 3 },
);

law(
  'meshgrid equals its reference, gradient included, for either indexing',
  fc.record({ axes, indexing: fc.constantFrom('ij' as const, 'xy' as const) }),
  async ({ axes, indexing }) => {
    const made = meshgrid(
      axes.map((axis) => toTensor(axis)),
      indexing,
    );
    await nearAll(made, reference.meshgrid(axes, indexing));
    await gradcheck(
      (...list) => cat(meshgrid(list, indexing), 0).square(),
      (...list) => reference.square(reference.cat(reference.meshgrid(list, indexing), 0)),
      axes,
    );
  },
);

const vector = valuesOf([3], { min: -1.5, max: 1.5 });
law('the second derivative of meshgrid is that of its reference', fc.tuple(vector, valuesOf([2])), (inputs) =>
  gradgradcheck(
    (a, b) => cat(meshgrid([a, b]), 0).square(),
    (a, b) => reference.square(reference.cat(reference.meshgrid([a, b]), 0)),
    [...inputs],
  ),
);

law('the second derivatives of repeat, tile, and roll are those of their references', vector, (x) =>
  gradgradcheck(
    (v) => v.repeat([2, 1]).tile([2]).roll([1, 2], [0, 1]).square(),
    (v) => reference.square(reference.roll(reference.tile(reference.repeat(v, [2, 1]), [2]), [1, 2], [0, 1])),
    [x],
  ),
);

test('split, chunk, repeat, tile, roll and meshgrid keep every dtype', async () => {
  for (const dtype of ['int32', 'uint32', 'bool'] as const) {
    const x = tensor([1, 0, 1], { dtype });
    const [first, second] = x.split([1, 2]) as [Tensor, Tensor];
    const results = [first, second, x.chunk(2)[1], x.repeat([2]), x.tile([2]), x.roll(1), meshgrid([x, x])[1]];
    const expected = [[1], [0, 1], [1], [1, 0, 1, 1, 0, 1], [1, 0, 1, 1, 0, 1], [1, 1, 0], [1, 0, 1, 1, 0, 1, 1, 0, 1]];
    for (const [i, y] of (results as Tensor[]).entries()) {
      ensure(y.dtype === dtype, `result ${i} is ${y.dtype}, expected ${dtype}`);
      ensure((await y.data()).join() === expected[i]?.join(), `result ${i} of ${dtype} is ${await y.data()}`);
    }
  }
});

test('roll keeps NaN and infinities where they belong', async () => {
  await near(tensor([Number.NaN, Infinity, 1]).roll(1), reference.values([3], [1, Number.NaN, Infinity]));
});

test('split, chunk, repeat, tile, roll and meshgrid refuse invalid arguments', () => {
  const x = zeros([4, 6]);
  refuses(() => x.split([1, 2]), ShapeError, 'split: expected sizes that add up to 4, got [1, 2] (x [4, 6])');
  refuses(() => x.split(0), ValueError, 'split: the size of a part must be a positive integer, got 0');
  refuses(() => x.split([4, 0]), ValueError, 'split: each size must be a positive integer, got 0');
  refuses(() => x.chunk(0), ValueError, 'chunk: count must be a positive integer, got 0');
  refuses(
    () => x.repeat([2]),
    ValueError,
    'repeat: expected a count for each of the 2 dimensions of [4, 6], got [2]; use tile',
  );
  refuses(() => x.tile([0]), ValueError, 'tile: each count must be a positive integer, got 0');
  refuses(() => x.roll([1, 2]), ValueError, 'roll: expected one shift without dims, got [1, 2]; pass a dim for each');
  refuses(() => x.roll([1, 2], 0), ValueError, 'roll: expected a dim for each shift, got [1, 2] and [0]');
  refuses(() => x.roll(1.5), ValueError, 'roll: each shift must be an integer, got 1.5');
  refuses(() => meshgrid([]), ValueError, 'meshgrid: expected at least one tensor, got none');
  refuses(() => meshgrid([x]), ShapeError, 'meshgrid: expected vectors, got [4, 6]; flatten it');
  refuses(
    () => meshgrid([zeros([2]), zeros([2], { dtype: 'int32' })]),
    DtypeError,
    'meshgrid: expected tensors of one dtype, got float32 and int32',
  );
});
