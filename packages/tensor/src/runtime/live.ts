// Host values that a captured function depends on: those that change are declared, those that must not change are watched.
import { expectFunction } from '../arguments.ts';
import { slot, withValue } from '../session.ts';
import type { Recording } from './recording.ts';

const recording = slot<Recording | null>(() => null);

/** The recording of the current call of a captured function, if any. */
export function currentRecording(): Recording | null {
  return recording.value;
}

/** Runs `fn` and records what it does in `into`. */
export function recordInto<T>(into: Recording, fn: () => T): T {
  return withValue(recording, into, fn);
}

/** A value that every call of a captured function computes again. */
export class Live<out T> {
  readonly #compute: () => T;
  #value: T;

  constructor(compute: () => T) {
    this.#compute = compute;
    this.#value = compute();
  }

  /** The last value. */
  get value(): T {
    return this.#value;
  }

  /** Computes it again. */
  refresh(): void {
    this.#value = this.#compute();
  }
}

/**
 * Runs `compute` now, and at every call of a captured function again, in the order of the function: for numbers that change
 * between calls. Pass a live value to `run` as a param; `compute` may read other live values and may have effects on the host,
 * such as counting a step. Create it in the captured function that uses it: one from outside is refused.
 */
export function live<T>(compute: () => T): Live<T> {
  expectFunction('live', compute);
  const known = recording.value?.nextLive();
  if (known) return known as Live<T>;
  const made = new Live(compute);
  recording.value?.lives.add(made);
  return made;
}

/**
 * Declares that a captured function depends on the value of `read`, called `name`: a call in which the value differs is refused.
 * Does nothing outside of captured functions.
 */
export function unchanging(name: string, read: () => unknown): void {
  expectFunction('unchanging', read);
  recording.value?.watched.push({ name, read, value: read() });
}
