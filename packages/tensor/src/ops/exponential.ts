// Exponentials, logarithms and the hyperbolic functions that are made of them, of float32: a kernel of the elementwise family.
import text from '@mien/shaders/exponential/exponential.wgsl';
import { sub } from './binary.ts';
import { exp, square, type Unary, unary } from './unary.ts';

/** 2 to the power of x, exact for integers. */
export const exp2: Unary = unary('exp2', 'EXP2', 'output', (dy, y) => dy.mul(y).mul(Math.LN2), text);

/** exp(x) - 1, with its digits near 0. */
export const expm1: Unary = unary('expm1', 'EXPM1', 'input', (dy, x) => dy.mul(exp(x)), text);

/** The logarithm to base 2, exact for powers of 2; NaN below 0. */
export const log2: Unary = unary('log2', 'LOG2', 'input', (dy, x) => dy.div(x).mul(Math.LOG2E), text);

/** The logarithm to base 10; NaN below 0. */
export const log10: Unary = unary('log10', 'LOG10', 'input', (dy, x) => dy.div(x).mul(Math.LOG10E), text);

/** ln(1 + x), with its digits near 0; NaN below -1. */
export const log1p: Unary = unary('log1p', 'LOG1P', 'input', (dy, x) => dy.div(x.add(1)), text);

/** The hyperbolic sine. */
export const sinh: Unary = unary('sinh', 'SINH', 'input', (dy, x) => dy.mul(cosh(x)), text);

/** The hyperbolic cosine. */
export const cosh: Unary = unary('cosh', 'COSH', 'input', (dy, x) => dy.mul(sinh(x)), text);

/** The inverse of the hyperbolic sine. */
export const asinh: Unary = unary('asinh', 'ASINH', 'input', (dy, x) => dy.mul(square(x).add(1).rsqrt()), text);

/** The inverse of the hyperbolic cosine; NaN below 1. */
export const acosh: Unary = unary('acosh', 'ACOSH', 'input', (dy, x) => dy.mul(sub(x, 1).mul(x.add(1)).rsqrt()), text);

/** The inverse of the hyperbolic tangent; NaN beyond -1 and 1. */
export const atanh: Unary = unary('atanh', 'ATANH', 'input', (dy, x) => dy.div(sub(1, x).mul(x.add(1))), text);
