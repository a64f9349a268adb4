// Tensors cut into parts along a dimension, and tensors put together from copies of one.
import { expectInteger, expectList, expectOneOf, expectTensor } from '../arguments.ts';
import { record } from '../autograd.ts';
import { DtypeError, ShapeError, ValueError } from '../errors.ts';
import { scope } from '../runtime/scope.ts';
import { newEmpty } from '../runtime/tensorBase.ts';
import type { Tensor } from '../tensor.ts';
import { checkShape, normalizeDim, type Shape, show, sizeOf, stridesOf } from './geometry.ts';
import { copyBox, expand, reshape, slice } from './shape.ts';
import { partLengths, splitLengths } from './shapeViews.ts';

/**
 * Consecutive parts of x along `dim`: of `sizes` elements each, the last one of what is left, or of the listed sizes. The values
 * are copied. Throws ShapeError unless listed sizes add up to the dimension's.
 */
export function split(x: Tensor, sizes: number | Shape, dim = 0): Tensor[] {
  const along = normalizeDim('split', dim, x.rank);
  return partsOf(x, along, splitLengths(x.shape[along] as number, sizes, x.shape));
}

/** At most `count` consecutive parts of x along `dim`, of equal size except the last. The values are copied. */
export function chunk(x: Tensor, count: number, dim = 0): Tensor[] {
  expectInteger('chunk', 'count', count);
  const along = normalizeDim('chunk', dim, x.rank);
  const size = x.shape[along] as number;
  return partsOf(x, along, partLengths(size, Math.ceil(size / count)));
}

function partsOf(x: Tensor, dim: number, lengths: readonly number[]): Tensor[] {
  let start = 0;
  return lengths.map((length) => {
    start += length;
    return slice(x, dim, start - length, start);
  });
}

/** The most dimensions that one copy repeats: each is two dimensions of its source. */
const repeatedAtOnce = 3;

/**
 * x repeated `counts` times along each dimension, a count for each; further counts in front add dimensions. Throws ValueError for
 * fewer counts than dimensions, which `tile` accepts.
 */
export function repeat(x: Tensor, counts: Shape): Tensor {
  return repeated('repeat', x, counts);
}

/** x repeated `counts` times along its last dimensions; further counts in front add dimensions. */
export function tile(x: Tensor, counts: Shape): Tensor {
  expectList('tile', 'counts', counts);
  return repeated('tile', x, [...new Array<number>(Math.max(0, x.rank - counts.length)).fill(1), ...counts]);
}

function repeated(name: string, x: Tensor, counts: Shape): Tensor {
  expectList(name, 'counts', counts);
  for (const count of counts) expectInteger(name, 'each count', count);
  if (counts.length < x.rank) {
    throw new ValueError(
      `${name}: expected a count for each of the ${x.rank} dimensions of ${show(x.shape)}, got ${show(counts)}; use tile`,
    );
  }
  const shape = [...new Array<number>(counts.length - x.rank).fill(1), ...x.shape];
  const result = shape.map((size, dim) => size * (counts[dim] as number));
  checkShape(name, result);
  // Each dimension that is repeated, with those after it that are not.
  const runs: { count: number; size: number }[] = [];
  let lead = 1;
  for (const [dim, size] of shape.entries()) {
    const last = runs.at(-1);
    if (counts[dim] !== 1) runs.push({ count: counts[dim] as number, size });
    else if (last) last.size *= size;
    else lead *= size;
  }
  return scope(() => {
    let y = runs.length > 0 ? x : expand(x, x.shape);
    for (let end = runs.length; end > 0; end -= repeatedAtOnce) {
      const start = Math.max(0, end - repeatedAtOnce);
      const now = runs.slice(start, end);
      const before = lead * sizeOf(runs.slice(0, start).map(({ size }) => size));
      const after = sizeOf(runs.slice(end).map(({ count, size }) => count * size));
      const from = reshape(y, [before, ...now.flatMap(({ size }) => [1, size]), after]);
      y = expand(from, [before, ...now.flatMap(({ count, size }) => [count, size]), after]);
    }
    return reshape(y, result);
  });
}

