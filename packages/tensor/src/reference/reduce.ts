import { build, coordinates, count, type Values } from './values.ts';

type Dims = number | readonly number[] | undefined;
interface Options {
  readonly keepDim?: boolean;
}

/** The values of each group of elements that differ only in the reduced dimensions, in row-major order. */
function groups(x: Values, dims: Dims): { reduced: Set<number>; shape: number[]; lists: number[][] } {
  const named = dims === undefined ? x.shape.map((_, dim) => dim) : typeof dims === 'number' ? [dims] : dims;
  const reduced = new Set(named.map((dim) => (dim < 0 ? dim + x.shape.length : dim)));
  const shape = x.shape.map((size, dim) => (reduced.has(dim) ? 1 : size));
  const lists: number[][] = Array.from({ length: count(shape) }, () => []);
  for (let i = 0; i < x.data.length; i++) {
    const at = coordinates(x.shape, i);
    let group = 0;
    for (let dim = 0; dim < shape.length; dim++)
      group = group * (shape[dim] as number) + (reduced.has(dim) ? 0 : (at[dim] as number));
    lists[group]?.push(x.data[i] as number);
  }
  return { reduced, shape, lists };
}

function reduce(x: Values, dims: Dims, { keepDim = false }: Options, f: (list: readonly number[]) => number): Values {
  const { reduced, shape, lists } = groups(x, dims);
  const data = Float64Array.from(lists, f);
  return { shape: keepDim ? shape : shape.filter((_, dim) => !reduced.has(dim)), data };
}

const total = (list: readonly number[]): number => list.reduce((sum, v) => sum + v, 0);

export function sum(x: Values, dims?: Dims, options: Options = {}): Values {
  return reduce(x, dims, options, total);
}

export function mean(x: Values, dims?: Dims, options: Options = {}): Values {
  return reduce(x, dims, options, (list) => total(list) / list.length);
}

export function max(x: Values, dims?: Dims, options: Options = {}): Values {
  return reduce(x, dims, options, (list) => list.reduce((a, b) => Math.max(a, b)));
}

export function min(x: Values, dims?: Dims, options: Options = {}): Values {
  return reduce(x, dims, options, (list) => list.reduce((a, b) => Math.min(a, b)));
}

export function variance(x: Values, dims?: Dims, options: Options & { readonly correction?: number } = {}): Values {
  return reduce(x, dims, options, (list) => {
    const middle = total(list) / list.length;
    return total(list.map((v) => (v - middle) ** 2)) / (list.length - (options.correction ?? 1));
  });
}

export function argmax(x: Values, dim?: number, options: Options = {}): Values {
  return reduce(x, dim, options, (list) => list.indexOf(Math.max(...list)));
}

export function argmin(x: Values, dim?: number, options: Options = {}): Values {
  return reduce(x, dim, options, (list) => list.indexOf(Math.min(...list)));
}

/** Adds up over the dimensions in which `shape` was stretched to x's. */
export function sumTo(x: Values, shape: readonly number[]): Values {
  const lead = x.shape.length - shape.length;
  const over = x.shape.map((_, dim) => dim).filter((dim) => dim < lead || shape[dim - lead] === 1);
  const kept = sum(x, over, { keepDim: true });
  return build(shape, (at) => kept.data[at.reduce((i, p, dim) => i * (shape[dim] as number) + p, 0)] as number);
}
