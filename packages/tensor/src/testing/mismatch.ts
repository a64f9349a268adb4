// What comparisons throw, and how close to their bound they were. Without fast-check: a program that ships compares too.
import { MienError } from '../errors.ts';
import { slot } from '../session.ts';

/** A value is not what it should be, found by `near`, `gradcheck` or `ensure`. */
export class Mismatch extends MienError {}

const worst = slot(() => 0);

/** Notes an error as a share of its bound. */
export function noteRatio(ratio: number): void {
  worst.value = Math.max(worst.value, ratio);
}

/** The largest share noted since the last call. */
export function takeWorstRatio(): number {
  const taken = worst.value;
  worst.value = 0;
  return taken;
}

/** Throws Mismatch with `message` unless `condition` holds. */
export function ensure(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Mismatch(message);
}
