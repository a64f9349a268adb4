// How everything here is timed. A case is one record of `npm run bench`; scripts/bench.mjs prints and stores the records.

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
}

/** Something to measure. `run` makes what it needs and gives it back. */
export interface Case {
  readonly name: string;
  readonly run: () => Promise<Measurement>;
  /** It works in processes of its own, which are not others that disturb it. */
  readonly apart?: boolean;
}

/** What one run does: a multiply-add counts two, bytes read and written one each. With neither, its time is the number. */
export interface Work {
  readonly flops?: number;
  readonly bytes?: number;
}

/** Milliseconds after which a first run is warm-up enough. */
const longRun = 10_000;
/** Milliseconds after which fewer than three runs are enough. */
const longEnough = 30_000;

/**
 * Times `run`, which must wait for its own result: two runs that compile and warm (one, if it is long), then at least half
 * a second and at least three runs (fewer, if they are long).
 */
export async function measure(name: string, work: Work, run: () => Promise<unknown>): Promise<Measurement> {
  if ((await milliseconds(run)) < longRun) await run();
  const times: number[] = [];
  for (let spent = 0; spent < 500 || (times.length < 3 && spent < longEnough); ) {
    const time = await milliseconds(run);
    times.push(time);
    spent += time;
  }
  return measurement(name, work, times);
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
