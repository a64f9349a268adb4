import { ulps } from './bounds.ts';
import { type ErrorBound, relative, type Unary, unary } from './elementwise.ts';

// The rest of the argument has 1 rounding, the polynomial and its sum with 1 have 1.5 ulp.
export const exp2: Unary = unary((x) => 2 ** x, relative(2), relative(4));
// The built-in exponential of the derivative has 3 + 2 |x| ulp.
export const expm1: Unary = unary(Math.expm1, relative(3), (x) => ulps(3 + 2 * Math.abs(x), Math.exp(x)));
// Parts of up to 1/2 are added to an integer; the sum may be as small as a part.
export const log2: Unary = unary(Math.log2, relative(3), (x) => ulps(4, 1 / x));
export const log10: Unary = unary(Math.log10, relative(3), (x) => ulps(4, 1 / x));
// The rounding of 1 + x is at most that of a result of 0.34.
export const log1p: Unary = unary(Math.log1p, relative(4), (x) => ulps(4, 1 / (1 + x)));
// Exponentials of 2.5 ulp, whose difference is as large as the second where |x| is 1; its division has 2.5 ulp.
export const sinh: Unary = unary(Math.sinh, relative(4), (x) => ulps(4, Math.cosh(x)));
export const cosh: Unary = unary(Math.cosh, relative(4), (x) => ulps(4, Math.sinh(x)));
const rootSlope: ErrorBound = (x) => ulps(3, 1 / Math.sqrt(x * x + 1));
// ln(1 + w) divides the relative error of w, which has a root (4.5 ulp) and, where that is added, a division (2.5 ulp).
export const asinh: Unary = unary(Math.asinh, relative(8), rootSlope);
export const acosh: Unary = unary(Math.acosh, relative(9), (x) => ulps(3, 1 / Math.sqrt((x - 1) * (x + 1))));
export const atanh: Unary = unary(Math.atanh, relative(7), (x) => ulps(4, 1 / (1 - x * x)));
