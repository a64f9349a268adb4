// Medians of work on the default device. Each row is one measured number; scripts/bench prints and stores them.

/** One measured number. */
export interface Row {
  readonly name: string;
  readonly milliseconds: number;
  /** Work a second, in `unit`. */
  readonly rate: number;
  readonly unit: 'GFLOP/s' | 'GB/s' | 'images/s';
}

/** What one run does: multiply-adds count two, bytes read and written one each. */
export interface Work {
  readonly flops?: number;
  readonly bytes?: number;
  readonly images?: number;
}

/** Called with each row as it is measured. */
export type Report = (row: Row) => void;

/** The median time of `run`, which must wait for its own result, after two runs that compile and warm; at least half a second. */
export async function measure(name: string, work: Work, run: () => Promise<unknown>): Promise<Row> {
  await run();
  await run();
  const times: number[] = [];
  for (let spent = 0; spent < 500 || times.length < 3; ) {
    const start = performance.now();
    await run();
    times.push(performance.now() - start);
    spent += times.at(-1) as number;
  }
  const milliseconds = times.sort((a, b) => a - b)[times.length >> 1] as number;
  const { flops, bytes, images = 0 } = work;
  if (flops !== undefined) return { name, milliseconds, rate: flops / milliseconds / 1e6, unit: 'GFLOP/s' };
  if (bytes !== undefined) return { name, milliseconds, rate: bytes / milliseconds / 1e6, unit: 'GB/s' };
  return { name, milliseconds, rate: (1000 * images) / milliseconds, unit: 'images/s' };
}
