// Timing of all cases. A case is one record of `npm run bench`; scripts/bench.mjs prints and stores the records.
import type { Elapsed } from '@mien/tensor/internal';

/** Median and range of repeated measurements. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** One result: work per second, a time or a size. */
export interface Measurement extends Spread {
  readonly name: string;
  readonly unit: 'GFLOP/s' | 'GB/s' | 'ms' | 'MB';
  /** The time of one run, if the result is a rate. */
  readonly seconds?: Spread;
  /** Runs per sample, if more than one. */
  readonly together?: number;
  /** The clock; the host's includes work of the host. */
  readonly clock?: Elapsed['clock'];
}

/** Something to measure. `run` makes its tensors and disposes of them. */
export interface Case {
  readonly name: string;
  readonly run: (pace?: Pace) => Promise<Measurement>;
  /** Runs in child processes, whose load is not that of others. */
  readonly apart?: boolean;
  /** Takes seconds or minutes on a software adapter: runs there only by its full name. */
  readonly large?: boolean;
}

/**
 * `together`: several runs per sample, by the device's clock if it has one, which excludes the host. `alone`: the host waits for each run, as
 * most peers do.
 */
export type Pace = 'together' | 'alone';

/** The work of one run: two flops for each multiply-add, bytes read and written. With neither, the result is the time. */
export interface Work {
  readonly flops?: number;
  readonly bytes?: number;
}

/** Milliseconds after which one warm-up run suffices. */
const longRun = 10_000;
/** Milliseconds after which fewer than three runs suffice. */
const longEnough = 30_000;

/** The maximum number of runs per sample. */
const mostTogether = 1024;

/**
 * Times `run`, which must wait for its result: two warm-up runs (one, if it is long), then at least half a second and three runs (fewer, if
 * they are long).
 */
export async function measure(name: string, work: Work, run: () => Promise<unknown>): Promise<Measurement> {
  if ((await milliseconds(run)) < longRun) await run();
  return measurement(name, work, await samples(() => milliseconds(run)));
}

/**
 * Times `run`, which does the work `times` times and returns the time. Like `measure`, but a sample has as many runs as take `enough`
 * milliseconds, so that the costs of a submit and a wait are negligible.
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
    const elapsed = await run(together);
    clock = elapsed.clock;
    return (1000 * elapsed.seconds) / together;
  };
  const count = (milliseconds: number, one: number): number =>
    Math.max(1, Math.min(mostTogether, Math.ceil(milliseconds / one)));
  if ((await milliseconds(sample)) < longRun) {
    const one = await sample();
    // Short runs are estimated twice, because one short run is inaccurate.
    together = count(enough / 8, one);
    together = count(enough, together > 1 ? await sample() : one);
  }
  const times = await samples(sample);
  return { ...measurement(name, work, times), ...(together > 1 ? { together } : {}), clock };
}

/** Samples for half a second, at least three (fewer, if they are long). */
async function samples(sample: () => Promise<number>): Promise<readonly number[]> {
  const times: number[] = [];
  for (let spent = 0; spent < 500 || (times.length < 3 && spent < longEnough); ) {
    spent += await milliseconds(async () => times.push(await sample()));
  }
  return times;
}

/** The measurement of times in milliseconds. */
export function measurement(name: string, { flops, bytes }: Work, times: readonly number[]): Measurement {
  const amount = flops ?? bytes;
  if (amount === undefined) return { name, unit: 'ms', ...spread(times) };
  const rates = times.map((time) => amount / time / 1e6);
  const seconds = spread(times.map((time) => time / 1000));
  return { name, unit: flops === undefined ? 'GB/s' : 'GFLOP/s', ...spread(rates), seconds };
}

/** Median (the upper of two), minimum and maximum of at least one value. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1] as number, min: sorted[0] as number, max: sorted.at(-1) as number };
}

async function milliseconds(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}
