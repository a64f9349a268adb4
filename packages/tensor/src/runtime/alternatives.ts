// Operations that have more than one way: a literal list in the operation's file. The first that fits and pays is the fixed
// choice; where the tuner was asked for, the way that it found fastest goes before it.
import { ValueError } from '../errors.ts';
import type { Limits } from './limits.ts';
import type { Owned } from './scope.ts';

/** One way of doing an operation. */
export interface Alternative<Shape, Run> {
  readonly name: string;
  /** Whether it can do this shape on such an adapter. The last of a list always fits. */
  readonly fits: (shape: Shape, limits: Limits) => boolean;
  /** Whether it should, where nothing was measured: always, if absent. */
  readonly pays?: (shape: Shape, limits: Limits) => boolean;
  readonly run: Run;
}

/** Operands and results of one shape, free of NaN and denormal numbers, and what does the operation on them in one way. */
export interface Trial<Run> {
  readonly operands: readonly Owned[];
  readonly run: (way: Run) => void;
}

/** How the tuner tries the ways of an operation. */
export interface Trials<Shape, Run> {
  /** The shape in a few words. Shapes with the same words share a winner: what is long or varies is rounded by `near`. */
  readonly words: (shape: Shape) => string;
  readonly prepare: (shape: Shape) => Trial<Run>;
  /** A small part of the work, on which hopeless ways show. The shape itself, if absent. */
  readonly sample?: (shape: Shape) => Shape;
}

/** An operation with its ways, as it was declared. */
export interface Operation<Shape, Run> {
  readonly list: readonly Alternative<Shape, Run>[];
  readonly trials: Trials<Shape, Run>;
}

/** The ways to choose, by operation and the words of a shape. */
export type Winners = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Told of every choice that is made. */
type OnChoice = (operation: string, shape: unknown) => void;

const declared = new Map<string, Operation<unknown, unknown>>();
const forced = new Map<string, string>();
let winners: Winners | null = null;
let listener: OnChoice | null = null;

/** Declares the ways of `operation`, simplest last; gives the function that chooses one. Call it at module level only. */
export function alternatives<Shape, Run>(
  operation: string,
  trials: Trials<Shape, Run>,
  list: readonly Alternative<Shape, Run>[],
): (shape: Shape, limits: Limits) => Alternative<Shape, Run> {
  // The types of its shapes are known in its own file only; whoever tries it passes on what it was told.
  declared.set(operation, { list, trials } as unknown as Operation<unknown, unknown>);
  return (shape, limits) => {
    const wanted = forced.get(operation);
    if (wanted !== undefined) return named(list, wanted, shape, limits) ?? (list.at(-1) as Alternative<Shape, Run>);
    listener?.(operation, shape);
    const winner = winners?.get(operation)?.get(trials.words(shape));
    return (winner === undefined ? null : named(list, winner, shape, limits)) ?? fixedChoice(list, shape, limits);
  };
}

/** The way that is chosen where nothing was measured. */
export function fixedChoice<Shape, Run>(
  list: readonly Alternative<Shape, Run>[],
  shape: Shape,
  limits: Limits,
): Alternative<Shape, Run> {
  const chosen = list.find(({ fits, pays }) => fits(shape, limits) && (pays?.(shape, limits) ?? true));
  return chosen ?? (list.at(-1) as Alternative<Shape, Run>);
}

/** The way called `name` where it fits, else null. */
function named<Shape, Run>(
  list: readonly Alternative<Shape, Run>[],
  name: string,
  shape: Shape,
  limits: Limits,
): Alternative<Shape, Run> | null {
  return list.find((way) => way.name === name && way.fits(shape, limits)) ?? null;
}

/** Rounds a size up to a power of two, for `words`: batches and other long sizes that vary while the work stays alike. */
export function near(size: number): number {
  return 2 ** Math.ceil(Math.log2(size));
}

/** An operation that was declared, or null. */
export function operationOf(operation: string): Operation<unknown, unknown> | null {
  return declared.get(operation) ?? null;
}

/** The winners that choices follow, or null where they are fixed. */
export function followed(): Winners | null {
  return winners;
}

/** From now on choices follow `found`; with null they are fixed. */
export function follow(found: Winners | null): void {
  winners = found;
}

/** Runs `fn` while every choice is fixed. */
export function untuned<T>(fn: () => T): T {
  const before = winners;
  winners = null;
  try {
    return fn();
  } finally {
    winners = before;
  }
}

/** Runs `fn`, telling `onChoice` of each choice that is not forced, until what `fn` promises. */
export function hearChoices<T>(onChoice: OnChoice, fn: () => T): T {
  const before = listener;
  listener = onChoice;
  const restore = (): void => {
    listener = before;
  };
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

/** The names of an operation's ways, in the order of choice. Throws ValueError for an operation that has only one. */
export function alternativesOf(operation: string): readonly string[] {
  const found = declared.get(operation);
  if (!found) {
    throw new ValueError(`alternatives: ${operation} has none; these have: ${[...declared.keys()].join(', ')}`);
  }
  return found.list.map(({ name }) => name);
}

/** Runs `fn` while `operation` is done in one way only, or in the last where that does not fit, for laws and benchmarks. Throws ValueError for an unknown name. */
export async function withAlternative<T>(operation: string, name: string, fn: () => T | Promise<T>): Promise<T> {
  if (!alternativesOf(operation).includes(name)) {
    throw new ValueError(`alternatives: ${operation} has no ${name}, but ${alternativesOf(operation).join(', ')}`);
  }
  forced.set(operation, name);
  try {
    return await fn();
  } finally {
    forced.delete(operation);
  }
}
