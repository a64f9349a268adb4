// Indexing by positions, ranges, tensors, new dimensions and the ellipsis.
import { DtypeError, ShapeError, type Tensor, type TensorIndex, tensor, ValueError, zeros } from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { ensure, gradcheck, gradgradcheck, near, refuses, shapes, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

type Values = reference.Values;

/** An index as `at` takes it, and what it selects. */
interface IndexCase {
  readonly index: () => TensorIndex;
  readonly selection: reference.Selection;
}

const all = (size: number): reference.Selection => ({ start: 0, count: size, step: 1 });

/** A position or range of a dimension, counted from either end. */
function plain(size: number): fc.Arbitrary<IndexCase> {
  const position = fc.record({ at: fc.nat(size - 1), back: fc.boolean() }).map(({ at, back }) => ({
    index: () => (back ? at - size : at),
    selection: at,
  }));
  const range = fc
    .record({
      start: fc.nat(size - 1),
      length: fc.integer({ min: 1, max: size }),
      step: fc.integer({ min: 1, max: 3 }),
    })
    .map(({ start, length, step }): IndexCase => {
      const stop = Math.min(start + length, size);
      return {
        index: () => [start === 0 ? null : start - size, stop === size ? null : stop, step],
        selection: { start, count: Math.ceil((stop - start) / step), step },
      };
    });
  return fc.oneof(position, range, fc.constant({ index: () => [] as const, selection: all(size) }));
}

/** A tensor of positions, some of them negative. */
function positions(size: number, shape: readonly number[]): fc.Arbitrary<IndexCase> {
  return valuesOf(shape, { min: -size, max: size - 1, integer: true }).map((values) => ({
    index: () => toTensor(values, { dtype: 'int32' }),
    selection: { ...values, data: values.data.map((v) => (v < 0 ? v + size : v)) },
  }));
}

/** One index for each dimension: tensors with probability 1/3, whose shapes broadcast; then new dimensions. */
const cases = shapes({ minRank: 1, maxRank: 4, maxSize: 300 }).chain((shape) => {
  const one = (size: number): fc.Arbitrary<IndexCase> =>
    fc.oneof(
      plain(size),
      plain(size),
      fc.constantFrom([], [3], [2, 3], [2, 1]).chain((joint) => positions(size, joint)),
    );
  return fc.record({
    x: valuesOf(shape),
    indices: fc.tuple(...shape.map(one)),
    fresh: fc.option(fc.nat(shape.length), { nil: null }),
    left: fc.boolean(),
  });
});

interface Example {
  readonly x: Values;
  readonly indices: readonly IndexCase[];
  readonly fresh: number | null;
  readonly left: boolean;
}

/** The arguments of `at`, with or without the last ones that take all of a dimension. */
function argumentsOf({ indices, fresh, left }: Example): {
  readonly list: IndexCase[];
  readonly given: () => TensorIndex[];
} {
  const list = fresh === null ? [...indices] : indices.toSpliced(fresh, 0, { index: () => null, selection: null });
  const isWhole = ({ index }: IndexCase): boolean => {
    const made = index();
    return Array.isArray(made) && made.length === 0;
  };
  let end = list.length;
  while (left && end > 0 && isWhole(list[end - 1] as IndexCase)) end--;
  const given = (): TensorIndex[] => list.slice(0, end).map(({ index }) => index());
  return { list, given };
}

law('at equals its reference for any indices, gradient included', cases, async (example) => {
  const { list, given } = argumentsOf(example);
  const selections = list.map(({ selection }) => selection);
  await near(toTensor(example.x).at(...given()), reference.select(example.x, selections));
  await gradcheck(
    (v) => v.at(...given()).square(),
    (v) => reference.square(reference.select(v, selections)),
    [example.x],
  );
});

law('the second derivative of at is that of its reference', valuesOf([3, 2], { min: -1.5, max: 1.5 }), async (x) => {
  const rows = reference.values([3], [2, 0, 2]);
  await gradgradcheck(
    (v) => v.at(toTensor(rows, { dtype: 'int32' }), -1).square(),
    (v) => reference.square(reference.select(v, [rows, 1])),
    [x],
  );
});

const grid = (): Tensor => tensor({ shape: [2, 3, 4], data: Float32Array.from({ length: 24 }, (_, i) => i) });
const list = (...values: number[]): Tensor => tensor(values, { dtype: 'int32' });

/** Indices with the shape and first values that NumPy and PyTorch give. */
const known: Readonly<Record<string, readonly [(x: Tensor) => Tensor, shape: string, first: number, last: number]>> = {
  'a position': [(x) => x.at(1), '3,4', 12, 23],
  'a position from the end': [(x) => x.at(-1, 0), '4', 12, 15],
  'a position of each dimension': [(x) => x.at(1, 2, 3), '', 23, 23],
  'a range': [(x) => x.at([0, 1]), '1,3,4', 0, 11],
  'a range with a step': [(x) => x.at([], [0, null, 2]), '2,2,4', 0, 23],
  'an ellipsis': [(x) => x.at('...', -1), '2,3', 3, 23],
  'an ellipsis in the middle': [(x) => x.at(0, '...', [1, 3]), '3,2', 1, 10],
  'an ellipsis for nothing': [(x) => x.at(0, 1, '...', 2), '', 6, 6],
  'a new dimension': [(x) => x.at(null, 0), '1,3,4', 0, 11],
  'new dimensions at both ends': [(x) => x.at(null, '...', null), '1,2,3,4,1', 0, 23],
  'a tensor': [(x) => x.at([], list(2, 0, -1)), '2,3,4', 8, 23],
  'a matrix of positions': [(x) => x.at(0, list(0, 1, 2, 0).reshape([2, 2])), '2,2,4', 0, 3],
  'tensors that are neighbors': [(x) => x.at([], list(0, 2), list(1, -1)), '2,2', 1, 23],
  'tensors apart, whose dimension comes first': [(x) => x.at(list(0, 1, 1), [], list(0, 1, 2)), '3,3', 0, 22],
  'a column and a row of positions': [(x) => x.at(list(0, 1).reshape([2, 1]), list(0, 2)), '2,2,4', 0, 23],
  nothing: [(x) => x.at(), '2,3,4', 0, 23],
};

for (const [what, [call, shape, first, last]] of Object.entries(known)) {
  test(`at takes ${what}`, async () => {
    const y = call(grid());
    const data = await y.data();
    ensure(y.shape.join() === shape && data[0] === first && data.at(-1) === last, `got [${y.shape}]: ${data}`);
  });
}

test('at keeps every dtype, and gives NaN or 0 for positions of a tensor outside', async () => {
  await near(tensor([1, 2]).at(list(2, -3, -1)), reference.values([3], [Number.NaN, Number.NaN, 2]));
  const x = grid().at([], list(0, 3), list(-5, 0));
  ensure((await x.data()).every(Number.isNaN), 'a position outside selects a neighbor');
  for (const dtype of ['int32', 'uint32', 'bool'] as const) {
    const y = tensor([1, 0, 1], { dtype }).at(list(2, 1, 5));
    ensure(y.dtype === dtype && (await y.data()).join() === '1,0,0', `${dtype} gives ${await y.data()}`);
  }
});

test('at refuses invalid indices', () => {
  const x = zeros([2, 3]);
  refuses(() => x.at(2), ValueError, 'at: position 2 is outside dim 0 of [2, 3]; positions are -2 to 1');
  refuses(() => x.at(0, 0, 0), ShapeError, 'at: expected at most 2 indices for [2, 3], got 3');
  refuses(() => x.at('...', '...'), ValueError, "at: expected at most one '...', got 2");
  refuses(() => x.at(0.5), ValueError, 'at: a position must be an integer, got 0.5');
  refuses(() => x.at([1, 1]), ShapeError, 'slice: expected at least one element, got 1..1 of dim 0');
  refuses(() => x.at([0, null, -1]), ValueError, 'slice: step must be a positive integer, got -1; reverse with flip');
  refuses(() => x.at([0, 1, 1, 1] as never), ValueError, 'at: a range must be [start, stop, step], integers or null');
  refuses(
    () => x.at(x.gt(0)),
    DtypeError,
    'at: the shape of a selection by a mask depends on its values; use await x.maskedSelect(mask)',
  );
  refuses(() => x.at(x), DtypeError, "at: expected index to be int32, got float32; convert with to('int32')");
  refuses(() => x.at(list(0, 1), list(0, 1, 2)), ShapeError, 'at: [2] and [3] do not broadcast');
});
