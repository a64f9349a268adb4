import { Total, ulps } from './bounds.ts';
import { build, coordinates, count, type Element, type Values } from './values.ts';

type Dims = number | readonly number[] | undefined;
interface Options {
  readonly keepDim?: boolean;
}

/** The elements of each group that differ only in the reduced dimensions, in row-major order. */
function groups(x: Values, dims: Dims): { reduced: Set<number>; shape: number[]; lists: Element[][]; owner: number[] } {
  const named = dims === undefined ? x.shape.map((_, dim) => dim) : typeof dims === 'number' ? [dims] : dims;
  const reduced = new Set(named.map((dim) => (dim < 0 ? dim + x.shape.length : dim)));
  const shape = x.shape.map((size, dim) => (reduced.has(dim) ? 1 : size));
  const lists: Element[][] = Array.from({ length: count(shape) }, () => []);
  const owner: number[] = [];
  for (let i = 0; i < x.data.length; i++) {
    const at = coordinates(x.shape, i);
    let group = 0;
    for (let dim = 0; dim < shape.length; dim++)
      group = group * (shape[dim] as number) + (reduced.has(dim) ? 0 : (at[dim] as number));
    lists[group]?.push({ value: x.data[i] as number, error: x.error?.[i] ?? 0 });
    owner.push(group);
  }
  return { reduced, shape, lists, owner };
}

/** `slope` is the error bound of the gradient by an element, given the element and its group, beyond its own rounding. */
function reduce(
  x: Values,
  dims: Dims,
  { keepDim = false }: Options,
  f: (list: readonly Element[]) => number | Element,
  slope: (value: number, list: readonly Element[]) => number = () => 0,
): Values {
  const { reduced, shape, lists, owner } = groups(x, dims);
  const results = lists.map(f);
  const y = build([lists.length], ([i]) => results[i as number] as number | Element);
  const slopes = x.data.map((v, i) => slope(v, lists[owner[i] as number] as Element[]));
  return {
    ...y,
    shape: keepDim ? shape : shape.filter((_, dim) => !reduced.has(dim)),
    slopes: new Map([[x, slopes]]),
  };
}

function total(list: readonly Element[]): Total {
  const sum = new Total();
  for (const { value, error } of list) sum.add(value, error);
  return sum;
}

export function sum(x: Values, dims?: Dims, options: Options = {}): Values {
  return reduce(x, dims, options, total);
}

function meanOf(list: readonly Element[]): Element {
  const { value, error } = total(list);
  const mean = value / list.length;
  return { value: mean, error: error / list.length + ulps(1, mean) };
}

export function mean(x: Values, dims?: Dims, options: Options = {}): Values {
  return reduce(x, dims, options, meanOf);
}

/** The extreme element; which one that is may depend on the errors, so it has the largest of them. */
function extreme(list: readonly Element[], of: (a: number, b: number) => number): Element {
  return list.reduce((a, b) => ({ value: of(a.value, b.value), error: Math.max(a.error, b.error) }));
}

export function max(x: Values, dims?: Dims, options: Options = {}): Values {
  return reduce(x, dims, options, (list) => extreme(list, Math.max));
}

export function min(x: Values, dims?: Dims, options: Options = {}): Values {
  return reduce(x, dims, options, (list) => extreme(list, Math.min));
}

/** The error bound of a mean that is summed after a shift by a value of its list. */
function meanError(list: readonly Element[], mean: number): number {
  const first = list[0] as Element;
  return ulps(2, mean) + meanOf(list.map(({ value, error }) => ({ value: value - first.value, error }))).error;
}

interface VarianceOptions extends Options {
  readonly correction?: number;
}

/** Squares of distances from the mean: each distance is rounded, and a mean that is off by e adds e^2 to each square. */
function varianceOf(list: readonly Element[], correction: number): Element {
  const mean = total(list).value / list.length;
  const off = meanError(list, mean);
  const squares = new Total();
  for (const { value, error } of list)
    squares.add((value - mean) ** 2, off ** 2 + ulps(1, (value - mean) ** 2) + 2 * error * Math.abs(value - mean));
  const by = list.length - correction;
  return { value: squares.value / by, error: squares.error / by + ulps(3, squares.value / by) };
}

/** The error bound of the derivative of a variance by `value`. */
function varianceSlopeError(value: number, list: readonly Element[], correction: number): number {
  const mean = total(list).value / list.length;
  return (2 * meanError(list, mean) + ulps(4, value - mean)) / Math.max(1, list.length - correction);
}

export function variance(x: Values, dims?: Dims, options: VarianceOptions = {}): Values {
  const { correction = 1 } = options;
  return reduce(
    x,
    dims,
    options,
    (list) => varianceOf(list, correction),
    (value, list) => varianceSlopeError(value, list, correction),
  );
}

/** The root of a variance, with the errors of both. */
function deviationOf(list: readonly Element[], correction: number): Element {
  const { value, error } = varianceOf(list, correction);
  const root = Math.sqrt(value);
  const off = Math.max(Math.sqrt(value + error) - root, root - Math.sqrt(Math.max(value - error, 0)));
  return { value: root, error: off + ulps(4.5, root) };
}

export function std(x: Values, dims?: Dims, options: VarianceOptions = {}): Values {
  const { correction = 1 } = options;
  return reduce(
    x,
    dims,
    options,
    (list) => deviationOf(list, correction),
    (value, list) => {
      const { value: deviation, error } = deviationOf(list, correction);
      const slope = (value - total(list).value / list.length) / ((list.length - correction) * deviation);
      const ofVariance = varianceSlopeError(value, list, correction) / (2 * deviation);
      return ofVariance + (error / deviation) * Math.abs(slope) + ulps(8, slope);
    },
  );
}

export function argmax(x: Values, dim?: number, options: Options = {}): Values {
  return reduce(x, dim, options, (list) => first(list, Math.max));
}

export function argmin(x: Values, dim?: number, options: Options = {}): Values {
  return reduce(x, dim, options, (list) => first(list, Math.min));
}

function first(list: readonly Element[], of: (a: number, b: number) => number): number {
  const wanted = extreme(list, of).value;
  return list.findIndex(({ value }) => value === wanted);
}

/** Sums over the dimensions in which `shape` was broadcast to x's. */
export function sumTo(x: Values, shape: readonly number[]): Values {
  const lead = x.shape.length - shape.length;
  const over = x.shape.map((_, dim) => dim).filter((dim) => dim < lead || shape[dim - lead] === 1);
  return { ...sum(x, over, { keepDim: true }), shape };
}
