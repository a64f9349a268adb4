// How everything here is timed. A case is one record of `npm run bench`; scripts/bench.mjs prints and stores the records.
import type { Elapsed } from '@mien/tensor/internal';

/** The middle and the ends of repeated measurements. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One measured number: work a second, or a time or a size as it is. */
export interface Measurement extends Spread {
  readonly name: string;
  readonly unit: 'GFLOP/s' | 'GB/s' | 'ms' | 'MB';
  /** What one run took, where the number is a rate. */
  readonly seconds?: Spread;
  /** Runs in one go, where these were several. */
  readonly together?: number;
  /** The clock that was read: the host's also counts what the host does. */
  readonly clock?: Elapsed['clock'];
}

/** Something to measure. `run` makes what it needs and gives it back. */
export interface Case {
  readonly name: string;
  readonly run: (pace?: Pace) => Promise<Measurement>;
  /** It works in processes of its own, which are not others that disturb it. */
  readonly apart?: boolean;
  /** Seconds or minutes on a software adapter: run there only if its whole name is given. */
  readonly large?: boolean;
}

/**
 * `together`: runs in one go, by the device's clock where there is one, so that the host does not count. `alone`: the host waits for
 * each run, as most peers do.
 */
export type Pace = 'together' | 'alone';

/** What one run does: a multiply-add counts two, bytes read and written one each. With neither, its time is the number. */
export interface Work {
  readonly flops?: number;
  readonly bytes?: number;
}

/** Milliseconds after which a first run is warm-up enough. */
const longRun = 10_000;
/** Milliseconds after which fewer than three runs are enough. */
const longEnough = 30_000;

/** The most runs in one go. */
const mostTogether = 1024;

/**
 * Times `run`, which must wait for its own result: two runs that compile and warm (one, if it is long), then at least half
 * a second and at least three runs (fewer, if they are long).
 */
export async function measure(name: string, work: Work, run: () => Promise<unknown>): Promise<Measurement> {
  if ((await milliseconds(run)) < longRun) await run();
  return measurement(name, work, await samples(() => milliseconds(run)));
}

/**
 * Times `run`, which does the work `times` times in one go and returns what that took. As `measure`, but each sample is of as many
 * runs as take `enough` milliseconds, so that a submit and a wait do not count.
 */
export async function measureTogether(
  name: string,
  work: Work,
  run: (times: number) => Promise<Elapsed>,
  enough = 30,
): Promise<Measurement> {
  let together = 1;
  let clock: Elapsed['clock'] = 'host';
  const sample = async (): Promise<number> => {
    const found = await run(together);
    clock = found.clock;
    return (1000 * found.seconds) / together;
  };
  const count = (milliseconds: number, one: number): number =>
    Math.max(1, Math.min(mostTogether, Math.ceil(milliseconds / one)));
  if ((await milliseconds(sample)) < longRun) {
    const one = await sample();
    // Short runs are estimated twice, since one run of them tells little.
    together = count(enough / 8, one);
    together = count(enough, together > 1 ? await sample() : one);
  }
  const times = await samples(sample);
  return { ...measurement(name, work, times), ...(together > 1 ? { together } : {}), clock };
}

/** What `sample` returns, again and again for half a second, at least three times (fewer, if they are long). */
async function samples(sample: () => Promise<number>): Promise<readonly number[]> {
  const times: number[] = [];
  for (let spent = 0; spent < 500 || (times.length < 3 && spent < longEnough); ) {
    spent += await milliseconds(async () => times.push(await sample()));
  }
  return times;
}

/** The measurement that `times`, in milliseconds, make. The longest time is the lowest rate. */
export function measurement(name: string, { flops, bytes }: Work, times: readonly number[]): Measurement {
  const amount = flops ?? bytes;
  if (amount === undefined) return { name, unit: 'ms', ...spread(times) };
  const rates = times.map((time) => amount / time / 1e6);
  const seconds = spread(times.map((time) => time / 1000));
  return { name, unit: flops === undefined ? 'GB/s' : 'GFLOP/s', ...spread(rates), seconds };
}

/** The middle (the upper one of two), the least and the most of `values`, of which there is at least one. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1] as number, min: sorted[0] as number, max: sorted.at(-1) as number };
}

async function milliseconds(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}
