// Checks arguments: JavaScript callers pass anything, and an error should name the argument rather than a property of it.
import { ShapeError, ValueError } from './errors.ts';

/** Describes a value in an error message. */
export function kindOf(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}...` : value}'`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return `the function ${value.name || '(anonymous)'}`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (isTensor(value)) return `a tensor [${value.shape.join(', ')}]`;
  const kind = value.constructor;
  return !kind || kind === Object ? 'an object' : `an instance of ${kind.name}`;
}

interface TensorLike {
  readonly shape: readonly number[];
  readonly dtype: string;
}

function isTensor(value: unknown): value is TensorLike {
  if (typeof value !== 'object' || value === null) return false;
  return 'dtype' in value && 'shape' in value && 'requiresGrad' in value;
}

/** Throws ValueError unless `value` is a tensor. */
export function expectTensor(operation: string, argument: string, value: unknown): void {
  if (isTensor(value)) return;
  throw new ValueError(`${operation}: ${argument} must be a tensor, got ${kindOf(value)}; make one with tensor()`);
}

/**
 * Throws ValueError unless `options` is an object whose keys are among `names` (any keys without `names`). Call it with `{}` for
 * absent options.
 */
export function expectOptions(operation: string, options: unknown, names?: readonly string[]): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options) || isTensor(options)) {
    throw new ValueError(`${operation}: options must be an object, got ${kindOf(options)}`);
  }
  if (!names) return;
  for (const name in options) {
    if (names.includes(name)) continue;
    const closest = closestName(name, names);
    const remedy = closest ? `did you mean '${closest}'?` : `expected ${listed(names)}`;
    throw new ValueError(`${operation}: unknown option ${kindOf(name)}; ${remedy}`);
  }
}

/** The names of the options type `O`, in a record that does not compile without all of them. */
export function optionNames<O>(names: Readonly<Record<keyof Required<O>, true>>): readonly string[] {
  return Object.keys(names);
}

/** `options`. Throws ValueError unless they are an object whose keys are among `names`. */
export function checkedOptions<O>(operation: string, options: O, names: readonly string[]): O {
  expectOptions(operation, options, names);
  return options;
}

/** The name that `typed` is most likely a misspelling of, or null: case and underscores do not count. */
function closestName(typed: string, names: readonly string[]): string | null {
  const plain = (name: string): string => name.toLowerCase().replaceAll('_', '');
  const distances = names.map((name) => editDistance(plain(typed), plain(name)));
  const least = Math.min(...distances);
  return least <= Math.max(1, Math.floor(typed.length / 3)) ? (names[distances.indexOf(least)] ?? null) : null;
}

/** Levenshtein's distance: insertions, deletions and substitutions that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] as number) + Number(a[i - 1] !== b[j - 1]);
      next.push(Math.min(substituted, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** `'a', 'b' or 'c'` */
function listed(choices: readonly unknown[]): string {
  const texts = choices.map(kindOf);
  const last = texts.pop();
  return texts.length > 0 ? `${texts.join(', ')} or ${last}` : `${last}`;
}

/** Throws ValueError unless `value` is true or false. */
export function expectBoolean(operation: string, option: string, value: unknown): void {
  if (typeof value === 'boolean') return;
  throw new ValueError(`${operation}: ${option} must be true or false, got ${kindOf(value)}`);
}

/** Throws ValueError unless `value` is a function. */
export function expectFunction(operation: string, value: unknown): void {
  if (typeof value === 'function') return;
  throw new ValueError(`${operation}: expected a function, got ${kindOf(value)}`);
}

/** Throws ValueError unless `value` is an integer from `least` up; -Infinity allows any. */
export function expectInteger(operation: string, argument: string, value: unknown, least: number = 1): void {
  if (Number.isSafeInteger(value) && (value as number) >= least) return;
  const bound = Number.isFinite(least) ? `an integer of at least ${least}` : 'an integer';
  const kind = least === 1 ? 'a positive integer' : bound;
  throw new ValueError(`${operation}: ${argument} must be ${kind}, got ${kindOf(value)}`);
}

/** Throws ValueError unless `value` is a number, NaN excluded, from `low` to `high`. */
export function expectNumber(
  operation: string,
  argument: string,
  value: unknown,
  low: number = Number.NEGATIVE_INFINITY,
  high: number = Number.POSITIVE_INFINITY,
): void {
  if (typeof value === 'number' && value >= low && value <= high) return;
  const range = Number.isFinite(low) || Number.isFinite(high) ? ` from ${low} to ${high}` : '';
  throw new ValueError(`${operation}: ${argument} must be a number${range}, got ${kindOf(value)}`);
}

/** One integer for height and width, or each, from `least` up. Throws ValueError for anything else. */
export function expectPair(
  operation: string,
  option: string,
  value: unknown,
  least: number,
): readonly [number, number] {
  const both: readonly unknown[] = Array.isArray(value) ? value : [value, value];
  if (both.length === 2 && both.every((each) => Number.isSafeInteger(each) && (each as number) >= least)) {
    return both as unknown as readonly [number, number];
  }
  throw new ValueError(
    `${operation}: ${option} must be one or two integers of at least ${least}, got ${Array.isArray(value) ? JSON.stringify(value) : kindOf(value)}`,
  );
}

/** Throws ValueError unless `value` is one of `choices`. */
export function expectOneOf(operation: string, option: string, value: unknown, choices: readonly unknown[]): void {
  if (choices.includes(value)) return;
  throw new ValueError(`${operation}: ${option} must be ${listed(choices)}, got ${kindOf(value)}`);
}

/** Throws ShapeError unless `value` is a list. */
export function expectList(operation: string, argument: string, value: unknown): void {
  if (Array.isArray(value)) return;
  throw new ShapeError(`${operation}: ${argument} must be a list, got ${kindOf(value)}`);
}
