// Who frees a tensor: the scope it was made in, else its owner by dispose(), else, as a net, the garbage collector.
import { expectFunction, kindOf } from '../arguments.ts';
import { ValueError } from '../errors.ts';

/** Something with device memory. `release` must not refer to the owner, or the collector would never reach it. */
export interface Owned {
  readonly holding: Holding;
  dispose(): void;
}

/** What an owner gives back, apart from the owner itself. */
export interface Holding {
  /** What made it, for the report of what only the collector caught. */
  readonly origin: string;
  release(): void;
}

const scopes: Set<Owned>[] = [];
const owners = new WeakMap<Owned, Set<Owned>>();
const collected: Record<string, number> = {};

const net = new FinalizationRegistry<Holding>((holding) => {
  collected[holding.origin] = (collected[holding.origin] ?? 0) + 1;
  holding.release();
});

/** Tensors that nobody disposed of and the garbage collector caught, counted by the operation that made them. */
export function collectedTensors(): Readonly<Record<string, number>> {
  return collected;
}

/** Gives a new tensor to the innermost scope; outside all scopes the caller owns it. */
export function own(tensor: Owned): void {
  give(tensor, scopes.at(-1));
}

/** Forgets a tensor that was disposed of. */
export function disown(tensor: Owned): void {
  const owner = owners.get(tensor);
  if (owner) owner.delete(tensor);
  else net.unregister(tensor);
}

/** Takes a tensor out of its scope: the caller owns it and calls `dispose()`. Returns the tensor. */
export function keep<T extends Owned>(tensor: T): T {
  if (!(tensor as T | undefined)?.holding) throw new ValueError(`keep: expected a tensor, got ${kindOf(tensor)}`);
  disown(tensor);
  give(tensor, undefined);
  return tensor;
}

/** Gives a kept tensor to the innermost scope. Returns the tensor. */
export function adopt<T extends Owned>(tensor: T): T {
  disown(tensor);
  own(tensor);
  return tensor;
}

/**
 * Runs `fn` and frees every tensor made inside it but those that it returns, alone or inside arrays, plain objects, maps
 * and sets; these go to the enclosing scope. Throws ValueError when `fn` returns a promise: read results outside.
 */
export function scope<T>(fn: () => T): T {
  expectFunction('scope', fn);
  const close = openScope();
  let result: T;
  try {
    result = fn();
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

/** Opens a scope; the function that comes back closes it, freeing all but the tensors in `result`. */
export function openScope(): (result: unknown) => void {
  const made = new Set<Owned>();
  scopes.push(made);
  return (result) => {
    const index = scopes.lastIndexOf(made);
    scopes.splice(index, 1);
    const kept = new Set<Owned>();
    collect(result, made, kept);
    for (const tensor of kept) give(tensor, scopes[index - 1]);
    for (const tensor of made) if (!kept.has(tensor)) tensor.dispose();
  };
}

function give(tensor: Owned, owner: Set<Owned> | undefined): void {
  if (owner) {
    owner.add(tensor);
    owners.set(tensor, owner);
  } else {
    owners.delete(tensor);
    net.register(tensor, tensor.holding, tensor);
  }
}

function collect(value: unknown, made: ReadonlySet<Owned>, found: Set<Owned>): void {
  if (typeof value !== 'object' || value === null) return;
  if (made.has(value as Owned)) found.add(value as Owned);
  else if (Array.isArray(value) || value instanceof Set) for (const item of value) collect(item, made, found);
  else if (value instanceof Map) for (const item of value.values()) collect(item, made, found);
  else if (Object.getPrototypeOf(value) === Object.prototype)
    for (const item of Object.values(value)) collect(item, made, found);
}
