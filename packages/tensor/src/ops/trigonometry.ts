// Trigonometric functions of float32 and their inverses, in radians: a kernel of the elementwise family.
import text from '@mien/shaders/trigonometry/trigonometry.wgsl';
import type { Tensor } from '../tensor.ts';
import { sub } from './binary.ts';
import { square, type Unary, unary } from './unary.ts';

/** The sine of an angle in radians, to 3 units in the last place for arguments of any size; NaN for infinities. */
export const sin: Unary = unary('sin', 'SIN', 'input', (dy, x) => dy.mul(cos(x)), text);

/** The cosine of an angle in radians, as accurate as `sin`. */
export const cos: Unary = unary('cos', 'COS', 'input', (dy, x) => dy.mul(sin(x)).neg(), text);

/** The tangent of an angle in radians; NaN for infinities. */
export const tan: Unary = unary('tan', 'TAN', 'output', (dy, y) => dy.mul(square(y).add(1)), text);

/** The arcsine, from -pi / 2 to pi / 2; NaN beyond -1 and 1. */
export const asin: Unary = unary('asin', 'ASIN', 'input', (dy, x) => dy.mul(slopeOfArcsine(x)), text);

/** The arccosine, from 0 to pi; NaN beyond -1 and 1. */
export const acos: Unary = unary('acos', 'ACOS', 'input', (dy, x) => dy.mul(slopeOfArcsine(x)).neg(), text);

/** 1 / sqrt(1 - x^2), with its digits near -1 and 1. */
function slopeOfArcsine(x: Tensor): Tensor {
  return sub(1, x).mul(x.add(1)).rsqrt();
}

/** The arctangent, from -pi / 2 to pi / 2. */
export const atan: Unary = unary('atan', 'ATAN', 'input', (dy, x) => dy.div(square(x).add(1)), text);
