// The main function of every peer's program: times the work that the command line names, as Mien's is timed.
import type { Outcome } from '../compare.ts';
import { measure } from '../measure.ts';

/** Prepares the work; returns the function to time, which waits for its result. */
type Work = () => Promise<() => Promise<unknown>>;

/**
 * Times `work[name]` and prints the outcome as a line of JSON. `missing` says why a peer cannot do some of it.
 */
export async function runPeer(
  work: Readonly<Record<string, Work>>,
  missing: Readonly<Record<string, string>> = {},
): Promise<void> {
  const name = process.argv[2] ?? '';
  const outcome = await outcomeOf(name, work[name], missing[name]).catch((reason) => ({ reason: firstLineOf(reason) }));
  process.stdout.write(`\n${JSON.stringify(outcome)}\n`, () => process.exit());
}

async function outcomeOf(name: string, prepare: Work | undefined, why: string | undefined): Promise<Outcome> {
  if (!prepare) return { reason: why ?? 'not implemented' };
  const run = await prepare();
  const { median, min, max } = await measure(name, {}, run);
  return { seconds: { median: median / 1000, min: min / 1000, max: max / 1000 } };
}

/** Throws unless `value` is a finite number other than 0, which a missing computation would leave. */
export function expectNumber(value: unknown): void {
  if (!Number.isFinite(value) || value === 0)
    throw new RangeError(`expected a finite number other than 0, got ${value}`);
}

function firstLineOf(reason: unknown): string {
  const message = reason instanceof Error ? reason.message : String(reason);
  return (message.split('\n')[0] as string).slice(0, 200);
}
