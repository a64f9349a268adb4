import { cat, pad, ShapeError, stack, ValueError } from '@mien/tensor';
import { withLimits } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { gradcheck, near, refuses, shapes, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

const order = (rank: number) =>
  fc.shuffledSubarray(
    Array.from({ length: rank }, (_, dim) => dim),
    { minLength: rank },
  );

law(
  'permute equals its reference in any order, gradient included',
  shapes({ minRank: 1, maxRank: 5, maxSize: 1000 }).chain((shape) =>
    fc.record({ x: valuesOf(shape), order: order(shape.length) }),
  ),
  async ({ x, order }) => {
    await near(toTensor(x).permute(order), reference.permute(x, order));
    await gradcheck(
      (v) => v.permute(order),
      (v) => reference.permute(v, order),
      [x],
    );
  },
);

law(
  'permute equals its reference for six dimensions, the last a multiple of 4',
  fc.record({ x: valuesOf([4, 3, 2, 3, 2, 8]), order: order(6) }),
  ({ x, order }) => near(toTensor(x).permute(order), reference.permute(x, order)),
);

law(
  'transpose equals its reference',
  shapes({ minRank: 2 }).chain((shape) =>
    fc.record({ x: valuesOf(shape), a: fc.nat(shape.length - 1), b: fc.nat(shape.length - 1) }),
  ),
  async ({ x, a, b }) => near(toTensor(x).transpose(a, b), reference.transpose(x, a, b)),
);

const slices = shapes({ minRank: 1, maxSize: 1000 }).chain((shape) =>
  fc.nat(shape.length - 1).chain((dim) => {
    const size = shape[dim] as number;
    return fc.nat(size - 1).chain((start) =>
      fc.record({
        x: valuesOf(shape),
        dim: fc.constant(dim),
        start: fc.constant(start),
        end: fc.integer({ min: start + 1, max: size }),
        step: fc.integer({ min: 1, max: 3 }),
      }),
    );
  }),
);

law('slice equals its reference, gradient included', slices, async ({ x, dim, start, end, step }) => {
  await near(toTensor(x).slice(dim, start, end, step), reference.slice(x, dim, start, end, step));
  await gradcheck(
    (v) => v.slice(dim, start, end, step),
    (v) => reference.slice(v, dim, start, end, step),
    [x],
  );
});

law(
  'flip equals its reference, gradient included',
  shapes({ minRank: 1, maxSize: 500 }).chain((shape) =>
    fc.record({
      x: valuesOf(shape),
      dims: fc.subarray(
        shape.map((_, dim) => dim),
        { minLength: 1 },
      ),
    }),
  ),
  async ({ x, dims }) => {
    await near(toTensor(x).flip(dims), reference.flip(x, dims));
    await gradcheck(
      (v) => v.flip(dims),
      (v) => reference.flip(v, dims),
      [x],
    );
  },
);

law(
  'expand equals its reference, gradient included',
  shapes({ minRank: 1, maxSize: 400 }).chain((shape) =>
    fc
      .array(fc.boolean(), { minLength: shape.length, maxLength: shape.length })
      .chain((ones) =>
        fc.record({ x: valuesOf(shape.map((size, dim) => (ones[dim] ? 1 : size))), shape: fc.constant([2, ...shape]) }),
      ),
  ),
  async ({ x, shape }) => {
    await near(toTensor(x).expand(shape), reference.expand(x, shape));
    await gradcheck(
      (v) => v.expand(shape),
      (v) => reference.expand(v, shape),
      [x],
    );
  },
);

law(
  'cat and stack equal their references, gradient included',
  shapes({ minRank: 1, maxRank: 3, maxSize: 200 }).chain((shape) =>
    fc.nat(shape.length - 1).chain((dim) =>
      fc.record({
        dim: fc.constant(dim),
        list: fc
          .array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 })
          .chain((lengths) =>
            fc.tuple(...lengths.map((length) => valuesOf(shape.map((size, d) => (d === dim ? length : size))))),
          ),
        same: fc.tuple(valuesOf(shape), valuesOf(shape)),
      }),
    ),
  ),
  async ({ dim, list, same }) => {
    await near(
      cat(
        list.map((x) => toTensor(x)),
        dim,
      ),
      reference.cat(list, dim),
    );
    await gradcheck(
      (...xs) => cat(xs, dim),
      (...xs) => reference.cat(xs, dim),
      list,
    );
    await near(
      stack(
        same.map((x) => toTensor(x)),
        dim,
      ),
      reference.stack(same, dim),
    );
    await gradcheck(
      (...xs) => stack(xs, dim),
      (...xs) => reference.stack(xs, dim),
      same,
    );
  },
);

law(
  'pad equals its reference, gradient included',
  shapes({ minRank: 1, maxRank: 3, maxSize: 200 }).chain((shape) =>
    fc.record({ x: valuesOf(shape), counts: fc.tuple(...shape.map(() => fc.tuple(fc.nat(2), fc.nat(2)))) }),
  ),
  async ({ x, counts }) => {
    await near(pad(toTensor(x), counts, -3), reference.pad(x, counts, -3));
    await gradcheck(
      (v) => pad(v, counts, -3),
      (v) => reference.pad(v, counts, -3),
      [x],
    );
  },
);

