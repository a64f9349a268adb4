// Tensors filled with a number.
import fillText from '@mien/shaders/fill/fill.wgsl';
import { toTypedArray } from '../dtype.ts';
import { kernel } from '../runtime/kernel.ts';
import { newEmpty, type TensorBase } from '../runtime/tensorBase.ts';
import { runElementwise } from './elementwise.ts';
import type { Shape } from './geometry.ts';

const fill = kernel(fillText);

/** Overwrites every element of `y` with `value`. */
export function fillWith(y: TensorBase, value: number): void {
  const bits = new Uint32Array(toTypedArray(y.dtype, [value]).buffer)[0] as number;
  runElementwise(fill, { y }, { bits });
}

/** A tensor of `value` on the device of `x`, by default of its dtype (`Tensor.new_full` of PyTorch). */
export function newFull<T extends TensorBase>(x: T, shape: Shape, value: number, dtype: T['dtype'] = x.dtype): T {
  const y = newEmpty(x, shape, dtype);
  fillWith(y, value);
  return y;
}
