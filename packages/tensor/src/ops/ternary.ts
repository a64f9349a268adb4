// Operations of three tensors that broadcast, composed of arithmetic.
import { expectNumber, expectOptions, expectTensor } from '../arguments.ts';
import { expectDtype, holds } from '../dtype.ts';
import { DtypeError } from '../errors.ts';
import { scope } from '../runtime/scope.ts';
import type { Tensor } from '../tensor.ts';
import { sub } from './binary.ts';
import { where } from './where.ts';

/**
 * x + weight * (end - x) of float32 tensors that broadcast; the weight may be a number. It is x for a weight of 0 and `end` for 1: weights
 * from 1/2 start at `end`, as in PyTorch.
 */
export function lerp(x: Tensor, end: Tensor, weight: Tensor | number): Tensor {
  expectDtype('lerp', 'x', x, 'float32');
  expectDtype('lerp', 'end', end, 'float32');
  if (typeof weight === 'number') {
    expectNumber('lerp', 'weight', weight);
    return scope(() => {
      const span = end.sub(x);
      return weight < 0.5 ? x.add(span.mul(weight)) : end.sub(span.mul(1 - weight));
    });
  }
  expectDtype('lerp', 'weight', weight, 'float32');
  return scope(() => {
    const span = end.sub(x);
    return where(weight.lt(0.5), x.add(span.mul(weight)), end.sub(span.mul(sub(1, weight))));
  });
}

/** Options of `addcmul`. */
export interface AddcmulOptions {
  /** The factor of the product; an integer for integer tensors. Default 1. */
  readonly value?: number;
}

/** x + value * a * b of tensors of one dtype that broadcast: float32, int32 or uint32. */
export function addcmul(x: Tensor, a: Tensor, b: Tensor, options: AddcmulOptions = {}): Tensor {
  expectDtype('addcmul', 'x', x, 'float32', 'int32', 'uint32');
  expectTensor('addcmul', 'a', a);
  expectTensor('addcmul', 'b', b);
  expectOptions('addcmul', options, ['value']);
  const { value = 1 } = options;
  expectNumber('addcmul', 'value', value);
  for (const [name, factor] of Object.entries({ a, b })) {
    if (factor.dtype !== x.dtype) {
      throw new DtypeError(
        `addcmul: expected ${name} to be ${x.dtype} as x, got ${factor.dtype}; convert it with to('${x.dtype}')`,
      );
    }
  }
  if (!holds(x.dtype, value)) {
    throw new DtypeError(
      `addcmul: expected a value that ${x.dtype} can represent, got ${value}; convert x with to('float32')`,
    );
  }
  return scope(() => {
    const product = a.mul(b);
    return x.add(value === 1 ? product : product.mul(value));
  });
}
