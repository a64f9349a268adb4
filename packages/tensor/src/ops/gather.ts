// Values selected by index. The device cannot throw, so an index outside gives NaN (0 for integers): a wrong label shows in the
// loss at once instead of reading a neighbor's value.

import gatherText from '@mien/shaders/gather/gather.wgsl';
import scatterAddText from '@mien/shaders/gather/scatterAdd.wgsl';
import { expectOptions, expectTensor, kindOf } from '../arguments.ts';
import { record } from '../autograd.ts';
import { expectDtype } from '../dtype.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import { run } from '../runtime/run.ts';
import { scope } from '../runtime/scope.ts';
import { type Window, windowOver, windowsOver } from '../runtime/split.ts';
import type { Params } from '../runtime/wgsl.ts';
import { empty, type Tensor } from '../tensor.ts';
import { arange } from './create.ts';
import { normalizeDim, type Shape, show, sizeOf } from './geometry.ts';
import { where } from './where.ts';

const forward = kernel(gatherText);
const backward = kernel(scatterAddText);
const backwardOnwards = kernel(scatterAddText, { ADDING: true });
const nanBits = 0x7fc00000;

/** x as [outer, length, inner] and the index as [outer, count, indexInner]. */
interface Picking {
  readonly length: number;
  readonly inner: number;
  readonly count: number;
  readonly indexInner: number;
}

/** Windows over the blocks of x that belong to a window of y: `yBlock` elements of y correspond to `xBlock` of x. */
function sourcesOf(x: Tensor, y: Window, yBlock: number, xBlock: number): readonly Window[] {
  return windowsOver(x, Math.floor(y.start / yBlock) * xBlock, Math.ceil((y.start + y.count) / yBlock) * xBlock);
}

/** The window over the indices of a window of picked values. */
function placesOf(index: Tensor, { start, count }: Window, { inner, indexInner }: Picking): Window {
  const share = inner / indexInner;
  return windowOver(index, Math.floor(start / share), Math.ceil((start + count) / share));
}

function runOver(form: Kernel, x: Window, index: Window, y: Window, params: Params): void {
  run(
    form,
    { x: x.memory, index: index.memory, y: y.memory },
    { ...params, xFirst: x.start, xSize: x.count, indexFirst: index.start, yFirst: y.start, ySize: y.count },
    Math.ceil(y.count / form.const('LANES')),
  );
}

/** Gathers without checks; the result has the shape `shape`. The row `padding` gets no gradient. */
function pick(x: Tensor, index: Tensor, g: Picking, shape: Shape, padding: number | null = null): Tensor {
  const y = empty(shape, x.dtype);
  const outside = x.dtype === 'float32' ? nanBits : 0;
  for (const target of windowsOver(y, 0, y.size)) {
    const places = placesOf(index, target, g);
    for (const source of sourcesOf(x, target, g.count * g.inner, g.length * g.inner)) {
      runOver(forward, source, places, target, { ...g, outside });
    }
  }
  const shapeX = x.shape;
  return record(
    'gather',
    y,
    { x },
    {
      saves: { index },
      backward: (dy, saved) => {
        if (padding === null) return { x: scatterAdd(dy, saved.index, g, shapeX) };
        // Its derivative in a second derivative is 0 too, so dy is replaced rather than the index.
        const isPadding = saved.index.eq(padding).reshape([...saved.index.shape, 1]);
        return { x: scatterAdd(where(isPadding, 0, dy), saved.index, g, shapeX) };
      },
    },
  );
}

/** Adds each value at its index: the gradient of `pick`, whose gradient is `pick`. */
function scatterAdd(x: Tensor, index: Tensor, g: Picking, shape: Shape): Tensor {
  const y = empty(shape);
  for (const target of windowsOver(y, 0, y.size)) {
    const sources = sourcesOf(x, target, g.length * g.inner, g.count * g.inner);
    for (const [i, source] of sources.entries()) {
      runOver(i === 0 ? backward : backwardOnwards, source, placesOf(index, source, g), target, { ...g });
    }
  }
  const picked = x.shape;
  return record(
    'scatterAdd',
    y,
    { x },
    {
      saves: { index },
      backward: (dy, saved) => ({ x: pick(dy, saved.index, g, picked) }),
    },
  );
}

/**
 * y[..., j, ...] = x[..., index[..., j, ...], ...] along `dim`: the shape of the index, whose other sizes are x's. The
 * gradient reads every index for every element of x. Indices outside 0..size - 1 give NaN, or 0 for integers.
 */
export function gather(x: Tensor, dim: number, index: Tensor): Tensor {
  expectTensor('gather', 'x', x);
  expectDtype('gather', 'index', index, 'int32', 'uint32');
  const along = normalizeDim('gather', dim, x.rank);
  if (index.rank !== x.rank || index.shape.some((size, d) => d !== along && size !== x.shape[d])) {
    throw new ShapeError(
      `gather: expected index with the sizes of x ${show(x.shape)} except along dim ${along}, got ${show(index.shape)}`,
    );
  }
  const inner = sizeOf(x.shape.slice(along + 1));
  const [length, count] = [x.shape[along] as number, index.shape[along] as number];
  return pick(x, index, { length, inner, count, indexInner: inner }, index.shape);
}

/** Options of `embedding`. */
export interface EmbeddingOptions {
  /** A row of the weight that gets no gradient; negative ones count from the end. */
  readonly paddingIdx?: number;
}

/**
 * Rows of weight [V, D] by index [...], int32 or uint32: [..., D]. The gradient reads every index for every row. Indices outside
 * 0..V - 1 give rows of NaN. Throws ShapeError for a weight of another rank, ValueError for a `paddingIdx` outside the rows.
 */
export function embedding(index: Tensor, weight: Tensor, options: EmbeddingOptions = {}): Tensor {
  expectOptions('embedding', options, ['paddingIdx']);
  expectDtype('embedding', 'index', index, 'int32', 'uint32');
  expectTensor('embedding', 'weight', weight);
  const [length, inner] = weight.shape;
  if (weight.rank !== 2 || length === undefined || inner === undefined) {
    throw new ShapeError(`embedding: expected weight of shape [V, D], got ${show(weight.shape)}`);
  }
  const padding = options.paddingIdx === undefined ? null : paddingRow('embedding', options.paddingIdx, length);
  return pick(weight, index, { length, inner, count: index.size, indexInner: 1 }, [...index.shape, inner], padding);
}

/** The option `paddingIdx`, counted from the start. Throws ValueError outside the rows. */
export function paddingRow(name: string, paddingIdx: number, rows: number): number {
  if (Number.isInteger(paddingIdx) && paddingIdx >= -rows && paddingIdx < rows) {
    return paddingIdx < 0 ? paddingIdx + rows : paddingIdx;
  }
  throw new ValueError(
    `${name}: paddingIdx must be an integer from -${rows} to ${rows - 1}, a row of the weight, got ${kindOf(paddingIdx)}`,
  );
}

/** int32 [..., classes]: 1 at the index, 0 elsewhere; an index outside gives zeros. Throws ValueError unless `classes` is a positive integer. */
export function oneHot(index: Tensor, classes: number): Tensor {
  expectDtype('oneHot', 'index', index, 'int32', 'uint32');
  if (!Number.isInteger(classes) || classes < 1)
    throw new ValueError(`oneHot: classes must be a positive integer, got ${classes}`);
  return scope(() => {
    const column = index.to('int32').reshape([...index.shape, 1]);
    return column.eq(arange(0, classes, 1, { dtype: 'int32' })).to('int32');
  });
}
