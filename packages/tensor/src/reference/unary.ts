import { ulps } from './bounds.ts';
import { type ErrorBound, exact, relative, type Unary, unary } from './elementwise.ts';
import type { Values } from './values.ts';

const sigmoidOf = (x: number): number => 1 / (1 + Math.exp(-x));
// exp: 3 + 2 |x| ulp. It counts by its share of 1 + exp(-x); the addition has 0.5 and the division 2.5.
const sigmoidUlps = (x: number): number => (1 - sigmoidOf(x)) * (3 + 2 * Math.abs(x)) + 3;
// Within 1/4 a series with 4 roundings; beyond, 1 - 2 / (exp(2 |x|) + 1), whose second part is 1 - |tanh|.
const tanhError: ErrorBound = (x, y) =>
  Math.abs(x) < 0.25 ? ulps(4, y) : ulps(0.5, y) + ulps(6 + 4 * Math.abs(x), 1 - Math.abs(y));

export const neg: Unary = unary((x) => -x, exact);
export const abs: Unary = unary(Math.abs, exact);
export const sign: Unary = unary(Math.sign, exact);
export const floor: Unary = unary(Math.floor, exact);
export const ceil: Unary = unary(Math.ceil, exact);
export const round: Unary = unary(roundHalfToEven, exact);
export const trunc: Unary = unary(Math.trunc, exact);
export const frac: Unary = unary((x) => x - Math.trunc(x), exact);
// The derivative is the square of the result, negated.
export const reciprocal: Unary = unary(
  (x) => 1 / x,
  relative(2.5),
  (_, y) => ulps(6, y * y),
);
export const exp: Unary = unary(
  Math.exp,
  (x, y) => ulps(3 + 2 * Math.abs(x), y),
  (x, y) => ulps(3 + 2 * Math.abs(x), y),
);
// WGSL: 2^-21 within 0.5..2, beyond it 3 ulp.
export const log: Unary = unary(Math.log, (x, y) => (x >= 0.5 && x <= 2 ? 2 ** -21 : ulps(3, y)));
// WGSL: as 1 / inverseSqrt, which have 2.5 and 2 ulp.
export const sqrt: Unary = unary(Math.sqrt, relative(4.5), (_, y) => ulps(4.5, 1 / y));
export const rsqrt: Unary = unary(
  (x) => 1 / Math.sqrt(x),
  relative(2),
  (_, y) => ulps(6, y ** 3),
);
export const square: Unary = unary((x) => x * x, relative(0.5));
export const relu: Unary = unary((x) => Math.max(x, 0), exact);
// The derivatives y (1 - y) and 1 - y * y have the error of y.
export const sigmoid: Unary = unary(
  sigmoidOf,
  (x, y) => ulps(sigmoidUlps(x), y),
  (x, y) => ulps(2 * sigmoidUlps(x), y),
);
export const tanh: Unary = unary(Math.tanh, tanhError, (x, y) => 2 * tanhError(x, y) + ulps(1, 1));
export const silu: Unary = unary(
  (x) => x * sigmoidOf(x),
  (x, y) => ulps(sigmoidUlps(x) + 0.5, y),
  (x) => ulps(2 * sigmoidUlps(x), sigmoidOf(x) * (1 + Math.abs(x))),
);

export function leakyRelu(x: Values, slope = 0.01): Values {
  return unary((v) => (v > 0 ? v : slope * v), relative(1))(x);
}

export function clamp(x: Values, { min = -Infinity, max = Infinity }: { min?: number; max?: number }): Values {
  // Bounds become float32.
  return unary((v) => Math.min(Math.max(v, min), max), relative(0.5))(x);
}

const innerOf = (x: number): number => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
// 1 + tanh cancels for negative x: the error of tanh, and of its argument by the slope, stays.
const geluTanhError: ErrorBound = (x, y) => {
  const [inner, t] = [innerOf(x), Math.tanh(innerOf(x))];
  return ulps(2, y) + (Math.abs(x) / 2) * (tanhError(inner, t) + ulps(4, inner) * (1 - t * t) + ulps(1, 1 + t));
};

