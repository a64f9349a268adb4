// Values of the host that a captured function depends on: those that change are declared, those that must not are watched.
import { expectFunction } from '../arguments.ts';
import { slot, withValue } from '../session.ts';
import type { Recording } from './recording.ts';

const recording = slot<Recording | null>(() => null);

/** The call of a captured function that is being recorded, if one is. */
export function currentRecording(): Recording | null {
  return recording.value;
}

/** Runs `fn` while `into` notes what it does. */
export function recordInto<T>(into: Recording, fn: () => T): T {
  return withValue(recording, into, fn);
}

/** A value that is worked out anew in every call of a captured function. */
export class Live<out T> {
  readonly #compute: () => T;
  #value: T;

  constructor(compute: () => T) {
    this.#compute = compute;
    this.#value = compute();
  }

  /** As it was last worked out. */
  get value(): T {
    return this.#value;
  }

  /** Works it out anew. */
  refresh(): void {
    this.#value = this.#compute();
  }
}

/**
 * Runs `compute` now, and in a captured function again at every call, in the order of the function: for numbers that change
 * from call to call. A live value may be given to `run` as a param; `compute` may read other live values, and may have
 * effects on the host, such as counting a step. Make it where it is used: one from outside is refused in a captured function.
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
 * Says that what follows depends on the value of `read`, called `name`: a captured function refuses a later call in which
 * it has another. Outside of captured functions this does nothing.
 */
export function unchanging(name: string, read: () => unknown): void {
  expectFunction('unchanging', read);
  recording.value?.watched.push({ name, read, value: read() });
}
