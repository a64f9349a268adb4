// Values picked by index. The device cannot throw: an index outside gives NaN (0 for whole numbers), so that a wrong label
// shows in the loss at once instead of reading a neighbour's value.
import gatherText from '@mien/shaders/gather/gather.wgsl';
import scatterAddText from '@mien/shaders/gather/scatterAdd.wgsl';
import { record } from '../autograd.ts';
import { expectDtype } from '../dtype.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { kernel } from '../runtime/kernel.ts';
import { run } from '../runtime/run.ts';
import { scope } from '../runtime/scope.ts';
import { empty, type Tensor } from '../tensor.ts';
import { arange } from './create.ts';
import { normalizeDim, type Shape, show, sizeOf } from './geometry.ts';

const forward = kernel(gatherText);
const backward = kernel(scatterAddText);
const nanBits = 0x7fc00000;

/** x as [outer, length, inner] and the index as [outer, count, indexInner]. */
interface Picking {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  readonly count: number;
  readonly indexInner: number;
}

/** Picks without any check; the result has the shape `shape`. */
function pick(x: Tensor, index: Tensor, g: Picking, shape: Shape): Tensor {
  const y = empty(shape, x.dtype);
  const outside = x.dtype === 'float32' ? nanBits : 0;
  run(forward, { x, index, y }, { ...g, outside }, Math.ceil(y.size / forward.const('LANES')));
  const whole = x.shape;
  return record(
    'gather',
    y,
    { x },
    {
      saves: { index },
      backward: (dy, saved) => ({ x: scatterAdd(dy, saved.index, g, whole) }),
    },
  );
}

/** Adds each value up where its index says: the gradient of `pick`, whose gradient is `pick`. */
function scatterAdd(x: Tensor, index: Tensor, g: Picking, shape: Shape): Tensor {
  const y = empty(shape);
  run(backward, { x, index, y }, { ...g }, Math.ceil(y.size / backward.const('LANES')));
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
 * gradient looks at every index for every element of x. Indices outside 0..size - 1 give NaN, or 0 for whole numbers.
 */
export function gather(x: Tensor, dim: number, index: Tensor): Tensor {
  expectDtype('gather', 'index', index, 'int32', 'uint32');
  const along = normalizeDim('gather', dim, x.rank);
  if (index.rank !== x.rank || index.shape.some((size, d) => d !== along && size !== x.shape[d])) {
    throw new ShapeError(
      `gather: the index ${show(index.shape)} must have the sizes of x ${show(x.shape)} beside dim ${along}`,
    );
  }
  const inner = sizeOf(x.shape.slice(along + 1));
  const [length, count] = [x.shape[along] as number, index.shape[along] as number];
  return pick(x, index, { outer: x.size / (length * inner), length, inner, count, indexInner: inner }, index.shape);
}

/**
 * Rows of weight [V, D] by index [...]: [..., D]. The gradient looks at every index for every row. Indices outside
 * 0..V - 1 give rows of NaN.
 */
export function embedding(index: Tensor, weight: Tensor): Tensor {
  expectDtype('embedding', 'index', index, 'int32', 'uint32');
  const [length, inner] = weight.shape;
  if (weight.rank !== 2 || length === undefined || inner === undefined) {
    throw new ShapeError(`embedding: weight is [V, D], came ${show(weight.shape)}`);
  }
  return pick(weight, index, { outer: 1, length, inner, count: index.size, indexInner: 1 }, [...index.shape, inner]);
}

/** int32 [..., classes]: 1 at the index, 0 elsewhere; an index outside gives zeros. Throws ValueError for no classes. */
export function oneHot(index: Tensor, classes: number): Tensor {
  expectDtype('oneHot', 'index', index, 'int32', 'uint32');
  if (!Number.isInteger(classes) || classes < 1)
    throw new ValueError(`oneHot: classes is an integer from 1 on, came ${classes}`);
  return scope(() => {
    const column = index.to('int32').reshape([...index.shape, 1]);
    return column.eq(arange(0, classes, 1, { dtype: 'int32' })).to('int32');
  });
}
