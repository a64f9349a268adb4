// A law is a sentence about a function that must hold for generated cases; its failure prints the smallest case found
// and the options that repeat it.
import fc from 'fast-check';
import { AlgorithmError, MienError } from '../errors.ts';
import { openScope } from '../runtime/scope.ts';
import { ensure, takeWorstRatio } from './mismatch.ts';

/** How laws are run; a test runner sets it from its command line. */
export interface LawOptions {
  /** Cases a law; a law's own `runs` is multiplied by `runs / 25`. */
  readonly runs?: number;
  /** Seed of the generator; without it one that is fixed by the law's name. */
  readonly seed?: number;
  /** With `seed`, the path to one case, as a failure prints it. */
  readonly path?: string;
  /** Whether to search for a smaller failing case. Default true. */
  readonly shrink?: boolean;
}

/** What a run of a law found. */
export interface LawReport {
  readonly name: string;
  readonly runs: number;
  /** Cases that were drawn but not run, because an algorithm that was asked for does not fit them, with the last reason. */
  readonly skipped: { readonly count: number; readonly reason: string };
  /** The largest error over its tolerance that `near` and `gradcheck` saw: 1 would be a failure, 0 means nothing compared. */
  readonly worst: number;
}

/** A law, to be called by any test runner: it resolves with a report, or throws LawError. */
export type Law = ((options?: LawOptions) => Promise<LawReport>) & { readonly title: string };

/** Which cases a law runs. */
export interface LawCases<C> {
  /** Generated cases, 25 by default. */
  readonly runs?: number;
  /** Cases that are always run, before the generated ones. */
  readonly examples?: readonly C[];
}

/** A case broke a law. */
export class LawError extends MienError {}

const defaultRuns = 25;
/** Numbers of an array that a failing case shows. */
const longest = 12;

/**
 * States that `property` holds for every case: it throws, or rejects, where it does not. A case is skipped, and another
 * drawn, where the property throws AlgorithmError. Tensors made inside are freed after each case. Call the result to check
 * it, with any test runner.
 */
export function law<C>(
  title: string,
  cases: fc.Arbitrary<C>,
  property: (example: C) => void | Promise<void>,
  own: LawCases<C> = {},
): Law {
  const check = async (options: LawOptions = {}): Promise<LawReport> => {
    takeWorstRatio();
    const scale = (options.runs ?? defaultRuns) / defaultRuns;
    const examples = own.examples ?? [];
    const runs = examples.length + Math.max(1, Math.round((own.runs ?? defaultRuns) * scale));
    const seed = options.seed ?? seedOf(title);
    const skipped = { count: 0, reason: '' };
    const asserted = fc.asyncProperty(cases, async (example) => {
      const close = openScope();
      try {
        await property(example);
      } catch (reason) {
        if (!(reason instanceof AlgorithmError)) throw reason;
        skipped.count++;
        skipped.reason = reason.message;
        fc.pre(false);
      } finally {
        close(undefined);
      }
    });
    const path = options.path === undefined ? {} : { path: options.path };
    const first = examples.map((example): [C] => [example]);
    const details = await fc.check(asserted, {
      numRuns: runs,
      seed,
      examples: first,
      endOnFailure: options.shrink === false,
      ...path,
    });
    if (details.failed && details.counterexample === null)
      throw new LawError(`${title}\n  ${skipped.count} cases were skipped, ${details.numRuns} ran: ${skipped.reason}`);
    if (details.failed) throw new LawError(explain(title, details));
    return { name: title, runs: details.numRuns, skipped, worst: takeWorstRatio() };
  };
  return Object.assign(check, { title });
}

function explain<C>(title: string, details: fc.RunDetails<[C]>): string {
  const reason = details.errorInstance instanceof Error ? details.errorInstance.message : String(details.errorInstance);
  return [
    `${title}`,
    `  ${reason}`,
    `  smallest case: ${brief(details.counterexample?.[0])} (after ${details.numShrinks} steps)`,
    `  repeat it with --seed ${details.seed} --path ${details.counterexamplePath}`,
  ].join('\n');
}

/** A case as text, long arrays of numbers by their beginning and length. */
function brief(value: unknown): string {
  if (ArrayBuffer.isView(value) || (Array.isArray(value) && value.length > longest && typeof value[0] === 'number')) {
    const list = Array.from(value as unknown as ArrayLike<number>);
    const shown = list.slice(0, longest).join(', ');
    return list.length > longest ? `[${shown}, ... ${list.length} values]` : `[${shown}]`;
  }
  if (Array.isArray(value)) return `[${value.map(brief).join(', ')}]`;
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return fc.stringify(value);
  return `{ ${Object.entries(value)
    .map(([key, item]) => `${key}: ${brief(item)}`)
    .join(', ')} }`;
}

/** FNV-1a: the same seed for the same sentence. */
function seedOf(title: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < title.length; i++) hash = Math.imul(hash ^ title.charCodeAt(i), 0x01000193);
  return hash | 0;
}

/** Throws Mismatch unless `fn` throws an error of the class whose message contains `sentence`. */
export function refuses(fn: () => unknown, kind: abstract new (...input: never[]) => Error, sentence: string): void {
  let thrown: unknown = null;
  try {
    fn();
  } catch (reason) {
    thrown = reason;
  }
  ensure(thrown !== null, `nothing was thrown, expected ${kind.name}: ${sentence}`);
  ensure(thrown instanceof kind, `expected ${kind.name}, got ${String(thrown)}`);
  ensure(thrown.message.includes(sentence), `expected \`${sentence}\` in \`${thrown.message}\``);
}
