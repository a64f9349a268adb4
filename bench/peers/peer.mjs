// What every peer's program ends with: one piece of work, named on the command line, timed as Mien's is.
import { measure } from '../measure.ts';

/**
 * Times `work[name]`, which prepares and gives the function to time, and prints the outcome as a line of JSON: `seconds`,
 * or the reason why there are none. `missing` says by name why a peer has no such work.
 */
export async function runPeer(work, missing = {}) {
  const name = process.argv[2];
  const outcome = await outcomeOf(name, work[name], missing[name]).catch((reason) => ({ reason: wordsOf(reason) }));
  process.stdout.write(`\n${JSON.stringify(outcome)}\n`, () => process.exit());
}

async function outcomeOf(name, prepare, why) {
  if (!prepare) return { reason: why ?? 'it has no such work' };
  const run = await prepare();
  const { median, min, max } = await measure(name, {}, run);
  return { seconds: { median: median / 1000, min: min / 1000, max: max / 1000 } };
}

/** Fails where a number is not one, or where nothing was computed. */
export function expectNumber(value) {
  if (!Number.isFinite(value) || value === 0) throw new RangeError(`it computed ${value}`);
}

function wordsOf(reason) {
  const words = reason instanceof Error ? reason.message : String(reason);
  return words.split('\n')[0].slice(0, 200);
}
