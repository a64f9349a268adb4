// Operations with several algorithms: a literal list in the operation's file. The default is the first that fits and is
// preferred; where the tuner is on, the algorithm that it measured as fastest is chosen instead.
import { AlgorithmError, ValueError } from '../errors.ts';
import { slot, withValue, withValueUntilSettled } from '../session.ts';
import { runAs } from './dispatches.ts';
import type { Limits } from './limits.ts';
import type { Owned } from './scope.ts';

/** One algorithm of an operation. */
export interface Algorithm<Shape, Run> {
  readonly name: string;
  /** Why an adapter cannot run it at any shape, or null. */
  readonly lacks?: (limits: Limits) => string | null;
  /** Whether it supports this shape where `lacks` is null. The last of a list supports every shape. */
  readonly fits: (shape: Shape, limits: Limits) => boolean;
  /** Whether it is expected to be the fastest where nothing was measured. Default: always. */
  readonly isPreferred?: (shape: Shape, limits: Limits) => boolean;
  readonly run: Run;
}

/** Operands and results of one shape, without NaN and denormal numbers, and a function that runs one algorithm on them. */
export interface TuningCase<Run> {
  readonly operands: readonly Owned[];
  readonly run: (algorithm: Run) => void;
}

/** How the tuner measures the algorithms of an operation. */
export interface Tuning<Shape, Run> {
  /** Names a class of shapes that share a winner: sizes that are long or vary are rounded by `roundUpToPowerOfTwo`. */
  readonly cacheKey: (shape: Shape) => string;
  readonly prepare: (shape: Shape) => TuningCase<Run>;
  /** A small part of the work, which excludes slow algorithms early. Default: the shape itself. */
  readonly sample?: (shape: Shape) => Shape;
}

/** A declared operation with its algorithms. */
export interface Operation<Shape, Run> {
  readonly list: readonly Algorithm<Shape, Run>[];
  readonly tuning: Tuning<Shape, Run>;
}

/** The names of the algorithms to choose, by operation and cache key. */
export type Winners = ReadonlyMap<string, ReadonlyMap<string, string>>;

/** Called with every choice that is made. */
type OnChoice = (operation: string, shape: unknown) => void;

const declared = new Map<string, Operation<unknown, unknown>>();
const forced = slot(() => new Map<string, string>());
const winners = slot<Winners | null>(() => null);
const listener = slot<OnChoice | null>(() => null);

/** The algorithms of an operation, ready to be chosen from. */
export interface Algorithms<Shape, Run> {
  /** The algorithm for a shape. Throws AlgorithmError where a forced one cannot run. */
  readonly choose: (shape: Shape, limits: Limits) => Algorithm<Shape, Run>;
  /** Chooses an algorithm and calls `use` to encode its dispatches. Throws as `choose`. */
  readonly run: <T>(shape: Shape, limits: Limits, use: (run: Run) => T) => T;
}

/** Declares the algorithms of `operation`, simplest last. Call it at module level only. */
export function declareAlgorithms<Shape, Run>(
  operation: string,
  tuning: Tuning<Shape, Run>,
  list: readonly Algorithm<Shape, Run>[],
): Algorithms<Shape, Run> {
  // Only the operation's own file knows the type of its shapes; the tuner passes back the shapes that it received.
  declared.set(operation, { list, tuning } as unknown as Operation<unknown, unknown>);
  const choose = (shape: Shape, limits: Limits): Algorithm<Shape, Run> => {
    const wanted = forced.value.get(operation);
    if (wanted !== undefined) return forcedAlgorithm(operation, list, tuning, wanted, shape, limits);
    listener.value?.(operation, shape);
    const winner = winners.value?.get(operation)?.get(tuning.cacheKey(shape));
    return (winner === undefined ? null : named(list, winner, shape, limits)) ?? defaultAlgorithm(list, shape, limits);
  };
  return {
    choose,
    run: (shape, limits, use) => {
      const { name, run } = choose(shape, limits);
      return runAs(operation, name, shape, () => use(run));
    },
  };
}

