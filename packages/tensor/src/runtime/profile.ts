// The profiler: the commands of a function with their times, summed by kernel or as a Chrome trace.
import { expectFunction, expectList, expectOptions } from '../arguments.ts';
import { ValueError } from '../errors.ts';
import { currentDevice } from './defaultDevice.ts';
import type { Peak } from './peak.ts';
import type { ProfileSpan } from './timer.ts';

/** The commands of one call of a function. */
export interface Profile<T> {
  readonly adapter: string;
  /** Whether the device's clock timed the commands; else the host's did, and each time includes a submit and a wait. */
  readonly stamps: boolean;
  /** Seconds from the call until the device had finished, including the cost of timing. */
  readonly seconds: number;
  /** The commands in the order in which they ran. */
  readonly spans: readonly ProfileSpan[];
  /** What the function returned. */
  readonly result: T;
}

/** The sum over all commands of one kernel and operation. */
export interface ProfileRow {
  readonly kernel: string;
  readonly work: string;
  readonly calls: number;
  readonly seconds: number;
  /** Its share of the time of all rows, 0 to 1. */
  readonly share: number;
  /** Multiplications and additions, if the operation reports them. */
  readonly flops: number | null;
  readonly bytes: number;
  /** The larger share of the adapter's peak arithmetic and peak bandwidth, 0 to 1; null without a peak. */
  readonly ofPeak: number | null;
}

/**
 * Runs `fn` and times each of its kernels and copies on the default device; commands that were pending do not count. Call `fn` once
 * before, or `seconds` includes the compilation of its kernels. Browsers round the device's clock to 0.1 ms. Throws ValueError
 * while another profile is taken.
 */
export async function profile<T>(fn: () => T | Promise<T>): Promise<Profile<T>> {
  expectFunction('profile', fn);
  const device = currentDevice();
  if (device.isTimed) throw new ValueError('profile: another profile is being taken; await it first');
  await device.synchronize();
  const start = performance.now();
  const { spans, stamps, result } = await device.time(fn);
  return { adapter: device.facts.name, stamps, seconds: (performance.now() - start) / 1000, spans, result };
}

/** A profile's spans summed by kernel and operation, the slowest first. */
export function profileRows(spans: readonly ProfileSpan[], peak: Peak | null = null): ProfileRow[] {
  expectList('profileRows', 'spans', spans);
  for (const span of spans) expectOptions('profileRows', span);
  const groups = new Map<string, ProfileSpan[]>();
  for (const span of spans) {
    const key = `${span.kernel}\n${span.work}`;
    const group = groups.get(key);
    if (group) group.push(span);
    else groups.set(key, [span]);
  }
  const total = sum(spans, ({ seconds }) => seconds);
  const rows = Array.from(groups.values(), (group): ProfileRow => {
    const { kernel, work } = group[0] as ProfileSpan;
    const seconds = sum(group, (span) => span.seconds);
    const bytes = sum(group, (span) => span.bytes);
    const flops = group.some((span) => span.flops === null) ? null : sum(group, (span) => span.flops ?? 0);
    const ofPeak = peak && Math.max((flops ?? 0) / peak.flops, bytes / peak.bytes) / seconds;
    return { kernel, work, calls: group.length, seconds, share: seconds / total, flops, bytes, ofPeak };
  });
  return rows.sort((a, b) => b.seconds - a.seconds);
}

/** The spans as a file for chrome://tracing or ui.perfetto.dev; times in microseconds. */
export function chromeTrace(profiled: Profile<unknown>): string {
  expectOptions('chromeTrace', profiled);
  expectList('chromeTrace', 'spans', profiled.spans);
  for (const span of profiled.spans) expectOptions('chromeTrace', span);
  const events = profiled.spans.map(({ kernel, work, grid, start, seconds, flops, bytes }) => ({
    name: kernel,
    cat: work === '' ? 'kernel' : work,
    ph: 'X',
    pid: 1,
    tid: 1,
    ts: 1e6 * start,
    dur: 1e6 * seconds,
    args: { work, grid: grid.join(' x '), flops, bytes },
  }));
  const names = [
    { name: 'process_name', ph: 'M', pid: 1, args: { name: profiled.adapter } },
    { name: 'thread_name', ph: 'M', pid: 1, tid: 1, args: { name: 'queue' } },
  ];
  return JSON.stringify({ displayTimeUnit: 'ms', traceEvents: [...names, ...events] });
}

function sum(spans: readonly ProfileSpan[], of: (span: ProfileSpan) => number): number {
  return spans.reduce((total, span) => total + of(span), 0);
}
