import convertText from '@mien/shaders/cast/convert.wgsl';
import { type DType, expectDtypeName, wgslType } from '../dtype.ts';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import { bitcast, newEmpty } from '../runtime/tensorBase.ts';
import type { Tensor } from '../tensor.ts';
import { runElementwise } from './elementwise.ts';

const types = ['f32', 'i32', 'u32'] as const;
const casts: Record<string, Kernel> = {};
for (const element of types) {
  casts[`${element} bool`] = kernel(convertText, { element, result: 'u32', TRUTH: true });
  for (const result of types)
    if (element !== result) casts[`${element} ${result}`] = kernel(convertText, { element, result });
}

/**
 * x as another dtype: floats round towards zero and saturate; as bool, every value except 0 is true. Only float32 carries
 * gradients, so a result of another dtype has none. For its own dtype it is x itself.
 */
export function to(x: Tensor, dtype: DType): Tensor {
  expectDtypeName('to', dtype);
  if (dtype === x.dtype) return x;
  const target = wgslType[dtype];
  const same = wgslType[x.dtype] === target && dtype !== 'bool';
  const y = same ? bitcast(x, dtype) : newEmpty(x, x.shape, dtype);
  if (!same) runElementwise(casts[`${wgslType[x.dtype]} ${dtype === 'bool' ? 'bool' : target}`] as Kernel, { x, y });
  return y;
}
