// A law is a statement about a function that holds for all generated cases. A failure prints the smallest failing case and the
// options that reproduce it.
import fc from 'fast-check';
import { AlgorithmError, MienError } from '../errors.ts';
import { openScope } from '../runtime/scope.ts';
import { ensure, takeWorstRatio } from './mismatch.ts';

/** Options of running laws; a test runner sets them from its command line. */
export interface LawOptions {
  /** Cases per law; `runs` of a law is multiplied by `runs / 25`. */
  readonly runs?: number;
  /** Seed of the generator. Default: derived from the law's title. */
  readonly seed?: number;
  /** With `seed`, the path to one case, as a failure prints it. */
  readonly path?: string;
  /** Whether to search for a smaller failing case. Default true. */
  readonly shrink?: boolean;
}

/** The result of running a law. */
export interface LawReport {
  readonly name: string;
  readonly runs: number;
  /** Cases that a requested algorithm does not support, with the last reason. */
  readonly skipped: { readonly count: number; readonly reason: string };
  /** The largest ratio of an error to its tolerance in `near` and `gradcheck`: above 1 they fail, 0 means that they did not run. */
  readonly worst: number;
}

/** A law, which any test runner can call: resolves with a report or throws LawError. */
export type Law = ((options?: LawOptions) => Promise<LawReport>) & { readonly title: string };

/** Which cases a law runs. */
export interface LawCases<C> {
  /** Generated cases, 25 by default. */
  readonly runs?: number;
  /** Cases that always run, before the generated ones. */
  readonly examples?: readonly C[];
}

/** A law does not hold for a case. */
export class LawError extends MienError {}

const defaultRuns = 25;
/** The most numbers of an array that a failure prints. */
const longest = 12;

/**
 * States that `property` holds for every case, which it throws or rejects to deny. If it throws AlgorithmError, the case is skipped
 * and another one drawn. Tensors made inside are freed after each case. Call the result to check the law.
 */
export function law<C>(
  title: string,
  cases: fc.Arbitrary<C>,
  property: (example: C) => void | Promise<void>,
  options: LawCases<C> = {},
): Law {
  const check = async (run: LawOptions = {}): Promise<LawReport> => {
    takeWorstRatio();
    const scale = (run.runs ?? defaultRuns) / defaultRuns;
    const examples = options.examples ?? [];
    const runs = examples.length + Math.max(1, Math.round((options.runs ?? defaultRuns) * scale));
    const seed = run.seed ?? seedOf(title);
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
    const path = run.path === undefined ? {} : { path: run.path };
    const first = examples.map((example): [C] => [example]);
    const details = await fc.check(asserted, {
      numRuns: runs,
      seed,
      examples: first,
      endOnFailure: run.shrink === false,
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

/** A case as text; long arrays of numbers by their first elements and length. */
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

/** A seed from a title (FNV-1a). */
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