/** The algorithm that `withAlgorithm` forces. Throws AlgorithmError where it cannot run: it is never replaced. */
function forcedAlgorithm<Shape, Run>(
  operation: string,
  list: readonly Algorithm<Shape, Run>[],
  tuning: Tuning<Shape, Run>,
  name: string,
  shape: Shape,
  limits: Limits,
): Algorithm<Shape, Run> {
  const algorithm = named(list, name, shape, limits);
  if (algorithm) return algorithm;
  const reason = lackOf(operation, name, limits) ?? `it does not fit ${tuning.cacheKey(shape)}`;
  throw new AlgorithmError(`${operation}: expected to run ${name}, but ${reason}; choose another algorithm or none`);
}

/** Whether an algorithm supports a shape on an adapter of these limits. */
export function canRun<Shape>(
  { lacks, fits }: Pick<Algorithm<Shape, unknown>, 'lacks' | 'fits'>,
  shape: Shape,
  limits: Limits,
): boolean {
  return (lacks?.(limits) ?? null) === null && fits(shape, limits);
}

/** The algorithm that is chosen where nothing was measured. */
export function defaultAlgorithm<Shape, Run>(
  list: readonly Algorithm<Shape, Run>[],
  shape: Shape,
  limits: Limits,
): Algorithm<Shape, Run> {
  const chosen = list.find((each) => canRun(each, shape, limits) && (each.isPreferred?.(shape, limits) ?? true));
  return chosen ?? (list.at(-1) as Algorithm<Shape, Run>);
}

/** The algorithm called `name` where it can run, else null. */
function named<Shape, Run>(
  list: readonly Algorithm<Shape, Run>[],
  name: string,
  shape: Shape,
  limits: Limits,
): Algorithm<Shape, Run> | null {
  return list.find((each) => each.name === name && canRun(each, shape, limits)) ?? null;
}

/** The least power of two that is not below `size`, so that batches of similar sizes share a cache key. */
export function roundUpToPowerOfTwo(size: number): number {
  return 2 ** Math.ceil(Math.log2(size));
}

/** A declared operation, or null. */
export function operationOf(operation: string): Operation<unknown, unknown> | null {
  return declared.get(operation) ?? null;
}

/** The measured winners that choices follow, or null where every choice is the default. */
export function currentWinners(): Winners | null {
  return winners.value;
}

/** Makes choices follow `measured`, or the defaults for null. */
export function setWinners(measured: Winners | null): void {
  winners.value = measured;
}

/** Runs `fn` while every choice is the default. */
export function untuned<T>(fn: () => T): T {
  return withValue(winners, null, fn);
}

/** Runs `fn` and calls `onChoice` with each choice that is not forced, until the promise that `fn` returns is settled. */
export function observeChoices<T>(onChoice: OnChoice, fn: () => T): T {
  return withValueUntilSettled(listener, onChoice, fn);
}

/** The operations that have several algorithms. */
export function operationsWithAlgorithms(): readonly string[] {
  return [...declared.keys()];
}

/** The names of an operation's algorithms, in the order of choice. Throws ValueError for an operation that has only one. */
export function algorithmsOf(operation: string): readonly string[] {
  const declaration = declared.get(operation);
  if (!declaration) {
    throw new ValueError(
      `algorithms: expected an operation with several algorithms, got ${operation}; choose one of ${[...declared.keys()].join(', ')}`,
    );
  }
  return declaration.list.map(({ name }) => name);
}

/** Why an adapter of these limits cannot run an algorithm at any shape, or null. */
export function lackOf(operation: string, name: string, limits: Limits): string | null {
  const algorithm = operationOf(operation)?.list.find((each) => each.name === name);
  return algorithm?.lacks?.(limits) ?? null;
}

/**
 * Runs `fn` while `operation` uses one algorithm only, for laws and benchmarks: where it does not fit, the operation throws
 * AlgorithmError. Throws ValueError for an unknown name.
 */
export async function withAlgorithm<T>(operation: string, name: string, fn: () => T | Promise<T>): Promise<T> {
  if (!algorithmsOf(operation).includes(name)) {
    throw new ValueError(
      `algorithms: expected an algorithm of ${operation} (${algorithmsOf(operation).join(', ')}), got ${name}`,
    );
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