/** x times the normal distribution's cumulative function, or its tanh approximation. */
export function gelu(x: Values, approximate: 'none' | 'tanh' = 'none'): Values {
  if (approximate === 'none') return unary((v) => v * normalCumulative(v), geluError, geluSlopeError)(x);
  return unary(
    (v) => (v / 2) * (1 + Math.tanh(innerOf(v))),
    geluTanhError,
    (v) => (1 + v * v) * 2 * (tanhError(innerOf(v), Math.tanh(innerOf(v))) + ulps(2, 1)),
  )(x);
}

/** The normal distribution's cumulative function, with its digits in the lower tail. */
function normalCumulative(x: number): number {
  return erfcOf(-x / Math.SQRT2) / 2;
}

// The kernel's formula of the tail has 1.2e-7; its exponent is off by 1.5 ulp of x^2 / 2, and exp by 3 + 2 |exponent|.
const tailUlps = (x: number): number => 11 + 1.75 * x * x;
const geluError: ErrorBound = (x, y) => ulps(1, y) + ulps(tailUlps(x), x * normalCumulative(-Math.abs(x)));
const geluSlopeError: ErrorBound = (x) => {
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  return (
    ulps(1, normalCumulative(x)) + ulps(tailUlps(x), normalCumulative(-Math.abs(x))) + ulps(6 + 2 * x * x, x * density)
  );
};

// Within 1/2 a series with 4 roundings; beyond, 1 - erfc(|x|).
const erfError: ErrorBound = (x, y) =>
  Math.abs(x) < 0.5 ? ulps(4, y) : ulps(0.5, y) + ulps(tailUlps(x * Math.SQRT2), erfcOf(Math.abs(x)));
const erfcError: ErrorBound = (x, y) =>
  Math.abs(x) < 0.5
    ? ulps(0.5, y) + ulps(4, erfOf(x))
    : ulps(0.5, y) + ulps(tailUlps(x * Math.SQRT2), erfcOf(Math.abs(x)));
// The exponent of the derivative is off by half an ulp, and exp by 3 + 2 x^2.
const erfSlopeError: ErrorBound = (x) => ulps(5 + 2.5 * x * x, (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x));
export const erf: Unary = unary(erfOf, erfError, erfSlopeError);
export const erfc: Unary = unary(erfcOf, erfcError, erfSlopeError);

// The formula has 3 ulp, the logarithm in it adds as many. The error of y^2 is one of the derivative's exponent.
export const erfinv: Unary = unary(erfinvOf, relative(7), (_, y) =>
  ulps(5 + 16 * y * y, (Math.sqrt(Math.PI) / 2) * Math.exp(y * y)),
);

/** Newton's method: for erf(y) = x up to 1/2, beyond it for the logarithm of erfc(y), which is nearly straight. */
function erfinvOf(x: number): number {
  const size = Math.abs(x);
  if (size >= 1 || Number.isNaN(x)) return size === 1 ? x * Infinity : Number.NaN;
  let y = size;
  for (let k = 0; k < 12; k++) {
    const slope = (2 / Math.sqrt(Math.PI)) * Math.exp(-y * y);
    const left = size < 0.5 ? size - erfOf(y) : erfcOf(y) * Math.log(erfcOf(y) / (1 - size));
    y += left / slope;
  }
  return Math.sign(x) * y;
}

function roundHalfToEven(x: number): number {
  const below = Math.floor(x);
  return x - below === 0.5 ? 2 * Math.round(x / 2) : Math.floor(x + 0.5);
}

/** 1 - erf(x), with its digits where that is small: Laplace's continued fraction beyond 3. */
function erfcOf(x: number): number {
  if (x < 3) return 1 - erfOf(x);
  let fraction = x;
  for (let k = 60; k > 0; k--) fraction = x + k / 2 / fraction;
  return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
}

/** erf by a series of positive terms, in which nothing cancels, and beyond 3 by erfc. Abramowitz and Stegun 7.1.6. */
function erfOf(x: number): number {
  if (Math.abs(x) >= 3) return Math.sign(x) * (1 - erfcOf(Math.abs(x)));
  let term = x;
  let sum = x;
  for (let n = 1; n < 100; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}
