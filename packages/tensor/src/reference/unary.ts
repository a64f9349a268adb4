import type { Values } from './values.ts';

type Unary = (x: Values) => Values;

function unary(f: (x: number) => number): Unary {
  return (x) => ({ shape: x.shape, data: x.data.map(f) });
}

const sigmoidOf = (x: number): number => 1 / (1 + Math.exp(-x));

export const neg: Unary = unary((x) => -x);
export const abs: Unary = unary(Math.abs);
export const exp: Unary = unary(Math.exp);
export const log: Unary = unary(Math.log);
export const sqrt: Unary = unary(Math.sqrt);
export const rsqrt: Unary = unary((x) => 1 / Math.sqrt(x));
export const square: Unary = unary((x) => x * x);
export const relu: Unary = unary((x) => Math.max(x, 0));
export const sigmoid: Unary = unary(sigmoidOf);
export const tanh: Unary = unary(Math.tanh);
export const silu: Unary = unary((x) => x * sigmoidOf(x));

export function leakyRelu(x: Values, slope = 0.01): Values {
  return unary((v) => (v > 0 ? v : slope * v))(x);
}

export function clamp(x: Values, { min = -Infinity, max = Infinity }: { min?: number; max?: number }): Values {
  return unary((v) => Math.min(Math.max(v, min), max))(x);
}

/** x times the normal distribution's cumulative function, or its tanh approximation. */
export function gelu(x: Values, approximate: 'none' | 'tanh' = 'none'): Values {
  if (approximate === 'none') return unary((v) => (v / 2) * (1 + erf(v / Math.SQRT2)))(x);
  return unary((v) => (v / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))))(x);
}

/** erf by its Taylor series; in float64 accurate to 1e-10 for |x| < 4, and 1 to that accuracy beyond. */
export function erf(x: number): number {
  if (Math.abs(x) >= 4.6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 200; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
