// What the library remembers between calls: each module keeps its part in a slot, and all slots together are the session.

/** One part of the session. */
export interface Slot<T> {
  value: T;
}

interface OwnSlot<T> extends Slot<T> {
  readonly initial: () => T;
}

const slots: OwnSlot<unknown>[] = [];

/** Declares a part of the session, which begins as `initial()`. Call it at module level only. */
export function slot<T>(initial: () => T): Slot<T> {
  const made: OwnSlot<T> = { value: initial(), initial };
  slots.push(made as OwnSlot<unknown>);
  return made;
}

/**
 * Runs `fn` in a new session, without a device and with every setting at its default, and returns to the current one after it or
 * its promise. Call it outside of `noGrad` and other functions that change a setting while they run. Tensors belong to the session
 * that made them.
 */
export async function withNewSession<T>(fn: () => T | Promise<T>): Promise<T> {
  const before = slots.map(({ value }) => value);
  for (const each of slots) each.value = each.initial();
  try {
    return await fn();
  } finally {
    for (const [i, each] of slots.entries()) each.value = before[i];
  }
}

/** Runs `fn` while `slot` holds `value`. */
export function withValue<S, T>(slot: Slot<S>, value: S, fn: () => T): T {
  const before = slot.value;
  slot.value = value;
  try {
    return fn();
  } finally {
    slot.value = before;
  }
}

/** Runs `fn` while `slot` holds `value`, until the promise that `fn` may return is settled. */
export function withValueUntilSettled<S, T>(slot: Slot<S>, value: S, fn: () => T): T {
  const before = slot.value;
  const restore = (): void => {
    slot.value = before;
  };
  slot.value = value;
  let result: T;
  try {
    result = fn();
  } catch (reason) {
    restore();
    throw reason;
  }
  if (result instanceof Promise) return result.finally(restore) as T;
  restore();
  return result;
}
