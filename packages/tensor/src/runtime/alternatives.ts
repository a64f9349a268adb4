// Operations with several algorithms: a literal list in the operation's file. The first that fits and pays is the fixed
// choice; where the tuner is on, the algorithm that it found fastest is chosen instead.
import { AlgorithmError, ValueError } from '../errors.ts';
import { slot } from '../session.ts';
import { runAs } from './dispatches.ts';
import type { Limits } from './limits.ts';
import type { Owned } from './scope.ts';

/** One algorithm of an operation. */
export interface Alternative<Shape, Run> {
  readonly name: string;
  /** What an adapter lacks to run it at any shape, in a few words, or null. */
  readonly lacks?: (limits: Limits) => string | null;
  /** Whether it can do this shape where the adapter lacks nothing. The last of a list always fits. */
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
const forced = slot(() => new Map<string, string>());
const winners = slot<Winners | null>(() => null);
const listener = slot<OnChoice | null>(() => null);

/** The algorithms of an operation, ready to be chosen from. */
export interface Algorithms<Shape, Run> {
  /** The algorithm for a shape. Throws AlgorithmError where one is forced that cannot run. */
  readonly choose: (shape: Shape, limits: Limits) => Alternative<Shape, Run>;
  /** Chooses an algorithm and calls `use` to encode its dispatches. Throws as `choose`. */
  readonly run: <T>(shape: Shape, limits: Limits, use: (run: Run) => T) => T;
}

/** Declares the algorithms of `operation`, simplest last. Call it at module level only. */
export function alternatives<Shape, Run>(
  operation: string,
  trials: Trials<Shape, Run>,
  list: readonly Alternative<Shape, Run>[],
): Algorithms<Shape, Run> {
  // The types of its shapes are known in its own file only; whoever tries it passes on what it was told.
  declared.set(operation, { list, trials } as unknown as Operation<unknown, unknown>);
  const choose = (shape: Shape, limits: Limits): Alternative<Shape, Run> => {
    const wanted = forced.value.get(operation);
    if (wanted !== undefined) return forcedOf(operation, list, trials, wanted, shape, limits);
    listener.value?.(operation, shape);
    const winner = winners.value?.get(operation)?.get(trials.words(shape));
    return (winner === undefined ? null : named(list, winner, shape, limits)) ?? fixedChoice(list, shape, limits);
  };
  return {
    choose,
    run: (shape, limits, use) => {
      const { name, run } = choose(shape, limits);
      return runAs(operation, name, shape, () => use(run));
    },
  };
}

/** The algorithm that `withAlternative` asked for. Throws AlgorithmError where it cannot run: it is never replaced. */
function forcedOf<Shape, Run>(
  operation: string,
  list: readonly Alternative<Shape, Run>[],
  trials: Trials<Shape, Run>,
  name: string,
  shape: Shape,
  limits: Limits,
): Alternative<Shape, Run> {
  const algorithm = named(list, name, shape, limits);
  if (algorithm) return algorithm;
  const reason = lackOf(operation, name, limits) ?? `it does not fit ${trials.words(shape)}`;
  throw new AlgorithmError(`${operation}: expected to run ${name}, but ${reason}; choose another algorithm or none`);
}

/** Whether an algorithm can do a shape on an adapter of these limits. */
export function canRun<Shape>(
  { lacks, fits }: Pick<Alternative<Shape, unknown>, 'lacks' | 'fits'>,
  shape: Shape,
  limits: Limits,
): boolean {
  return (lacks?.(limits) ?? null) === null && fits(shape, limits);
}

/** The algorithm that is chosen where nothing was measured. */
export function fixedChoice<Shape, Run>(
  list: readonly Alternative<Shape, Run>[],
  shape: Shape,
  limits: Limits,
): Alternative<Shape, Run> {
  const chosen = list.find((each) => canRun(each, shape, limits) && (each.pays?.(shape, limits) ?? true));
  return chosen ?? (list.at(-1) as Alternative<Shape, Run>);
}

/** The algorithm called `name` where it can run, else null. */
function named<Shape, Run>(
  list: readonly Alternative<Shape, Run>[],
  name: string,
  shape: Shape,
  limits: Limits,
): Alternative<Shape, Run> | null {
  return list.find((each) => each.name === name && canRun(each, shape, limits)) ?? null;
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
  return winners.value;
}

/** From now on choices follow `found`; with null they are fixed. */
export function follow(found: Winners | null): void {
  winners.value = found;
}

/** Runs `fn` while every choice is fixed. */
export function untuned<T>(fn: () => T): T {
  const before = winners.value;
  winners.value = null;
  try {
    return fn();
  } finally {
    winners.value = before;
  }
}

/** Runs `fn`, telling `onChoice` of each choice that is not forced, until what `fn` promises. */
export function hearChoices<T>(onChoice: OnChoice, fn: () => T): T {
  const before = listener.value;
  listener.value = onChoice;
  const restore = (): void => {
    listener.value = before;
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

/** The operations that have several algorithms. */
export function operationsWithAlternatives(): readonly string[] {
  return [...declared.keys()];
}

/** The names of an operation's algorithms, in the order of choice. Throws ValueError for an operation that has only one. */
export function alternativesOf(operation: string): readonly string[] {
  const found = declared.get(operation);
  if (!found) {
    throw new ValueError(`alternatives: ${operation} has none; these have: ${[...declared.keys()].join(', ')}`);
  }
  return found.list.map(({ name }) => name);
}

/** What an adapter of these limits lacks to run an algorithm at any shape, or null. */
export function lackOf(operation: string, name: string, limits: Limits): string | null {
  const algorithm = operationOf(operation)?.list.find((each) => each.name === name);
  return algorithm?.lacks?.(limits) ?? null;
}

/**
 * Runs `fn` while `operation` runs one algorithm only, for laws and benchmarks: where it does not fit, the operation throws
 * AlgorithmError. Throws ValueError for an unknown name.
 */
export async function withAlternative<T>(operation: string, name: string, fn: () => T | Promise<T>): Promise<T> {
  if (!alternativesOf(operation).includes(name)) {
    throw new ValueError(`alternatives: ${operation} has no ${name}, but ${alternativesOf(operation).join(', ')}`);
  }
  const before = forced.value.get(operation);
  forced.value.set(operation, name);
  try {
    return await fn();
  } finally {
    if (before === undefined) forced.value.delete(operation);
    else forced.value.set(operation, before);
  }
}
