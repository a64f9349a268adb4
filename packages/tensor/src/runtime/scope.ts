// Frees tensors: by the scope that they were made in, else by their owner's dispose(), else by the garbage collector.
import { expectFunction, kindOf } from '../arguments.ts';
import { ValueError } from '../errors.ts';
import { slot, withValue } from '../session.ts';

/** The memory that an `Owned` holds. It must not refer to its owner, or the garbage collector would never free that. */
export interface Holding {
  /** What made it, for `collectedTensors`. */
  readonly origin: string;
  release(): void;
}

/** The open scopes, the innermost last. */
const openScopes = slot<Set<Owned>[]>(() => []);
/** Whether a function that `scope` was given is running. */
const running = slot<boolean>(() => false);
const collected = slot<Record<string, number>>(() => ({}));

const net = new FinalizationRegistry<Holding>((holding) => {
  const counts = collected.value;
  counts[holding.origin] = (counts[holding.origin] ?? 0) + 1;
  holding.release();
});

/** Moves `owned` to a scope; without one its owner frees it. */
let moveTo: (owned: Owned, scope: Set<Owned> | undefined) => void;
/** Takes `owned` from its scope or owner. */
export let disown: (owned: Owned) => void;
/** Whether the innermost scope frees `owned`, or, outside of all scopes, its owner. */
export let isOwnedHere: (owned: Owned) => boolean;

/** Something with device memory, freed by its scope, by `dispose()` or by the garbage collector. */
export abstract class Owned {
  readonly #holding: Holding;
  /** The scope that frees it; null where its owner does. */
  #scope: Set<Owned> | null = null;

  protected constructor(holding: Holding) {
    this.#holding = holding;
  }

  /** Frees its memory. Calling it again does nothing. */
  abstract dispose(): void;

  [Symbol.dispose](): void {
    this.dispose();
  }

  static {
    moveTo = (owned, scope) => {
      owned.#scope = scope ?? null;
      if (scope) scope.add(owned);
      else net.register(owned, owned.#holding, owned);
    };
    disown = (owned) => {
      if (owned.#scope) owned.#scope.delete(owned);
      else net.unregister(owned);
    };
    isOwnedHere = (owned) => owned.#scope === (openScopes.value.at(-1) ?? null);
  }
}

/** Tensors that were freed by the garbage collector instead of `dispose()`, counted by the operation that made them. */
export function collectedTensors(): Readonly<Record<string, number>> {
  return collected.value;
}

/** Adds a new tensor to the innermost scope; outside of all scopes the caller owns it. */
export function own(tensor: Owned): void {
  moveTo(tensor, openScopes.value.at(-1));
}

/** Takes a tensor out of its scope: the caller owns it and calls `dispose()`. Returns the tensor. */
export function keep<T extends Owned>(tensor: T): T {
  if (!(tensor instanceof Owned)) throw new ValueError(`keep: expected a tensor, got ${kindOf(tensor)}`);
  disown(tensor);
  moveTo(tensor, undefined);
  return tensor;
}

/** Moves a kept tensor to the innermost scope. Returns the tensor. */
export function adopt<T extends Owned>(tensor: T): T {
  disown(tensor);
  own(tensor);
  return tensor;
}

/**
 * Runs `fn` and frees every tensor made inside it except those that it returns, alone or inside arrays, plain objects, maps
 * and sets; these move to the enclosing scope. Throws ValueError when `fn` returns a promise: read results outside.
 */
export function scope<T>(fn: () => T): T {
  expectFunction('scope', fn);
  const close = openScope();
  let result: T;
  try {
    result = withValue(running, true, fn);
  } catch (reason) {
    close(undefined);
    throw reason;
  }
  if (result instanceof Promise) {
    close(undefined);
    result.catch(() => {});
    throw new ValueError(
      'scope: the function returned a promise; a scope is synchronous: return tensors and await outside it',
    );
  }
  close(result);
  return result;
}

/** Whether a function that `scope` was given is running: it cannot wait for values. */
export function isInScope(): boolean {
  return running.value;
}

/** Opens a scope; the returned function closes it and frees all tensors except those in `result`. */
export function openScope(): (result: unknown) => void {
  const made = new Set<Owned>();
  const scopes = openScopes.value;
  scopes.push(made);
  return (result) => {
    const index = scopes.lastIndexOf(made);
    scopes.splice(index, 1);
    const returned = new Set<Owned>();
    collect(result, made, returned);
    for (const tensor of returned) moveTo(tensor, scopes[index - 1]);
    for (const tensor of made) if (!returned.has(tensor)) tensor.dispose();
  };
}

function collect(value: unknown, made: ReadonlySet<Owned>, found: Set<Owned>): void {
  if (typeof value !== 'object' || value === null) return;
  if (made.has(value as Owned)) found.add(value as Owned);
  else if (Array.isArray(value) || value instanceof Set) for (const item of value) collect(item, made, found);
  else if (value instanceof Map) for (const item of value.values()) collect(item, made, found);
  else if (Object.getPrototypeOf(value) === Object.prototype)
    for (const item of Object.values(value)) collect(item, made, found);
}
