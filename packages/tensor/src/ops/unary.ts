// Elementwise functions of one float32 tensor: one WGSL family, one row each.

import unaryText from '@mien/shaders/unary/unary.wgsl';
import { expectNumber, expectOneOf, expectOptions, kindOf } from '../arguments.ts';
import { record } from '../autograd.ts';
import { expectDtype } from '../dtype.ts';
import { ValueError } from '../errors.ts';
import { kernel } from '../runtime/kernel.ts';
import { scope } from '../runtime/scope.ts';
import { newEmpty } from '../runtime/tensorBase.ts';
import type { Tensor } from '../tensor.ts';
import {
  add,
  ge,
  gt,
  le,
  logicalAnd,
  lt,
  maximum,
  minimum,
  reluGradient,
  sigmoidGradient,
  sub,
  tanhGradient,
} from './binary.ts';
import { runElementwise } from './elementwise.ts';
import { newFull } from './fill.ts';
import { where } from './where.ts';

/** A function of one tensor, element by element. */
export type Unary = (x: Tensor) => Tensor;

/** The tensor that the derivative uses: the input, the output, or neither. */
type Saves = 'input' | 'output' | 'nothing';

/** A function of float32: its name, its case in the kernel `text`, and its derivative times dy. */
export function unary(
  name: string,
  operation: string,
  saves: Saves,
  derivative: (dy: Tensor, saved: Tensor) => Tensor,
  text: string = unaryText,
): Unary {
  const forward = kernel(text, { OP: operation });
  return (x) => {
    expectDtype(name, 'x', x, 'float32');
    const y = newEmpty(x, x.shape);
    runElementwise(forward, { x, y });
    return record(
      name,
      y,
      { x },
      {
        saves: { x: saves === 'input' ? x : null, y: saves === 'output' ? y : null },
        backward: (dy, saved) => ({ x: derivative(dy, (saves === 'input' ? saved.x : saved.y) as Tensor) }),
      },
    );
  };
}

const negFloat: Unary = unary('neg', 'NEG', 'nothing', (dy) => negFloat(dy));
const absFloat: Unary = unary('abs', 'ABS', 'input', (dy, x) => dy.mul(signFloat(x)));
const squareFloat: Unary = unary('square', 'SQUARE', 'input', (dy, x) => dy.mul(x).mul(2));

/** -x. */
export function neg(x: Tensor): Tensor {
  return x.dtype === 'int32' ? sub(0, x) : negFloat(x);
}

/** |x|; the derivative at 0 is 0. */
export function abs(x: Tensor): Tensor {
  return x.dtype === 'int32' ? maximum(x, neg(x)) : absFloat(x);
}

/** x * x. */
export function square(x: Tensor): Tensor {
  return x.dtype === 'float32' ? squareFloat(x) : x.mul(x);
}

/** The derivative of steps. */
function flat(dy: Tensor): Tensor {
  return newFull(dy, dy.shape, 0);
}

const signFloat: Unary = unary('sign', 'SIGN', 'nothing', flat);

/** -1, 0 or 1 by the sign of x, and NaN for NaN (PyTorch: 0); the derivative is 0. */
export function sign(x: Tensor): Tensor {
  return x.dtype === 'int32' ? scope(() => sub(gt(x, 0).to('int32'), lt(x, 0).to('int32'))) : signFloat(x);
}

/** A step function of float32, with a derivative of 0; integers are their own result. */
function steps(name: string, operation: string): Unary {
  const ofFloats = unary(name, operation, 'nothing', flat);
  return (x) => (x.dtype === 'int32' || x.dtype === 'uint32' ? add(x, 0) : ofFloats(x));
}

/** The largest integer of at most x. */
export const floor: Unary = steps('floor', 'FLOOR');

/** The smallest integer of at least x. */
export const ceil: Unary = steps('ceil', 'CEIL');

/** The nearest integer; halves go to the even one. */
export const round: Unary = steps('round', 'ROUND');

/** x without its fraction. */
export const trunc: Unary = steps('trunc', 'TRUNC');

/** The fraction of x, with its sign: x - trunc(x). */
export const frac: Unary = unary('frac', 'FRAC', 'nothing', (dy) => dy);

/** 1 / x. */
export const reciprocal: Unary = unary('reciprocal', 'RECIPROCAL', 'output', (dy, y) => dy.mul(square(y)).neg());

/** e to the power of x. */
export const exp: Unary = unary('exp', 'EXP', 'output', (dy, y) => dy.mul(y));

/** The natural logarithm; NaN below 0. */
export const log: Unary = unary('log', 'LOG', 'input', (dy, x) => dy.div(x));

/** The square root; NaN below 0. */
export const sqrt: Unary = unary('sqrt', 'SQRT', 'output', (dy, y) => dy.div(y).mul(0.5));

/** 1 / sqrt(x). */
export const rsqrt: Unary = unary('rsqrt', 'RSQRT', 'output', (dy, y) => dy.mul(y.mul(y).mul(y)).mul(-0.5));

