// Elementwise functions with their error bounds: what the families of `unary.ts` and others share.
import { ulps, within } from './bounds.ts';
import type { Values } from './values.ts';

/** A function of one tensor, element by element. */
export type Unary = (x: Values) => Values;
/** An error as a function of the argument and the result. */
export type ErrorBound = (x: number, y: number) => number;

export const exact: ErrorBound = () => 0;
/** `count` units in the last place of the result. */
export const relative =
  (count: number): ErrorBound =>
  (_, y) =>
    ulps(count, y);

/** `f` with the error bound of its float32 result, and of its derivative beyond the rounding of the derivative's value. */
export function unary(f: (x: number) => number, error: ErrorBound, slope: ErrorBound = exact): Unary {
  return (x) => {
    const data = x.data.map((v) => f(v));
    const slopes = x.data.map((v, i) => slope(v, data[i] as number));
    const moved = (i: number): number => {
      const [v, e] = [x.data[i] as number, x.error?.[i] ?? 0];
      const y = data[i] as number;
      return e > 0 ? Math.max(Math.abs(f(v + e) - y), Math.abs(f(v - e) - y)) : 0;
    };
    return within({ shape: x.shape, data }, (y, i) => moved(i) + error(x.data[i] as number, y), [[x, slopes]]);
  };
}