law(
  'reshape keeps the order of values, gradient included',
  shapes({ minRank: 1, maxSize: 500 }).chain((s) => valuesOf(s)),
  async (x) => {
    await near(toTensor(x).reshape([-1]), reference.reshape(x, [x.data.length]));
    await gradcheck(
      (v) => v.reshape([-1]).square(),
      (v) => reference.square(reference.reshape(v, [v.data.length])),
      [x],
    );
  },
);

/** Tensors of up to 16 KiB, for bindings of 1 KiB. */
const split = (name: string, rank: number, property: (x: reference.Values) => Promise<void>) =>
  law(
    `${name} is split where a tensor is larger than a binding, gradient included`,
    shapes({ minRank: rank, maxRank: rank }).chain((shape) => valuesOf(shape)),
    (x) => withLimits({ maxStorageBufferBindingSize: 1024, minStorageBufferOffsetAlignment: 256 }, () => property(x)),
  );

split('permute', 3, async (x) => {
  for (const order of [
    [2, 1, 0],
    [0, 2, 1],
    [1, 2, 0],
  ]) {
    await near(toTensor(x).permute(order), reference.permute(x, order));
    await gradcheck(
      (v) => v.permute(order),
      (v) => reference.permute(v, order),
      [x],
    );
  }
});

split('slice', 2, async (x) => {
  for (const [dim, start, step] of [
    [0, 0, 2],
    [1, 0, 3],
  ] as const) {
    const end = x.shape[dim] as number;
    await near(toTensor(x).slice(dim, start, end, step), reference.slice(x, dim, start, end, step));
    await gradcheck(
      (v) => v.slice(dim, start, end, step),
      (v) => reference.slice(v, dim, start, end, step),
      [x],
    );
  }
});

split('flip', 3, async (x) => {
  for (const dims of [[0], [1], [0, 2]]) {
    await near(toTensor(x).flip(dims), reference.flip(x, dims));
    await gradcheck(
      (v) => v.flip(dims),
      (v) => reference.flip(v, dims),
      [x],
    );
  }
});

split('cat', 3, async (x) => {
  for (const dim of [0, 1, 2]) {
    await near(cat([toTensor(x), toTensor(x)], dim), reference.cat([x, x], dim));
    await gradcheck(
      (a, b) => cat([a, b], dim),
      (a, b) => reference.cat([a, b], dim),
      [x, x],
    );
  }
});

split('pad', 2, async (x) => {
  const counts = [
    [1, 2],
    [3, 0],
  ] as const;
  await near(pad(toTensor(x), counts, -3), reference.pad(x, counts, -3));
  await gradcheck(
    (v) => pad(v, counts, -3),
    (v) => reference.pad(v, counts, -3),
    [x],
  );
});

law(
  'expand is split where a tensor is larger than a binding',
  shapes({ minRank: 2, maxRank: 2, maxSize: 1000 }).chain((shape) => valuesOf(shape)),
  (x) =>
    withLimits({ maxStorageBufferBindingSize: 1024, minStorageBufferOffsetAlignment: 256 }, async () => {
      const [rows, columns] = x.shape as [number, number];
      await near(toTensor(x).expand([5, rows, columns]), reference.expand(x, [5, rows, columns]));
      const column = { shape: [x.data.length, 1], data: x.data };
      await near(toTensor(column).expand([-1, 7]), reference.expand(column, [x.data.length, 7]));
    }),
);

test('slice counts negative positions from the end, as in Python', async () => {
  const x = toTensor(reference.values([5], [0, 1, 2, 3, 4]));
  await near(x.slice(0, -2), reference.values([2], [3, 4]));
  await near(x.slice(0, 0, -3), reference.values([2], [0, 1]));
  await near(x.slice(0, 1, 99, 2), reference.values([2], [1, 3]));
});

test('shape operations refuse invalid arguments', () => {
  const x = toTensor(reference.values([2, 3], [1, 2, 3, 4, 5, 6]));
  refuses(() => x.reshape([4, 2]), ShapeError, 'reshape: expected a shape of 6 elements for [2, 3], got [4, 2]');
  refuses(() => x.reshape([-1, -1]), ShapeError, 'reshape: expected a shape of 6 elements for [2, 3]');
  refuses(() => x.permute([0, 0]), ValueError, 'permute: order must name each dimension of [2, 3] once, got [0, 0]');
  refuses(() => x.slice(1, 0, 3, -1), ValueError, 'slice: step must be a positive integer, got -1; reverse with flip');
  refuses(() => x.slice(1, 2, 2), ShapeError, 'slice: expected at least one element, got 2..2 of dim 1');
  refuses(() => x.expand([2, 4]), ShapeError, 'expand: expected a shape that [2, 3] broadcasts to, got [2, 4]');
  refuses(
    () => cat([x, x.transpose(0, 1)]),
    ShapeError,
    'cat: expected sizes that agree except along dim 0, got [2, 3] and [3, 2]',
  );
  refuses(
    () =>
      pad(x, [
        [0, -1],
        [0, 0],
      ]),
    ValueError,
    'pad: expected [before, after], non-negative integers',
  );
});
