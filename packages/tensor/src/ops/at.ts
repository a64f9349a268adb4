// Indexing as in NumPy and PyTorch, composed of slices, views and selections by index.
import joinIndexText from '@mien/shaders/at/joinIndex.wgsl';
import { kindOf } from '../arguments.ts';
import { DtypeError, ShapeError, ValueError } from '../errors.ts';
import { kernel } from '../runtime/kernel.ts';
import { deviceOf, type Memory } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import { scope } from '../runtime/scope.ts';
import { part, splitElements } from '../runtime/split.ts';
import { newEmpty, TensorBase } from '../runtime/tensorBase.ts';
import type { Tensor } from '../tensor.ts';
import { newFull } from './fill.ts';
import { indexSelect } from './gatherSelect.ts';
import { broadcastShapes, show, sizeOf } from './geometry.ts';
import { expand, permute, reshape, slice } from './shape.ts';

/** Positions from `start` before `stop` in steps; null and absent are open ends, [] is all. Negative ones count from the end. */
export type IndexRange = readonly [start?: number | null, stop?: number | null, step?: number | null];

/**
 * An index of `at`: a position (which removes the dimension), a range, an int32 tensor of positions, null for a new dimension of
 * size 1, or '...' for all dimensions that no other index takes.
 */
export type TensorIndex = number | IndexRange | Tensor | null | '...';

const joinIndex = kernel(joinIndexText);

/**
 * The elements of x at one index per dimension; missing ones take all. Several tensors broadcast and select together, as in PyTorch:
 * their dimensions replace those that they index, or come first where these are not neighbors. Positions of tensors outside the
 * dimension give NaN, or 0 for integers. Throws ShapeError for too many indices, ValueError for a position outside, DtypeError for a
 * mask.
 */
export function at(x: Tensor, ...indices: readonly TensorIndex[]): Tensor {
  const all = withoutEllipsis(x, indices);
  return scope(() => {
    let y = x;
    let dim = 0;
    const selections: (readonly [dim: number, index: Tensor])[] = [];
    for (const index of all) {
      if (index === null) y = reshape(y, y.shape.toSpliced(dim++, 0, 1));
      else if (typeof index === 'number') y = reshape(positionOf(y, dim, index), y.shape.toSpliced(dim, 1));
      else if (index instanceof TensorBase) selections.push([dim++, index]);
      else y = rangeOf(y, dim++, index);
    }
    if (selections.length > 0) return selected(y, selections);
    return y === x ? reshape(x, x.shape) : y;
  });
}

/** One index for each dimension, besides null. */
function withoutEllipsis(x: Tensor, indices: readonly TensorIndex[]): readonly Exclude<TensorIndex, '...'>[] {
  for (const index of indices) expectKind(index);
  const known = indices.filter((index) => index !== null && index !== '...').length;
  const count = indices.filter((index) => index === '...').length;
  if (count > 1) throw new ValueError(`at: expected at most one '...', got ${count}`);
  if (known > x.rank) {
    throw new ShapeError(
      `at: expected at most ${x.rank} indices for ${show(x.shape)}, got ${known}; null adds a dimension`,
    );
  }
  const rest = new Array<IndexRange>(x.rank - known).fill([]);
  const complete = count === 0 ? [...indices, '...' as const] : indices;
  return complete.flatMap((index) => (index === '...' ? rest : [index]));
}

/** Throws unless `index` is one. */
function expectKind(index: unknown): void {
  if (index === null || index === '...') return;
  if (index instanceof TensorBase) {
    if (index.dtype === 'int32') return;
    throw new DtypeError(
      index.dtype === 'bool'
        ? 'at: the shape of a selection by a mask depends on its values; use await x.maskedSelect(mask), or where(mask, x, 0)'
        : `at: expected index to be int32, got ${index.dtype}; convert with to('int32')`,
    );
  }
  if (typeof index === 'number') {
    if (Number.isSafeInteger(index)) return;
    throw new ValueError(`at: a position must be an integer, got ${index}`);
  }
  if (!Array.isArray(index)) {
    throw new ValueError(
      `at: an index must be a number, [start, stop, step], an int32 tensor, null or '...', got ${kindOf(index)}`,
    );
  }
  const isEnd = (end: unknown): boolean => end === undefined || end === null || Number.isSafeInteger(end);
  const [start, stop, step] = index;
  if (index.length <= 3 && isEnd(start) && isEnd(stop) && isEnd(step)) return;
  throw new ValueError(
    `at: a range must be [start, stop, step], integers or null, got [${index.map(kindOf).join(', ')}]; pass a list of positions as an int32 tensor`,
  );
}

/** The slice at a position. */
function positionOf(x: Tensor, dim: number, position: number): Tensor {
  const size = x.shape[dim] as number;
  const place = position < 0 ? position + size : position;
  if (place >= 0 && place < size) return slice(x, dim, place, place + 1);
  throw new ValueError(
    `at: position ${position} is outside dim ${dim} of ${show(x.shape)}; positions are -${size} to ${size - 1}`,
  );
}

function rangeOf(x: Tensor, dim: number, [start, stop, step]: IndexRange): Tensor {
  if ((start ?? 0) === 0 && (stop ?? null) === null && (step ?? 1) === 1) return x;
  return slice(x, dim, start ?? undefined, stop ?? undefined, step ?? undefined);
}

/** x with the dimensions of `selections` replaced by those of their indices. */
function selected(x: Tensor, selections: readonly (readonly [dim: number, index: Tensor])[]): Tensor {
  const dims = selections.map(([dim]) => dim);
  const shape = selections.reduce<readonly number[]>((to, [, index]) => broadcastShapes('at', to, index.shape), []);
  const [first = 0] = dims;
  const areNeighbors = dims.every((dim, i) => dim === first + i);
  const others = x.shape.flatMap((_, dim) => (dims.includes(dim) ? [] : [dim]));
  const moved = areNeighbors ? x : permute(x, [...dims, ...others]);
  const place = areNeighbors ? first : 0;
  const sizes = dims.map((dim) => x.shape[dim] as number);
  const merged = reshape(moved, moved.shape.toSpliced(place, dims.length, sizeOf(sizes)));
  const joined = selections.reduce(
    (before, [, index], i) => join(before, expand(index, shape), sizes[i] as number),
    newFull(x, shape, 0, 'int32'),
  );
  const picked = indexSelect(merged, place, reshape(joined, [joined.size]));
  return reshape(picked, picked.shape.toSpliced(place, 1, ...shape));
}

/** before * size + index, -1 where either is outside. */
function join(before: Tensor, index: Tensor, size: number): Tensor {
  const y = newEmpty(before, before.shape);
  for (const { start, count } of splitElements(y.size, deviceOf(y).limits)) {
    const of = (x: Tensor): Memory => part(x, 4 * start, 4 * count);
    const bindings = { before: of(before), index: of(index), y: of(y) };
    run(joinIndex, bindings, { count, size }, Math.ceil(count / joinIndex.const('LANES')));
  }
  return y;
}
