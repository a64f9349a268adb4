// The errors of comparisons, and the largest ratio of an error to its bound.
import { MienError } from '../errors.ts';
import { slot } from '../session.ts';

/** A value differs from the expected one; thrown by `near`, `gradcheck` and `ensure`. */
export class Mismatch extends MienError {}

const worst = slot(() => 0);

/** Records the ratio of an error to its bound. */
export function noteRatio(ratio: number): void {
  worst.value = Math.max(worst.value, ratio);
}

/** The largest ratio recorded since the last call. */
export function takeWorstRatio(): number {
  const ratio = worst.value;
  worst.value = 0;
  return ratio;
}

/** Throws Mismatch with `message` unless `condition` holds. */
export function ensure(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Mismatch(message);
}
