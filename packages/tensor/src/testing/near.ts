// One tolerance for everything: rounding errors of float32 sums grow like a random walk, with the root of the terms.
import type { Values } from '../reference/values.ts';
import type { Tensor } from '../tensor.ts';
import { ensure, noteRatio } from './mismatch.ts';

/** Units in the last place that a single float32 operation of WGSL may be off, built-in functions included. */
const unitsPerOperation = 8;
const epsilon = 2 ** -23;
/** Two operands, each off by a unit in the last place of f16: WGSL may round to either neighbour. */
const halfError = 2 * 2 ** -10;

/** How a comparison's tolerance is derived. */
export interface NearOptions {
  /** How many products or summands make one result; 1 for elementwise operations. */
  readonly terms?: number;
  /** What the operands of products were rounded to; f32 if absent. */
  readonly operands?: 'f32' | 'f16';
}

/**
 * The allowed error: 8 units in the last place times the square root of the terms, of the value itself for one term, of
 * the largest value for sums (whose terms may cancel); values below 1 count as 1. Operands of f16 add a unit of theirs each.
 */
export function tolerance(terms: number, magnitude: number, operands: 'f32' | 'f16' = 'f32'): number {
  const error = unitsPerOperation * epsilon + (operands === 'f16' ? halfError : 0);
  return error * Math.sqrt(terms) * Math.max(1, magnitude);
}

/** Throws Mismatch unless the tensor has the expected shape and values, NaN and infinities included. */
export async function near(actual: Tensor, expected: Values, options: NearOptions = {}): Promise<void> {
  const found = await actual.data();
  ensure(
    actual.shape.join() === expected.shape.join(),
    `shape [${actual.shape.join(', ')}], expected [${expected.shape.join(', ')}]`,
  );
  nearValues(found, expected.data, options);
}

/** Throws Mismatch unless the numbers agree within the derived tolerance. */
export function nearValues(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  { terms = 1, operands = 'f32' }: NearOptions = {},
): void {
  ensure(found.length === expected.length, `${found.length} values, expected ${expected.length}`);
  const largest = terms > 1 ? largestOf(expected) : 0;
  for (let i = 0; i < expected.length; i++) {
    const [value, wanted] = [found[i] as number, expected[i] as number];
    if (Object.is(value, wanted) || value === wanted) continue;
    const ratio = Math.abs(value - wanted) / tolerance(terms, Math.max(largest, Math.abs(wanted)), operands);
    ensure(
      ratio <= 1,
      `element ${i} is ${value}, expected ${wanted}: ${ratio.toPrecision(3)} times the tolerance for ${terms} terms`,
    );
    noteRatio(ratio);
  }
}

function largestOf(list: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < list.length; i++)
    if (Number.isFinite(list[i])) largest = Math.max(largest, Math.abs(list[i] as number));
  return largest;
}