/**
 * Elements moved by `shifts` along `dims`, those beyond the end to the start; without `dims` in the flattened tensor. Throws
 * ValueError unless there is a shift for each dimension.
 */
export function roll(x: Tensor, shifts: number | Shape, dims?: number | Shape): Tensor {
  const listed = typeof shifts === 'number' ? [shifts] : shifts;
  expectList('roll', 'shifts', listed);
  for (const shift of listed) expectInteger('roll', 'each shift', shift, Number.NEGATIVE_INFINITY);
  if (dims === undefined) {
    if (listed.length === 1) return scope(() => reshape(rolled(reshape(x, [x.size]), 0, listed[0] as number), x.shape));
    throw new ValueError(`roll: expected one shift without dims, got ${show(listed)}; pass a dim for each`);
  }
  const over = typeof dims === 'number' ? [dims] : dims;
  expectList('roll', 'dims', over);
  if (over.length !== listed.length || over.length === 0) {
    throw new ValueError(`roll: expected a dim for each shift, got ${show(listed)} and ${show(over)}`);
  }
  const named = over.map((dim) => normalizeDim('roll', dim, x.rank));
  return scope(() => named.reduce((y, dim, i) => rolled(y, dim, listed[i] as number), x));
}

function rolled(x: Tensor, dim: number, shift: number): Tensor {
  const size = x.shape[dim] as number;
  const first = ((shift % size) + size) % size;
  const strides = stridesOf(x.shape);
  const along = strides[dim] as number;
  const y = newEmpty(x, x.shape);
  const move = (from: number, to: number, length: number): void => {
    const box = x.shape.with(dim, length);
    copyBox(x, { offset: from * along, strides }, y, { offset: to * along, strides }, box);
  };
  move(0, first, size - first);
  if (first > 0) move(size - first, 0, first);
  return record('roll', y, { x }, { saves: {}, backward: (dy) => ({ x: rolled(dy, dim, size - first) }) });
}

/**
 * Coordinates of a grid: for tensors of sizes [A], [B], ... as many tensors [A, B, ...], of which the i-th varies along dimension i.
 * `indexing` 'xy' exchanges the first two dimensions. Scalars have size 1. Throws ShapeError for other ranks, DtypeError for
 * different dtypes.
 */
export function meshgrid(tensors: readonly Tensor[], indexing: 'ij' | 'xy' = 'ij'): Tensor[] {
  expectList('meshgrid', 'tensors', tensors);
  expectOneOf('meshgrid', 'indexing', indexing, ['ij', 'xy']);
  if (tensors.length === 0) throw new ValueError('meshgrid: expected at least one tensor, got none');
  for (const [i, x] of tensors.entries()) {
    expectTensor('meshgrid', `tensor ${i}`, x);
    if (x.rank > 1) throw new ShapeError(`meshgrid: expected vectors, got ${show(x.shape)}; flatten it`);
    if (x.dtype === tensors[0]?.dtype) continue;
    throw new DtypeError(
      `meshgrid: expected tensors of one dtype, got ${tensors[0]?.dtype} and ${x.dtype}; convert with to(dtype)`,
    );
  }
  const dims = tensors.map((_, i) => (indexing === 'xy' && i < 2 && tensors.length > 1 ? 1 - i : i));
  const shape = tensors.map((_, dim) => (tensors[dims[dim] as number] as Tensor).size);
  checkShape('meshgrid', shape);
  return scope(() =>
    tensors.map((x, i) =>
      expand(
        reshape(
          x,
          shape.map((_, dim) => (dim === dims[i] ? x.size : 1)),
        ),
        shape,
      ),
    ),
  );
}
