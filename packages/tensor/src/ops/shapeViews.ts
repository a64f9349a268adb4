// Shapes with dimensions added, removed, merged or divided: views, which share memory as reshape does.
import { expectInteger, expectList } from '../arguments.ts';
import { ShapeError } from '../errors.ts';
import type { Tensor } from '../tensor.ts';
import { normalizeDim, normalizeDims, type Shape, show, sizeOf } from './geometry.ts';
import { reshape } from './shape.ts';

/** x without its dimensions of size 1, or without those among `dims`; other sizes stay. Shares memory. Throws ValueError. */
export function squeeze(x: Tensor, dims?: number | Shape): Tensor {
  const over = x.rank === 0 ? [] : normalizeDims('squeeze', dims, x.rank);
  return reshape(
    x,
    x.shape.filter((size, dim) => size !== 1 || !over.includes(dim)),
  );
}

/** x with a new dimension of size 1 before `dim`, counted in the result. Shares memory. Throws ValueError. */
export function unsqueeze(x: Tensor, dim: number): Tensor {
  const at = normalizeDim('unsqueeze', dim, x.rank + 1);
  return reshape(x, x.shape.toSpliced(at, 0, 1));
}

/** x with the dimensions from `startDim` to `endDim`, included, merged to one; a scalar becomes [1]. Shares memory. */
export function flatten(x: Tensor, startDim = 0, endDim = -1): Tensor {
  const rank = Math.max(x.rank, 1);
  const [first, last] = [normalizeDim('flatten', startDim, rank), normalizeDim('flatten', endDim, rank)];
  if (first > last) {
    throw new ShapeError(
      `flatten: expected startDim up to endDim, got ${startDim} and ${endDim} (x ${show(x.shape)}); exchange them`,
    );
  }
  return reshape(x, x.shape.toSpliced(first, last + 1 - first, sizeOf(x.shape.slice(first, last + 1))));
}

/** x with `dim` divided into `sizes`, of which one may be -1. Shares memory. Throws ShapeError unless their product is its size. */
export function unflatten(x: Tensor, dim: number, sizes: Shape): Tensor {
  const at = normalizeDim('unflatten', dim, x.rank);
  expectList('unflatten', 'sizes', sizes);
  const size = x.shape[at] as number;
  const known = sizeOf(sizes.filter((each) => each !== -1));
  const divided = sizes.map((each) => (each === -1 ? size / known : each));
  const areValid = divided.every((each) => Number.isInteger(each) && each > 0);
  if (sizes.length === 0 || sizes.indexOf(-1) !== sizes.lastIndexOf(-1) || !areValid || sizeOf(divided) !== size) {
    throw new ShapeError(
      `unflatten: expected sizes whose product is ${size}, the size of dim ${at} of ${show(x.shape)}, got ${show(sizes)}; one may be -1`,
    );
  }
  return reshape(x, x.shape.toSpliced(at, 1, ...divided));
}

/** The lengths of parts of `size` elements: each `length`, the last one what is left. */
export function partLengths(size: number, length: number): number[] {
  return Array.from({ length: Math.ceil(size / length) }, (_, i) => Math.min(length, size - i * length));
}

/** The lengths that split divides `size` into. Throws ValueError or ShapeError. */
export function splitLengths(size: number, sizes: number | Shape, shape: Shape): readonly number[] {
  if (typeof sizes === 'number') {
    expectInteger('split', 'the size of a part', sizes);
    return partLengths(size, sizes);
  }
  expectList('split', 'sizes', sizes);
  for (const length of sizes) expectInteger('split', 'each size', length);
  if (sizes.reduce((sum, length) => sum + length, 0) === size) return sizes;
  throw new ShapeError(
    `split: expected sizes that add up to ${size}, got ${show(sizes)} (x ${show(shape)}); pass one size for equal parts`,
  );
}
