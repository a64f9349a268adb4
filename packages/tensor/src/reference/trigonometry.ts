import { ulps } from './bounds.ts';
import { type ErrorBound, relative, type Unary, unary } from './elementwise.ts';

// Any argument is reduced to 2 ulp of the rest, which the polynomials add at most 1 to.
export const sin: Unary = unary(Math.sin, relative(3), (x) => ulps(3, Math.cos(x)));
export const cos: Unary = unary(Math.cos, relative(3), (x) => ulps(3, Math.sin(x)));
// A quotient of sine and cosine: 3 + 3 + 2.5 ulp. The derivative is 1 + y^2.
export const tan: Unary = unary(Math.tan, relative(8.5), (_, y) => ulps(19, 1 + y * y));

// WGSL: sqrt has 4.5 ulp; beyond 1/2 the result is made of an arccosine, twice a function of a root.
const arccosineUlps = 6;
const asinError: ErrorBound = (x, y) =>
  Math.abs(x) <= 0.5 ? ulps(2, y) : ulps(1, y) + ulps(arccosineUlps, Math.PI / 2 - Math.abs(y));
const acosError: ErrorBound = (x, y) => {
  if (Math.abs(x) <= 0.5) return ulps(1, y) + ulps(2, Math.asin(x));
  return x > 0 ? ulps(arccosineUlps, y) : ulps(1, y) + ulps(arccosineUlps, Math.PI - y);
};
// inverseSqrt of a product of a sum and a difference: 2 ulp, and half of 1.5 ulp.
const rootSlope: ErrorBound = (x) => ulps(3, 1 / Math.sqrt((1 - x) * (1 + x)));
export const asin: Unary = unary(Math.asin, asinError, rootSlope);
export const acos: Unary = unary(Math.acos, acosError, rootSlope);
// A quotient (2.5 ulp) of a sum and a difference; where its result is added to pi / 4, it is at most as large as the sum.
export const atan: Unary = unary(Math.atan, relative(6), (x) => ulps(4, 1 / (1 + x * x)));
