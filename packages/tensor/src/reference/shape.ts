import { elementAt as at, build, stretchedAt, type Values } from './values.ts';

export function reshape(x: Values, shape: readonly number[]): Values {
  return { shape, data: x.data, error: x.error ?? new Float64Array(x.data.length) };
}

export function permute(x: Values, order: readonly number[]): Values {
  const shape = order.map((dim) => x.shape[dim] as number);
  return build(shape, (i) =>
    at(
      x,
      x.shape.map((_, dim) => i[order.indexOf(dim)] as number),
    ),
  );
}

export function transpose(x: Values, a: number, b: number): Values {
  return permute(
    x,
    x.shape.map((_, dim) => (dim === a ? b : dim === b ? a : dim)),
  );
}

/** For 0 <= start < end <= size. */
export function slice(x: Values, dim: number, start: number, end: number, step = 1): Values {
  const shape = x.shape.map((size, d) => (d === dim ? Math.ceil((end - start) / step) : size));
  return build(shape, (i) =>
    at(
      x,
      i.map((p, d) => (d === dim ? start + p * step : p)),
    ),
  );
}

export function flip(x: Values, dims: readonly number[]): Values {
  return build(x.shape, (i) =>
    at(
      x,
      i.map((p, dim) => (dims.includes(dim) ? (x.shape[dim] as number) - 1 - p : p)),
    ),
  );
}

export function expand(x: Values, shape: readonly number[]): Values {
  return build(shape, (i) => stretchedAt(x, i));
}

export function cat(list: readonly Values[], dim: number): Values {
  const [first] = list as [Values];
  const total = list.reduce((sum, x) => sum + (x.shape[dim] as number), 0);
  return build(
    first.shape.map((size, d) => (d === dim ? total : size)),
    (i) => {
      let position = i[dim] as number;
      for (const x of list) {
        if (position < (x.shape[dim] as number))
          return at(
            x,
            i.map((p, d) => (d === dim ? position : p)),
          );
        position -= x.shape[dim] as number;
      }
      return Number.NaN;
    },
  );
}

export function stack(list: readonly Values[], dim: number): Values {
  const widened = list.map((x) => reshape(x, [...x.shape.slice(0, dim), 1, ...x.shape.slice(dim)]));
  return cat(widened, dim);
}

/** For counts that the mode allows. */
export function pad(
  x: Values,
  counts: readonly (readonly [number, number])[],
  fill: number | 'reflect' | 'replicate' | 'circular' = 0,
): Values {
  const shape = x.shape.map((size, dim) => size + (counts[dim]?.[0] ?? 0) + (counts[dim]?.[1] ?? 0));
  return build(shape, (i) => {
    const inner = i.map((p, dim) => p - (counts[dim]?.[0] ?? 0));
    if (typeof fill !== 'number')
      return at(
        x,
        inner.map((p, dim) => paddedFrom(p, x.shape[dim] as number, fill)),
      );
    return inner.every((p, dim) => p >= 0 && p < (x.shape[dim] as number)) ? at(x, inner) : fill;
  });
}

/** The place in a dimension that is repeated at p, which may be before or after it. */
function paddedFrom(p: number, size: number, mode: 'reflect' | 'replicate' | 'circular'): number {
  if (mode === 'circular') return (p + size) % size;
  if (mode === 'replicate') return Math.min(Math.max(p, 0), size - 1);
  return p < 0 ? -p : p >= size ? 2 * (size - 1) - p : p;
}
