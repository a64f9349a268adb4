import { reshape } from './shape.ts';
import { count, type Values } from './values.ts';

/** For distinct dims from 0 up. */
export function squeeze(x: Values, dims: readonly number[] = x.shape.map((_, dim) => dim)): Values {
  return reshape(
    x,
    x.shape.filter((size, dim) => size > 1 || !dims.includes(dim)),
  );
}

export function unsqueeze(x: Values, dim: number): Values {
  return reshape(x, [...x.shape.slice(0, dim), 1, ...x.shape.slice(dim)]);
}

export function flatten(x: Values, startDim: number, endDim: number): Values {
  const merged = count(x.shape.slice(startDim, endDim + 1));
  return reshape(x, [...x.shape.slice(0, startDim), merged, ...x.shape.slice(endDim + 1)]);
}

export function unflatten(x: Values, dim: number, sizes: readonly number[]): Values {
  return reshape(x, [...x.shape.slice(0, dim), ...sizes, ...x.shape.slice(dim + 1)]);
}
