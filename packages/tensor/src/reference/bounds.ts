// Error bounds of float32 results. An operation states its bound with its definition, and `near` and `gradcheck` read it
// from the result. Sources: "Accuracy of Concrete Floating Point Expressions" in the WGSL specification for single
// operations; Higham and Mary (2019), "A new approach to probabilistic rounding error analysis", for sums.
import type { Element, Values } from './values.ts';

/** Relative distance from a float32 to the next: an upper bound of WGSL's ULP. */
const ulp = 2 ** -23;

/** `count` units in the last place of a value. */
export function ulps(count: number, value: number): number {
  return count * ulp * Math.abs(value);
}

/** The most summands that kernels add sequentially; longer sums are computed in parts, whose sums are added as a tree. */
const longestRun = 1024;
/**
 * Standard deviations of a sum's rounding error that are allowed: 5 are exceeded once in two million results, and laws compare
 * tens of thousands. Roundings are at most half an ulp, 0.3 at their mean square.
 */
const confidence = 5;

/**
 * The error of a sum of `terms` whose squares add up to `squares`. Each rounding is at most half an ulp of a partial sum, and
 * roundings are independent: together they grow with the root of their number. In an order that does not depend on the
 * values, a partial sum is at most the total plus the root of the squares, however much terms cancel.
 */
export function sumError(terms: number, total: number, squares: number): number {
  const steps = Math.min(terms, longestRun) + Math.log2(Math.max(terms, 1));
  return confidence * (ulp / 2) * Math.sqrt(steps) * (Math.abs(total) + Math.sqrt(squares));
}

/** The error of a sum of products from rounding its factors to f16: up to 2^-10 each (WGSL may truncate), of the total and of each term. */
export function factorLoss(total: number, spread: number, precision: 'f32' | 'f16'): number {
  return precision === 'f16' ? 2 ** -9 * (Math.abs(total) + 2 * spread) : 0;
}

/** The error of a sum of `terms` products whose squares add up to `squares`. */
export function productError(terms: number, total: number, squares: number, precision: 'f32' | 'f16' = 'f32'): number {
  return sumError(terms, total, squares) + factorLoss(total, Math.sqrt(squares), precision);
}

/** A sum of terms with the error bound of a float32 kernel's sum. */
export class Total implements Element {
  #value = 0;
  #squares = 0;
  #terms = 0;
  #error = 0;

  /** Adds a term that is itself off by up to `error`. */
  add(term: number, error = 0): this {
    this.#value += term;
    this.#squares += term * term;
    this.#terms++;
    this.#error += error;
    return this;
  }

  /** Adds the product of two elements. */
  addProduct(a: Element, b: Element): this {
    return this.add(a.value * b.value, a.error * Math.abs(b.value) + b.error * Math.abs(a.value));
  }

  get value(): number {
    return this.#value;
  }

  get error(): number {
    return this.#error + sumError(this.#terms, this.#value, this.#squares);
  }

  /** The root of the sum of the terms' squares: how large a partial sum may be where terms cancel. */
  get spread(): number {
    return Math.sqrt(this.#squares);
  }
}

/** The sum of a list, with its error bound. */
export function total(list: Iterable<number>): Total {
  const sum = new Total();
  for (const term of list) sum.add(term);
  return sum;
}

/**
 * A result with its error bound: `error` is a number for all elements, or a function of each element's value and index, as in
 * `within(y, (v) => ulps(3, v))`. `slopes` are the bounds of gradients by inputs, beyond the rounding of their sums.
 */
export function within(
  { shape, data }: Values,
  error: number | ((value: number, i: number) => number),
  slopes?: readonly (readonly [input: Values, error: ArrayLike<number>])[],
): Values {
  const stated = { shape, data, error: data.map((v, i) => (typeof error === 'number' ? error : error(v, i))) };
  return slopes
    ? { ...stated, slopes: new Map(slopes.map(([input, list]) => [input, Float64Array.from(list)])) }
    : stated;
}

/** Values that are sums of `terms` each, with terms as large as the largest value: for sums whose terms are unknown. */
export function summed(list: Values | ArrayLike<number>, terms: number): Values {
  const x = 'data' in list ? list : { shape: [list.length], data: Float64Array.from(list) };
  const largest = x.data.reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 0);
  return within(x, sumError(terms, largest, largest * largest));
}
