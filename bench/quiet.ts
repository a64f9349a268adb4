// Whether the machine was quiet: figures of a busy one mean little, so a run says what it found before and after.
import { cpus } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { spread } from './measure.ts';

/** What a moment of waiting saw. */
export interface Quietness {
  /** The share of the cores' time that others used, 0 to 1. */
  readonly busy: number;
  /** Milliseconds that a fixed piece of arithmetic took on one core. */
  readonly pace: number;
}

/** The most that a quiet machine's cores do on the side. */
const quietShare = 0.1;
/** How far the pace may change in a run. */
const steady = 1.2;

/** Watches the cores for a second while this process rests, and then times a fixed piece of arithmetic. */
export async function quietness(): Promise<Quietness> {
  await setTimeout(200); // for threads that still tidy up after the last run
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

/** Runs `work` and gives, beside its result, the share of the cores' time that other processes used meanwhile. */
export async function watched<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly others: number }> {
  const [before, ownBefore] = [coreTimes(), process.cpuUsage()];
  const result = await work();
  const [after, own] = [coreTimes(), process.cpuUsage(ownBefore)];
  const used = after.all - before.all - (after.idle - before.idle);
  const others = (used - (own.user + own.system) / 1000) / (after.all - before.all);
  return { result, others: Math.min(1, Math.max(0, others)) };
}

/** Whether a share of the cores' time is more than a quiet machine uses on the side. */
export function isBusy(share: number): boolean {
  return share > quietShare;
}

/** One sentence on whether figures can be believed that were measured between two looks, while others used `shares`. */
export function verdict(
  before: Quietness,
  after: Quietness,
  shares: readonly number[],
): { readonly quiet: boolean; readonly sentence: string } {
  const percent = (share: number): string => `${Math.round(100 * share)} %`;
  const most = Math.max(0, ...shares);
  const seen = `others used ${percent(before.busy)} of the cores before, at most ${percent(most)} on the way and ${percent(after.busy)} after`;
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