/** max(x, 0); the derivative at 0 is 0. */
export const relu: Unary = unary('relu', 'RELU', 'output', reluGradient);

const reluKernel = kernel(unaryText, { OP: 'RELU' });

/** Writes max(x, 0) into y, outside the graph. */
export function reluInto(y: Tensor, x: Tensor): void {
  runElementwise(reluKernel, { x, y });
}

/** 1 / (1 + exp(-x)). */
export const sigmoid: Unary = unary('sigmoid', 'SIGMOID', 'output', sigmoidGradient);

/** The hyperbolic tangent. */
export const tanh: Unary = unary('tanh', 'TANH', 'output', tanhGradient);

/** The error function. */
export const erf: Unary = unary('erf', 'ERF', 'input', (dy, x) => dy.mul(slopeOfErf(x)));

/** 1 - erf(x), with its digits where that is small. */
export const erfc: Unary = unary('erfc', 'ERFC', 'input', (dy, x) => dy.mul(slopeOfErf(x)).neg());

/** The inverse of erf: infinite at -1 and 1, NaN beyond. Giles (2012). */
export const erfinv: Unary = unary('erfinv', 'ERFINV', 'output', (dy, y) =>
  dy.mul(exp(square(y))).mul(Math.sqrt(Math.PI) / 2),
);

function slopeOfErf(x: Tensor): Tensor {
  return exp(square(x).neg()).mul(2 / Math.sqrt(Math.PI));
}

/** x * sigmoid(x). Elfwing, Uchibe and Doya (2017). */
export const silu: Unary = unary('silu', 'SILU', 'input', (dy, x) => dy.mul(siluDerivative(x)));

const siluDerivative: Unary = unary('siluDerivative', 'SILU_DERIVATIVE', 'input', (dy, x) => {
  const s = sigmoid(x);
  return dy.mul(s.mul(sub(1, s))).mul(x.mul(sub(1, s.mul(2))).add(2));
});

const geluExact: Unary = unary('gelu', 'GELU', 'input', (dy, x) => dy.mul(geluDerivative(x)));

const geluDerivative: Unary = unary('geluDerivative', 'GELU_DERIVATIVE', 'input', (dy, x) => {
  const density = exp(square(x).mul(-0.5)).mul(1 / Math.sqrt(2 * Math.PI));
  return dy.mul(density).mul(sub(2, square(x)));
});

/**
 * x times the normal distribution's cumulative function at x, or its approximation by tanh. Hendrycks and Gimpel (2016).
 */
export function gelu(x: Tensor, approximate: 'none' | 'tanh' = 'none'): Tensor {
  if (approximate === 'none') return geluExact(x);
  expectOneOf('gelu', 'approximate', approximate, ['none', 'tanh']);
  expectDtype('gelu', 'x', x, 'float32');
  return scope(() => {
    const inner = x.add(square(x).mul(x).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
    return x.mul(tanh(inner).add(1)).mul(0.5);
  });
}

/** x where x > 0, else slope * x. */
export function leakyRelu(x: Tensor, slope = 0.01): Tensor {
  expectDtype('leakyRelu', 'x', x, 'float32');
  expectNumber('leakyRelu', 'slope', slope);
  return scope(() => where(x.gt(0), x, x.mul(slope)));
}

/** Bounds of `clamp`; at least one. */
export interface ClampOptions {
  readonly min?: number;
  readonly max?: number;
}

/**
 * min(max(x, `min`), `max`): `max` everywhere if `min` exceeds it, and NaN for a bound of NaN. The derivative is 1
 * between the bounds, inclusive, else 0. Throws ValueError without a bound.
 */
export function clamp(x: Tensor, options: ClampOptions): Tensor {
  expectDtype('clamp', 'x', x, 'float32', 'int32', 'uint32');
  expectOptions('clamp', options, ['min', 'max']);
  if (options.min === undefined && options.max === undefined) {
    throw new ValueError('clamp: expected a bound, got none; pass min, max or both');
  }
  for (const [name, bound] of Object.entries(options)) {
    if (bound !== undefined && typeof bound !== 'number') {
      throw new ValueError(`clamp: ${name} must be a number, got ${kindOf(bound)}`);
    }
  }
  return scope(() => {
    const inside = x.requiresGrad ? inRange(x.detach(), options) : null;
    const raised = options.min === undefined ? x.detach() : maximum(x.detach(), options.min);
    const y = options.max === undefined ? raised : minimum(raised, options.max);
    return record(
      'clamp',
      y,
      { x },
      {
        saves: { inside },
        backward: (dy, saved) => ({ x: where(saved.inside as Tensor, dy, 0) }),
      },
    );
  });
}

function inRange(x: Tensor, { min, max }: ClampOptions): Tensor {
  if (min === undefined) return le(x, max as number);
  return max === undefined ? ge(x, min) : logicalAnd(ge(x, min), le(x, max));
}
