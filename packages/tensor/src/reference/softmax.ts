import { div, sub } from './binary.ts';
import { max, sum } from './reduce.ts';
import { exp, log } from './unary.ts';
import type { Values } from './values.ts';

export function softmax(x: Values, dim: number): Values {
  const powers = exp(sub(x, max(x, dim, { keepDim: true })));
  return div(powers, sum(powers, dim, { keepDim: true }));
}

export function logSoftmax(x: Values, dim: number): Values {
  const shifted = sub(x, max(x, dim, { keepDim: true }));
  return sub(shifted, log(sum(exp(shifted), dim, { keepDim: true })));
}
