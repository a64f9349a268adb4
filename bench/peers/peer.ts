// What every peer's program ends with: one piece of work, named on the command line, timed as Mien's is.
import type { Outcome } from '../compare.ts';
import { measure } from '../measure.ts';

/** Prepares a piece of work and gives the function to time, which waits for its own result. */
type Work = () => Promise<() => Promise<unknown>>;

/**
 * Times `work[name]` and prints the outcome as a line of JSON. `missing` says by name why a peer has no such work.
 */
export async function runPeer(
  work: Readonly<Record<string, Work>>,
  missing: Readonly<Record<string, string>> = {},
): Promise<void> {
  const name = process.argv[2] ?? '';
  const outcome = await outcomeOf(name, work[name], missing[name]).catch((reason) => ({ reason: wordsOf(reason) }));
  process.stdout.write(`\n${JSON.stringify(outcome)}\n`, () => process.exit());
}

async function outcomeOf(name: string, prepare: Work | undefined, why: string | undefined): Promise<Outcome> {
  if (!prepare) return { reason: why ?? 'it has no such work' };
  const run = await prepare();
  const { median, min, max } = await measure(name, {}, run);
  return { seconds: { median: median / 1000, min: min / 1000, max: max / 1000 } };
}

/** Fails where a number is not one, or where nothing was computed. */
export function expectNumber(value: unknown): void {
  if (!Number.isFinite(value) || value === 0) throw new RangeError(`it computed ${value}`);
}

function wordsOf(reason: unknown): string {
  const words = reason instanceof Error ? reason.message : String(reason);
  return (words.split('\n')[0] as string).slice(0, 200);
}
