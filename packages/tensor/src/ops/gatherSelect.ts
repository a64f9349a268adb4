// Slices by index, and the shape rules of all operations with an index.
import { expectDtype } from '../dtype.ts';
import { ShapeError } from '../errors.ts';
import type { Tensor } from '../tensor.ts';
import { pick } from './gatherPick.ts';
import type { Picking } from './gatherSort.ts';
import { normalizeDim, type Shape, show, sizeOf } from './geometry.ts';

/** x of `shape` along `dim`, and an index with x's other sizes. */
export function pickingAlong(shape: Shape, dim: number, count: number): Picking {
  const [outer, inner] = [sizeOf(shape.slice(0, dim)), sizeOf(shape.slice(dim + 1))];
  return { outer, length: shape[dim] as number, inner, count, indexOuter: outer, indexInner: inner };
}

/** Throws DtypeError or ShapeError unless `index` has the sizes of `shape` except along `dim`. */
export function expectIndex(operation: string, index: Tensor, shape: Shape, dim: number): void {
  expectDtype(operation, 'index', index, 'int32', 'uint32');
  if (index.rank === shape.length && index.shape.every((size, d) => d === dim || size === shape[d])) return;
  throw new ShapeError(
    `${operation}: expected index with the sizes of x ${show(shape)} except along dim ${dim}, got ${show(index.shape)}`,
  );
}

/** Throws DtypeError or ShapeError unless `index` is a list of indices. */
export function expectIndexList(operation: string, index: Tensor): void {
  expectDtype(operation, 'index', index, 'int32', 'uint32');
  if (index.rank === 1) return;
  throw new ShapeError(`${operation}: expected index of shape [K], got ${show(index.shape)}; flatten it`);
}

/**
 * Slices of x along `dim` by index [K]: K slices in the order of the index, which may repeat. Indices outside 0..size - 1 give NaN,
 * or 0 for integers. Throws DtypeError unless the index is int32 or uint32, ShapeError unless it has one dimension.
 */
export function indexSelect(x: Tensor, dim: number, index: Tensor): Tensor {
  const along = normalizeDim('indexSelect', dim, x.rank);
  expectIndexList('indexSelect', index);
  return pick('indexSelect', x, index, sharedAlong(x.shape, along, index.size), x.shape.with(along, index.size));
}

/** x of `shape` along `dim`, and one list of indices for all of its columns. */
export function sharedAlong(shape: Shape, dim: number, count: number): Picking {
  return { ...pickingAlong(shape, dim, count), indexOuter: 1, indexInner: 1 };
}
