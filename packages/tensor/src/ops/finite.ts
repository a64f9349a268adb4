// NaN and infinities, by their bits.
import text from '@mien/shaders/finite/finite.wgsl';
import { expectOptions, kindOf } from '../arguments.ts';
import { record } from '../autograd.ts';
import { expectDtype } from '../dtype.ts';
import { ValueError } from '../errors.ts';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import { newEmpty } from '../runtime/tensorBase.ts';
import type { Tensor } from '../tensor.ts';
import { runElementwise } from './elementwise.ts';
import { newFull } from './fill.ts';
import { where } from './where.ts';

/** A predicate; integers and bool have the value `ofIntegers`. */
function predicate(name: string, operation: string, ofIntegers: 0 | 1): (x: Tensor) => Tensor {
  const forward: Kernel = kernel(text, { OP: operation });
  return (x) => {
    expectDtype(name, 'x', x, 'float32', 'int32', 'uint32', 'bool');
    if (x.dtype !== 'float32') return newFull(x, x.shape, ofIntegers, 'bool');
    const y = newEmpty(x, x.shape, 'bool');
    runElementwise(forward, { x, y }, { nan: 0, positive: 0, negative: 0 });
    return y;
  };
}

/** Whether x is NaN, as bool. */
export const isnan: (x: Tensor) => Tensor = predicate('isnan', 'IS_NAN', 0);

/** Whether x is Infinity or -Infinity, as bool. */
export const isinf: (x: Tensor) => Tensor = predicate('isinf', 'IS_INF', 0);

/** Whether x is neither NaN nor infinite, as bool. */
export const isfinite: (x: Tensor) => Tensor = predicate('isfinite', 'IS_FINITE', 1);

const replace = kernel(text, { OP: 'REPLACE' });

/** What `nanToNum` puts in place of values that are not finite. */
export interface NanToNumOptions {
  /** In place of NaN. Default 0. */
  readonly nan?: number;
  /** In place of Infinity. Default: the largest float32. */
  readonly posinf?: number;
  /** In place of -Infinity. Default: the smallest float32. */
  readonly neginf?: number;
}

const largest = (2 - 2 ** -23) * 2 ** 127;

/**
 * x with numbers in place of NaN and infinities; integer tensors have none and keep their values. The derivative is 1 where x is
 * finite, else 0.
 */
export function nanToNum(x: Tensor, options: NanToNumOptions = {}): Tensor {
  expectDtype('nanToNum', 'x', x, 'float32', 'int32', 'uint32');
  expectOptions('nanToNum', options, ['nan', 'posinf', 'neginf']);
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && typeof value !== 'number') {
      throw new ValueError(`nanToNum: ${name} must be a number, got ${kindOf(value)}`);
    }
  }
  if (x.dtype !== 'float32') return x.add(0);
  const { nan = 0, posinf = largest, neginf = -largest } = options;
  const [nanBits = 0, positive = 0, negative = 0] = new Uint32Array(Float32Array.of(nan, posinf, neginf).buffer);
  const y = newEmpty(x, x.shape);
  runElementwise(replace, { x, y }, { nan: nanBits, positive, negative });
  return record(
    'nanToNum',
    y,
    { x },
    { saves: { x }, backward: (dy, saved) => ({ x: where(isfinite(saved.x as Tensor), dy, 0) }) },
  );
}
