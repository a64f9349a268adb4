// Operations that have more than one way: a literal list in the operation's file, the first that fits is taken.
import { ValueError } from '../errors.ts';
import type { Limits } from './limits.ts';

/** One way of doing an operation. */
export interface Alternative<Shape, Run> {
  readonly name: string;
  /** Whether it can do this shape on such an adapter. The last of a list always fits. */
  readonly fits: (shape: Shape, limits: Limits) => boolean;
  /** Whether it should, where nothing was measured: always, if absent. */
  readonly pays?: (shape: Shape, limits: Limits) => boolean;
  readonly run: Run;
}

const forced = new Map<string, string>();
const names = new Map<string, readonly string[]>();

/** Declares the ways of `operation`, simplest last; gives the function that chooses one. Call it at module level only. */
export function alternatives<Shape, Run>(
  operation: string,
  list: readonly Alternative<Shape, Run>[],
): (shape: Shape, limits: Limits) => Alternative<Shape, Run> {
  names.set(
    operation,
    list.map(({ name }) => name),
  );
  return (shape, limits) => {
    const wanted = forced.get(operation);
    const chosen = list.find(({ name, fits, pays }) =>
      wanted === undefined
        ? fits(shape, limits) && (pays?.(shape, limits) ?? true)
        : name === wanted && fits(shape, limits),
    );
    return chosen ?? (list.at(-1) as Alternative<Shape, Run>);
  };
}

/** The names of an operation's ways, in the order of choice. Throws ValueError for an operation that has only one. */
export function alternativesOf(operation: string): readonly string[] {
  const found = names.get(operation);
  if (!found) throw new ValueError(`alternatives: ${operation} has none; these have: ${[...names.keys()].join(', ')}`);
  return found;
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
