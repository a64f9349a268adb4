// Values as tensors, and random numbers from a seed.
import type { DType } from '../dtype.ts';
import { tensor } from '../ops/create.ts';
import type { Values } from '../reference/values.ts';
import type { Tensor } from '../tensor.ts';

/** The values as a tensor. */
export function toTensor(
  values: Values,
  options: { readonly dtype?: DType; readonly requiresGrad?: boolean } = {},
): Tensor {
  return tensor({ shape: values.shape, data: values.data }, options);
}

/** `count` random values of -1 or 1, from a seed. */
export function randomSigns(count: number, seed: number): Float64Array {
  const next = random(seed);
  return Float64Array.from({ length: count }, () => (next() < 0.5 ? -1 : 1));
}

/** Mulberry32 (Tommy Ettinger, public domain): numbers in [0, 1) from a seed. */
export function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
