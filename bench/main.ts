// `npm run bench`: measures the cases that match the filters, one after another.
import { init, MienError, measurePeak, type Peak } from '@mien/tensor';
import { bandwidthCases } from './bandwidthCases.ts';
import { convCases } from './convCases.ts';
import { gemmCases } from './gemmCases.ts';
import type { Case, Measurement, Pace } from './measure.ts';
import { networkCases } from './networkCases.ts';
import { isBusy, type Quietness, quietness, verdict, watched } from './quiet.ts';

/** The stored result of a run. */
export interface BenchResult {
  /** The adapter's name; `description` is its driver. */
  readonly adapter: { readonly name: string; readonly description: string };
  /** ISO 8601. */
  readonly date: string;
  readonly node: string;
  /** The load of the machine before and after; results from a busy machine are unreliable. */
  readonly quiet: { readonly quiet: boolean; readonly before: Quietness; readonly after: Quietness };
  /** The adapter's peak arithmetic and bandwidth, measured in the same run. */
  readonly peak: Peak;
  readonly records: readonly BenchRecord[];
  /** Algorithms that do not fit their record's shapes or the adapter. */
  readonly unfit: readonly Failure[];
  readonly failures: readonly Failure[];
}

/** A measurement, and the share of the cores' time that other processes used meanwhile, if known. */
export interface BenchRecord extends Measurement {
  readonly others?: number;
  /** Fraction of the adapter's peak. Above 1 for some of Winograd's products, whose work is counted as that of the direct method. */
  readonly ofPeak?: number;
}

/** A case without a result. */
export interface Failure {
  readonly name: string;
  readonly reason: string;
}

/** Every case by group, in the order of measuring. */
const groups = { gemm: gemmCases, conv: convCases, elementwise: bandwidthCases, network: networkCases };

/**
 * The cases that match a filter: the full name of a record selects only that one, other filters every case whose name or group contains
 * them. Without filters all cases. Large cases are included only if `large`, or by their full names.
 */
export function selected(filters: readonly string[], large = false): readonly Case[] {
  const all = Object.entries(groups).flatMap(([group, cases]) => cases().map((each) => ({ group, each })));
  const names = new Set(all.map(({ each }) => each.name));
  const matches = (group: string, name: string) => (filter: string) =>
    names.has(filter) ? name === filter : name.includes(filter) || group.includes(filter);
  return all.flatMap(({ group, each }) => {
    if (each.large && !large && !filters.includes(each.name)) return [];
    return filters.length === 0 || filters.some(matches(group, each.name)) ? [each] : [];
  });
}

/** The names of all records. */
export function names(): readonly string[] {
  return selected([], true).map(({ name }) => name);
}

/**
 * Measures the matching cases and prints a line for each; null if none matches. Large cases run on software adapters only if `large`, or
 * by their full names.
 */
export async function bench(
  filters: readonly string[],
  { large = false, pace = 'together' }: { readonly large?: boolean; readonly pace?: Pace } = {},
): Promise<BenchResult | null> {
  const { facts } = await init();
  const cases = withCopy(selected(filters, large || !facts.software));
  if (cases.length === 0) return null;
  print(`on ${facts.name} (${facts.description})`);
  const before = await quietness();
  const peak = await measurePeak();
  print(`peak ${digits(peak.flops / 1e9)} GFLOP/s, ${digits(peak.bytes / 1e9)} GB/s`);
  const records: BenchRecord[] = [];
  const unfit: Failure[] = [];
  const failures: Failure[] = [];
  for (const each of cases) {
    try {
      const { result, others } = await watched(() => each.run(pace));
      const ofPeak = shareOfPeak(result, peak);
      const record = { ...result, ...(each.apart ? {} : { others }), ...(ofPeak === null ? {} : { ofPeak }) };
      records.push(record);
      print(lineOf(record, records));
    } catch (reason) {
      const fits = !(reason instanceof MienError && reason.name === 'AlgorithmError');
      (fits ? failures : unfit).push({ name: each.name, reason: `${reason}` });
      print(`${each.name.padEnd(40)} ${fits ? `FAILED: ${reason}` : 'does not fit'}`);
    }
  }
  const after = await quietness();
  const shares = records.flatMap(({ others }) => others ?? []);
  const { quiet, sentence } = verdict(before, after, shares);
  print(sentence);
  const { name, description } = facts;
  return {
    adapter: { name, description },
    date: new Date().toISOString(),
    node: process.version,
    quiet: { quiet, before, after },
    peak,
    records,
    unfit,
    failures,
  };
}

/** The fraction of `peak` that a rate reaches; null for times and sizes. */
export function shareOfPeak({ unit, median }: Measurement, { flops, bytes }: Peak): number | null {
  if (unit === 'GFLOP/s') return (1e9 * median) / flops;
  return unit === 'GB/s' ? (1e9 * median) / bytes : null;
}

/** An adapter's name for use in file names: lower case, hyphens. */
export function slugOf(adapter: string): string {
  return adapter
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

/** The cases, with `copy` first if one of them is reported as a share of it. */
function withCopy(cases: readonly Case[]): readonly Case[] {
  const bound = new Set(bandwidthCases().map(({ name }) => name));
  if (!cases.some(({ name }) => bound.has(name))) return cases;
  const copy = selected(['copy']);
  return [...copy, ...cases.filter(({ name }) => name !== 'copy')];
}

/** A record as one line: median, range, time of one run, and the share of the fastest copy or of the peak. */
export function lineOf(record: BenchRecord, all: readonly Measurement[]): string {
  const { name, unit, median, min, max, seconds, others = 0 } = record;
  const number = `${name.padEnd(40)} ${digits(median).padStart(7)} ${unit.padEnd(8)}`;
  const ends = min === max ? '' : `${digits(min)} to ${digits(max)}`;
  const time = seconds ? timeOf(seconds.median) : '';
  const disturbed = isBusy(others) ? `  BUSY: others used ${Math.round(100 * others)} % of the cores` : '';
  return `${number} ${ends.padEnd(18)} ${time.padStart(9)}  ${shareOf(record, all)}`.trimEnd() + disturbed;
}

/** The share of the fastest copy, else of the peak, if known. */
export function shareOf(record: BenchRecord, all: readonly Measurement[]): string {
  // The copy is of 16 images, which fit in the caches of a GPU.
  const copy = record.name.includes('/b128') ? '' : shareOfCopy(record, all);
  return copy || (record.ofPeak === undefined ? '' : `${Math.round(100 * record.ofPeak)} % of peak`);
}

/** `72 % of copy` for memory-bound work if the copy was measured, else an empty string. */
export function shareOfCopy({ name, unit, median }: Measurement, all: readonly Measurement[]): string {
  const copy = all.find((each) => each.name === 'copy');
  if (!copy || unit !== 'GB/s' || name === 'copy') return '';
  return `${Math.round((100 * median) / copy.median)} % of copy`;
}

/** Three significant digits, or all digits before the point. */
export function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function timeOf(seconds: number): string {
  return seconds >= 1 ? `${seconds.toFixed(2)} s` : `${(1000 * seconds).toFixed(2)} ms`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
