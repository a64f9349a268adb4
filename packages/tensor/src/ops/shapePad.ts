// Padding with a value, or with elements of the tensor itself.
import { expectList, expectOneOf, expectTensor } from '../arguments.ts';
import { record } from '../autograd.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { scope } from '../runtime/scope.ts';
import type { Tensor } from '../tensor.ts';
import { newFull } from './fill.ts';
import { show, stridesOf } from './geometry.ts';
import { cat, copyBox, expand, flip, slice } from './shape.ts';

/** The number of elements before and after, for each dimension. */
type Counts = readonly (readonly [before: number, after: number])[];

/** What padding repeats: the mirror image without the edge, the edge, or the other end. */
export type PadMode = 'reflect' | 'replicate' | 'circular';

const modes: readonly PadMode[] = ['reflect', 'replicate', 'circular'];

/**
 * x with `[before, after]` elements around each dimension: of `fill`, or by a mode of it `reflect` (mirrored at the edge, which is not
 * repeated), `replicate` (the edge) or `circular` (the other end). Throws ValueError for negative counts, ShapeError for `reflect` by
 * the size of a dimension or more, and for `circular` by more than that.
 */
export function pad(x: Tensor, counts: Counts, fill: number | PadMode = 0): Tensor {
  expectTensor('pad', 'x', x);
  expectList('pad', 'counts', counts);
  if (
    counts.length !== x.rank ||
    !counts.every((pair) => Array.isArray(pair) && pair.length === 2) ||
    !counts.flat().every((count) => Number.isSafeInteger(count) && count >= 0)
  ) {
    throw new ValueError(
      `pad: expected [before, after], non-negative integers, for each of the ${x.rank} dimensions, got ${JSON.stringify(counts)}; crop with slice`,
    );
  }
  if (typeof fill === 'number') return padWith(x, counts, fill);
  expectOneOf('pad', 'fill', fill, modes);
  return scope(() => {
    const y = counts.reduce((padded, pair, dim) => padAlong(padded, dim, pair, fill), x);
    return y === x ? expand(x, x.shape) : y;
  });
}

function padWith(x: Tensor, counts: Counts, value: number): Tensor {
  const shape = x.shape.map((size, dim) => size + (counts[dim]?.[0] ?? 0) + (counts[dim]?.[1] ?? 0));
  const y = newFull(x, shape, value);
  const strides = stridesOf(shape);
  const offset = strides.reduce((sum, stride, dim) => sum + stride * (counts[dim]?.[0] ?? 0), 0);
  copyBox(x, { offset: 0, strides: stridesOf(x.shape) }, y, { offset, strides }, x.shape);
  const before = x.shape;
  return record(
    'pad',
    y,
    { x },
    {
      saves: {},
      backward: (dy) => ({
        x: before.reduce((cut, size, dim) => {
          const [lead] = counts[dim] as readonly [number, number];
          return size === cut.shape[dim] ? cut : slice(cut, dim, lead, lead + size);
        }, dy),
      }),
    },
  );
}

/** Pads one dimension by elements of x. */
function padAlong(x: Tensor, dim: number, [before, after]: readonly [number, number], mode: PadMode): Tensor {
  if (before === 0 && after === 0) return x;
  const size = x.shape[dim] as number;
  const most = mode === 'replicate' ? Number.POSITIVE_INFINITY : mode === 'reflect' ? size - 1 : size;
  if (Math.max(before, after) > most) {
    throw new ShapeError(
      `pad: expected at most ${most} elements in ${mode} mode for dim ${dim} of ${show(x.shape)}, got [${before}, ${after}]; use 'replicate'`,
    );
  }
  const part = (start: number, end: number): Tensor => {
    const found = slice(x, dim, start, end);
    return mode === 'reflect' ? flip(found, dim) : found;
  };
  const edge = (at: number, count: number): Tensor => expand(slice(x, dim, at, at + 1), x.shape.with(dim, count));
  const first = {
    reflect: () => part(1, before + 1),
    replicate: () => edge(0, before),
    circular: () => part(size - before, size),
  };
  const last = {
    reflect: () => part(size - 1 - after, size - 1),
    replicate: () => edge(size - 1, after),
    circular: () => part(0, after),
  };
  return cat([...(before > 0 ? [first[mode]()] : []), x, ...(after > 0 ? [last[mode]()] : [])], dim);
}
