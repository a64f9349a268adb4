// Values written or added at indices. An index outside makes the values of its column NaN (integers ignore it), as the device
// cannot throw.
import lastIndexText from '@mien/shaders/scatter/lastIndex.wgsl';
import lastSortedText from '@mien/shaders/scatter/lastSorted.wgsl';
import { expectTensor } from '../arguments.ts';
import { noGrad, record } from '../autograd.ts';
import { expectDtype } from '../dtype.ts';
import { DtypeError, ShapeError } from '../errors.ts';
import { kernel } from '../runtime/kernel.ts';
import { run } from '../runtime/run.ts';
import { scope } from '../runtime/scope.ts';
import { newEmpty } from '../runtime/tensorBase.ts';
import type { Tensor } from '../tensor.ts';
import { newFull } from './fill.ts';
import { addedAt, addInto, outsideBits, pick, pickInto } from './gatherPick.ts';
import { expectIndex, expectIndexList, pickingAlong, sharedAlong } from './gatherSelect.ts';
import { isSortingCheaper, type Picking, sortedIndex } from './gatherSort.ts';
import { normalizeDim, type Shape, show } from './geometry.ts';
import { expand } from './shape.ts';
import { where } from './where.ts';

const lastDirect = kernel(lastIndexText);
const lastSorted = kernel(lastSortedText);

/**
 * x with y[..., index[..., j, ...], ...] = src[..., j, ...] along `dim`; index and src have one shape, whose other sizes are x's, or
 * src is a number. Of equal indices the last one wins, and only it gets a gradient. An index outside 0..size - 1 makes the values of
 * its column NaN; integers ignore it. Throws ShapeError and DtypeError.
 */
export function scatter(x: Tensor, dim: number, index: Tensor, src: Tensor | number): Tensor {
  const along = normalizeDim('scatter', dim, x.rank);
  expectIndex('scatter', index, x.shape, along);
  if (typeof src === 'number') return scope(() => scattered(x, along, index, newFull(x, index.shape, src)));
  expectSource('scatter', 'src', src, x, index.shape);
  return scattered(x, along, index, src);
}

function scattered(x: Tensor, dim: number, index: Tensor, src: Tensor): Tensor {
  const g = pickingAlong(x.shape, dim, index.shape[dim] as number);
  // Each element of x picks its source.
  const picking = { ...g, length: g.count, count: g.length };
  return scope(() => {
    const winners = lastIndices(index, g, x.shape, outsideBits(x) !== 0);
    const y = copyOf(x);
    pickInto(y, src, winners, picking, outsideBits(x), true);
    const shape = src.shape;
    return record(
      'scatter',
      y,
      { x, src },
      {
        saves: { winners },
        backward: (dy, saved, needs) => ({
          x: needs.x && where(saved.winners.lt(0), dy, 0),
          // One element at most has picked a source, so that nothing is added.
          src: needs.src && addedAt(dy, saved.winners, picking, shape, 0),
        }),
      },
    );
  });
}

/** The place of the last source for each element of x, by its column; -1 without one, -2 where an index is outside. */
function lastIndices(index: Tensor, g: Picking, shape: Shape, reports: boolean): Tensor {
  const y = newEmpty(index, shape, 'int32');
  const { length, inner, count } = g;
  const params = { size: y.size, length, inner, count, reports: Number(reports) };
  const groups = Math.ceil(y.size / lastDirect.const('LANES'));
  if (isSortingCheaper(g, index, y)) run(lastSorted, { ...sortedIndex(index, g), y }, params, groups);
  else run(lastDirect, { index, y }, params, groups);
  return y;
}

/**
 * x + the values of src at their indices: y[..., index[..., j, ...], ...] += src[..., j, ...] along `dim`; index and src have one
 * shape, whose other sizes are x's. Equal indices add in their order. An index outside 0..size - 1 makes the values of its column NaN;
 * integers ignore it. Throws ShapeError, and DtypeError for bool.
 */
export function scatterAdd(x: Tensor, dim: number, index: Tensor, src: Tensor): Tensor {
  const along = normalizeDim('scatterAdd', dim, x.rank);
  expectIndex('scatterAdd', index, x.shape, along);
  expectSource('scatterAdd', 'src', src, x, index.shape);
  return added('scatterAdd', x, index, src, pickingAlong(x.shape, along, index.shape[along] as number));
}

/**
 * x + the slices of source at their indices along `dim`: index [K], source with K slices of x's other sizes. Equal indices add in
 * their order. An index outside 0..size - 1 makes the values of its column NaN; integers ignore it. Throws ShapeError, and
 * DtypeError for bool.
 */
export function indexAdd(x: Tensor, dim: number, index: Tensor, source: Tensor): Tensor {
  const along = normalizeDim('indexAdd', dim, x.rank);
  expectIndexList('indexAdd', index);
  expectSource('indexAdd', 'source', source, x, x.shape.with(along, index.size));
  return added('indexAdd', x, index, source, sharedAlong(x.shape, along, index.size));
}

function added(name: string, x: Tensor, index: Tensor, src: Tensor, g: Picking): Tensor {
  expectDtype(name, 'x', x, 'float32', 'int32', 'uint32');
  const y = copyOf(x);
  addInto(y, src, index, g, outsideBits(x), true);
  const shape = src.shape;
  return record(
    name,
    y,
    { x, src },
    {
      saves: { index },
      backward: (dy, saved, needs) => ({ x: dy, src: needs.src && pick(name, dy, saved.index, g, shape) }),
    },
  );
}

function expectSource(operation: string, argument: string, source: Tensor, x: Tensor, shape: Shape): void {
  expectTensor(operation, argument, source);
  if (source.dtype !== x.dtype) {
    throw new DtypeError(
      `${operation}: expected ${argument} to be ${x.dtype}, got ${source.dtype}; convert with to('${x.dtype}')`,
    );
  }
  if (show(source.shape) === show(shape)) return;
  throw new ShapeError(`${operation}: expected ${argument} of shape ${show(shape)}, got ${show(source.shape)}`);
}

/** A copy outside the graph. */
function copyOf(x: Tensor): Tensor {
  return noGrad(() => expand(x, x.shape));
}
