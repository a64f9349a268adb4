// Comparisons by the bound that an operation states once, beside its definition: see reference/bounds.ts.
import { ulps, within } from '../reference/bounds.ts';
import type { Values } from '../reference/values.ts';
import type { Tensor } from '../tensor.ts';
import { ensure, noteRatio } from './mismatch.ts';

/** Units in the last place of each value that are allowed where nothing is stated: a few operations, one after another. */
const unstated = 4;
/** WGSL may flush results below the smallest normal float32 to zero. */
const smallestNormal = 2 ** -126;

/** Throws Mismatch unless the tensor has the expected shape, and each value is within its stated error; NaN equals NaN. */
export async function near(actual: Tensor, expected: Values): Promise<void> {
  const found = await actual.data();
  ensure(
    actual.shape.join() === expected.shape.join(),
    `shape [${actual.shape.join(', ')}], expected [${expected.shape.join(', ')}]`,
  );
  nearValues(found, expected);
}

/**
 * Throws Mismatch unless each number is within the error that `expected` states for it, or, where it states none, within
 * four units in its last place. What float32 flushes to zero, or takes to infinity, may go there.
 */
export function nearValues(found: ArrayLike<number>, expected: ArrayLike<number> | Values): void {
  const given = 'data' in expected ? expected : { shape: [], data: Float64Array.from(expected) };
  const { data, error } = stated(given);
  ensure(found.length === data.length, `${found.length} values, expected ${data.length}`);
  for (let i = 0; i < data.length; i++) {
    const [value, wanted, allowed] = [found[i] as number, data[i] as number, error[i] as number];
    if (Object.is(value, wanted) || value === Math.fround(wanted)) continue;
    if (value === Math.fround(wanted + Math.sign(wanted) * allowed)) continue;
    const ratio = Math.abs(value - wanted) / (allowed + smallestNormal);
    ensure(
      ratio <= 1,
      `element ${i} is ${value}, expected ${wanted} within ${allowed.toPrecision(2)}: ${ratio.toPrecision(3)} times that`,
    );
    noteRatio(ratio);
  }
}

function stated(values: Values): { readonly data: Float64Array; readonly error: Float64Array } {
  const { data, error = within(values, (v) => ulps(unstated, v)).error as Float64Array } = values;
  return { data, error };
}
