// Whether the machine was quiet: results from a busy machine are unreliable, so a run reports its load before and after.
import { cpus } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { spread } from './measure.ts';

/** The load of the machine at one time. */
export interface Quietness {
  /** The share of the cores' time that other processes used, 0 to 1. */
  readonly busy: number;
  /** Milliseconds of a fixed computation on one core. */
  readonly pace: number;
}

/** The maximum share of the cores that other processes use on a quiet machine. */
const quietShare = 0.1;
/** The maximum ratio by which the pace may change in a run. */
const steady = 1.2;

/** Observes the cores for a second while this process sleeps, then times a fixed computation. */
export async function quietness(): Promise<Quietness> {
  await setTimeout(200); // for threads that still finish the last run
  const before = coreTimes();
  await setTimeout(1000);
  const after = coreTimes();
  const idle = after.idle - before.idle;
  const busy = Math.max(0, 1 - idle / (after.all - before.all));
  const times = Array.from({ length: 7 }, () => {
    const start = performance.now();
    arithmetic();
    return performance.now() - start;
  });
  return { busy, pace: spread(times).median };
}

/** Runs `work`; returns its result and the share of the cores' time that other processes used meanwhile. */
export async function watched<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly others: number }> {
  const [before, ownBefore] = [coreTimes(), process.cpuUsage()];
  const result = await work();
  const [after, own] = [coreTimes(), process.cpuUsage(ownBefore)];
  const used = after.all - before.all - (after.idle - before.idle);
  const others = (used - (own.user + own.system) / 1000) / (after.all - before.all);
  return { result, others: Math.min(1, Math.max(0, others)) };
}

/** Whether other processes used more of the cores than on a quiet machine. */
export function isBusy(share: number): boolean {
  return share > quietShare;
}

/** Whether results are reliable that were measured between `before` and `after` while others used `shares` of the cores, as a sentence. */
export function verdict(
  before: Quietness,
  after: Quietness,
  shares: readonly number[],
): { readonly quiet: boolean; readonly sentence: string } {
  const percent = (share: number): string => `${Math.round(100 * share)} %`;
  const most = Math.max(0, ...shares);
  const seen = `others used ${percent(before.busy)} of the cores before, at most ${percent(most)} during the run and ${percent(after.busy)} after`;
  const pace = `one core's pace went from ${before.pace.toFixed(1)} to ${after.pace.toFixed(1)} ms`;
  const change = after.pace / before.pace;
  if ([before.busy, after.busy, most].some(isBusy)) {
    return { quiet: false, sentence: `BUSY: ${seen}; measure again on a quiet machine` };
  }
  if (Math.max(change, 1 / change) > steady) {
    return { quiet: false, sentence: `UNSTEADY: ${pace}; measure again on a quiet machine` };
  }
  return { quiet: true, sentence: `quiet: ${seen}; ${pace}` };
}

function coreTimes(): { readonly idle: number; readonly all: number } {
  const each = cpus().map(({ times }) => ({
    idle: times.idle,
    all: Object.values(times).reduce((sum, time) => sum + time, 0),
  }));
  return { idle: each.reduce((sum, { idle }) => sum + idle, 0), all: each.reduce((sum, { all }) => sum + all, 0) };
}

function arithmetic(): number {
  let x = 1;
  for (let i = 0; i < 5_000_000; i++) x = Math.imul(x, 1664525) + 1013904223;
  return x;
}
