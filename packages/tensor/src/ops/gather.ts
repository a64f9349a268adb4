// Values selected by index. The device cannot throw, so an index outside gives NaN (0 for integers): a wrong label shows in the
// loss at once instead of reading a neighbor's value.
import { expectOptions, expectTensor, kindOf } from '../arguments.ts';
import { expectDtype } from '../dtype.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { scope } from '../runtime/scope.ts';
import type { Tensor } from '../tensor.ts';
import { arange } from './create.ts';
import { pick } from './gatherPick.ts';
import { expectIndex, pickingAlong, sharedAlong } from './gatherSelect.ts';
import { normalizeDim, show } from './geometry.ts';

/**
 * y[..., j, ...] = x[..., index[..., j, ...], ...] along `dim`: the shape of the index, whose other sizes are x's. Indices outside
 * 0..size - 1 give NaN, or 0 for integers. The gradient of equal indices is added in their order.
 */
export function gather(x: Tensor, dim: number, index: Tensor): Tensor {
  expectTensor('gather', 'x', x);
  expectDtype('gather', 'index', index, 'int32', 'uint32');
  const along = normalizeDim('gather', dim, x.rank);
  expectIndex('gather', index, x.shape, along);
  return pick('gather', x, index, pickingAlong(x.shape, along, index.shape[along] as number), index.shape);
}

/** Options of `embedding`. */
export interface EmbeddingOptions {
  /** A row of the weight that gets no gradient; negative ones count from the end. */
  readonly paddingIdx?: number;
}

/**
 * Rows of weight [V, D] by index [...], int32 or uint32: [..., D]. Indices outside 0..V - 1 give rows of NaN. The gradient of equal
 * indices is added in their order. Throws ShapeError for a weight of another rank, ValueError for a `paddingIdx` outside the rows.
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
  const g = sharedAlong(weight.shape, 0, index.size);
  return pick('embedding', weight, index, g, [...index.shape, inner], undefined, padding);
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
