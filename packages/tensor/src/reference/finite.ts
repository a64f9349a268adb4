import { exact, type Unary, unary } from './elementwise.ts';
import type { Values } from './values.ts';

export const isnan: Unary = unary((x) => Number(Number.isNaN(x)), exact);
export const isinf: Unary = unary((x) => Number(Math.abs(x) === Infinity), exact);
export const isfinite: Unary = unary((x) => Number(Number.isFinite(x)), exact);

export function nanToNum(
  x: Values,
  { nan = 0, posinf, neginf }: { nan?: number; posinf?: number; neginf?: number } = {},
): Values {
  const largest = (2 - 2 ** -23) * 2 ** 127;
  const finite = (v: number): number => {
    if (Number.isNaN(v)) return Math.fround(nan);
    if (v === Infinity) return Math.fround(posinf ?? largest);
    return v === -Infinity ? Math.fround(neginf ?? -largest) : v;
  };
  return unary(finite, exact)(x);
}
