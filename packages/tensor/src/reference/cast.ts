import { within } from './bounds.ts';
import type { Values } from './values.ts';

/** Rounds towards zero and clamps to the range of the type. */
export function to(x: Values, dtype: 'float32' | 'int32' | 'uint32' | 'bool'): Values {
  const keepIn = (low: number, high: number) => (v: number) => Math.min(Math.max(Math.trunc(v), low), high);
  const convert = {
    float32: Math.fround,
    int32: keepIn(-(2 ** 31), 2 ** 31 - 1),
    uint32: keepIn(0, 2 ** 32 - 1),
    bool: (v: number) => Number(v !== 0),
  }[dtype];
  return within({ shape: x.shape, data: x.data.map(convert) }, 0);
}
