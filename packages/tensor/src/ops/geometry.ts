// Shape rules that many operations share: pure functions.
import { expectList, kindOf } from '../arguments.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { type Shape, show, sizeOf } from '../shape.ts';

export { type Shape, show, sizeOf };

/** One number for height and width, or both. */
export type Size2d = number | readonly [height: number, width: number];

/** The most dimensions of a tensor: kernels take shapes as two vec4. */
export const maxRank = 8;

/** The number of elements of a plane [height, width]. */
export function area([height, width]: Shape): number {
  return (height as number) * (width as number);
}

/** Throws ShapeError unless every size is a positive integer and there are at most eight. */
export function checkShape(operation: string, shape: Shape): void {
  expectList(operation, 'shape', shape);
  if (shape.length > maxRank)
    throw new ShapeError(`${operation}: expected at most ${maxRank} dimensions, got ${show(shape)}`);
  for (const size of shape) {
    if (Number.isInteger(size) && size > 0) continue;
    throw new ShapeError(
      `${operation}: sizes must be positive integers, got ${show(shape)}; empty tensors are not supported`,
    );
  }
}

/** A dimension counted from the front; negative ones count from the back. Throws ValueError outside the rank. */
export function normalizeDim(operation: string, dim: number, rank: number): number {
  if (rank === 0)
    throw new ValueError(`${operation}: expected a tensor with dimensions, got a scalar; reshape it to [1] first`);
  if (!Number.isInteger(dim) || dim < -rank || dim >= rank) {
    throw new ValueError(`${operation}: dim must be an integer from -${rank} to ${rank - 1}, got ${kindOf(dim)}`);
  }
  return dim < 0 ? dim + rank : dim;
}

/** Dimensions counted from the front, ascending; all of them for undefined. Throws ValueError for duplicates. */
export function normalizeDims(operation: string, dims: number | Shape | undefined, rank: number): readonly number[] {
  if (dims === undefined) return Array.from({ length: rank }, (_, dim) => dim);
  const listed = typeof dims === 'number' ? [dims] : dims;
  expectList(operation, 'dims', listed);
  const named = listed.map((dim) => normalizeDim(operation, dim, rank));
  if (new Set(named).size < named.length)
    throw new ValueError(`${operation}: dims must be distinct, got ${show(named)}`);
  return named.sort((a, b) => a - b);
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let dim = shape.length - 1; dim >= 0; dim--) {
    strides[dim] = stride;
    stride *= shape[dim] as number;
  }
  return strides;
}

/** The shape that two tensors broadcast to. Throws ShapeError where they do not. */
export function broadcastShapes(operation: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const sizeA = a[a.length - i] ?? 1;
    const sizeB = b[b.length - i] ?? 1;
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1) {
      throw new ShapeError(
        `${operation}: ${show(a)} and ${show(b)} do not broadcast: ${sizeA} and ${sizeB} at dimension -${i}; sizes must be equal or 1`,
      );
    }
    shape[rank - i] = Math.max(sizeA, sizeB);
  }
  return shape;
}

/** Strides by which `shape` is read as `to`: 0 in broadcast dimensions. */
export function broadcastStrides(shape: Shape, to: Shape): number[] {
  const own = stridesOf(shape);
  return to.map((_, dim) => {
    const source = dim - (to.length - shape.length);
    return source < 0 || shape[source] === 1 ? 0 : (own[source] as number);
  });
}

/** Merges neighboring dimensions that are contiguous in every list of strides, and drops sizes of 1. */
export function collapse(shape: Shape, strides: readonly Shape[]): { shape: number[]; strides: number[][] } {
  const sizes: number[] = [];
  const merged: number[][] = strides.map(() => []);
  for (let dim = 0; dim < shape.length; dim++) {
    const size = shape[dim] as number;
    if (size === 1) continue;
    const last = sizes.length - 1;
    const joins = last >= 0 && strides.every((list, i) => merged[i]?.[last] === (list[dim] as number) * size);
    if (joins) {
      sizes[last] = (sizes[last] as number) * size;
      strides.forEach((list, i) => {
        (merged[i] as number[])[last] = list[dim] as number;
      });
    } else {
      sizes.push(size);
      strides.forEach((list, i) => {
        (merged[i] as number[]).push(list[dim] as number);
      });
    }
  }
  return { shape: sizes, strides: merged };
}

/** Pads the list with `filler` to eight entries, the rank that kernels take. */
export function padded(list: Shape, filler: number): number[] {
  return [...list, ...new Array<number>(maxRank - list.length).fill(filler)];
}
