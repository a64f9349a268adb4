// Comparisons by the bound that an operation states once, beside its definition: see reference/bounds.ts.
import { ulps, within } from '../reference/bounds.ts';
import type { Values } from '../reference/values.ts';
import type { Tensor } from '../tensor.ts';
import { ensure, noteRatio } from './mismatch.ts';

/** The default error in units in the last place: a few consecutive operations. */
const defaultUnits = 4;
/** WGSL may flush results below the smallest normal float32 to zero. */
const smallestNormal = 2 ** -126;

/** Throws Mismatch unless the tensor has the expected shape, and each value is within its stated error; NaN equals NaN. */
export async function near(actual: Tensor, expected: Values): Promise<void> {
  const values = await actual.data();
  ensure(
    actual.shape.join() === expected.shape.join(),
    `shape [${actual.shape.join(', ')}], expected [${expected.shape.join(', ')}]`,
  );
  nearValues(values, expected);
}

/**
 * Throws Mismatch unless each number is within the error that `expected` states for it, by default four units in the last place.
 * Numbers that float32 flushes to zero, or overflows to infinity, may be either.
 */
export function nearValues(actual: ArrayLike<number>, expected: ArrayLike<number> | Values): void {
  const values = 'data' in expected ? expected : { shape: [], data: Float64Array.from(expected) };
  const { data, error } = stated(values);
  ensure(actual.length === data.length, `${actual.length} values, expected ${data.length}`);
  for (let i = 0; i < data.length; i++) {
    const [value, target, allowed] = [actual[i] as number, data[i] as number, error[i] as number];
    if (Object.is(value, target) || value === Math.fround(target)) continue;
    if (value === Math.fround(target + Math.sign(target) * allowed)) continue;
    const ratio = Math.abs(value - target) / (allowed + smallestNormal);
    ensure(
      ratio <= 1,
      `element ${i} is ${value}, expected ${target} within ${allowed.toPrecision(2)}: ${ratio.toPrecision(3)} times that`,
    );
    noteRatio(ratio);
  }
}

function stated(values: Values): { readonly data: Float64Array; readonly error: Float64Array } {
  const { data, error = within(values, (v) => ulps(defaultUnits, v)).error as Float64Array } = values;
  return { data, error };
}
