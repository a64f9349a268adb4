// `npm run bench`: the cases whose names contain one of the words, measured one after another.
import { init, MienError, measurePeak, type Peak } from '@mien/tensor';
import { bandwidthCases } from './bandwidthCases.ts';
import { convCases } from './convCases.ts';
import { gemmCases } from './gemmCases.ts';
import type { Case, Measurement, Pace } from './measure.ts';
import { networkCases } from './networkCases.ts';
import { isBusy, type Quietness, quietness, verdict, watched } from './quiet.ts';

/** What a run found, as it is stored. */
export interface BenchResult {
  /** The adapter as it names itself; `description` is its driver. */
  readonly adapter: { readonly name: string; readonly description: string };
  /** ISO 8601. */
  readonly date: string;
  readonly node: string;
  /** Looks at the machine before and after; figures of one that was not quiet mean little. */
  readonly quiet: { readonly quiet: boolean; readonly before: Quietness; readonly after: Quietness };
  /** What the adapter computes and moves at most a second, measured in the same run. */
  readonly peak: Peak;
  readonly records: readonly BenchRecord[];
  /** Algorithms that do not fit their record's shapes or the adapter. */
  readonly unfit: readonly Failure[];
  readonly failures: readonly Failure[];
}

/** A measurement, and the share of the cores' time that other processes used meanwhile, where it is known. */
export interface BenchRecord extends Measurement {
  readonly others?: number;
  /** The part of the adapter's peak, of arithmetic or bandwidth. Winograd's products can exceed 1: work is that of the direct method. */
  readonly ofPeak?: number;
}

/** A case that gave no number. */
export interface Failure {
  readonly name: string;
  readonly reason: string;
}

/** Every case by the name of its file, in the order in which they are measured. */
const groups = { gemm: gemmCases, conv: convCases, elementwise: bandwidthCases, network: networkCases };

/**
 * The cases that `words` select: a record's whole name selects that one only, else a word selects each case whose name, or
 * whose group's, contains it. No words select all. Large cases are among them only if `large`, or by their whole names.
 */
export function selected(words: readonly string[], large = false): readonly Case[] {
  const all = Object.entries(groups).flatMap(([group, cases]) => cases().map((each) => ({ group, each })));
  const names = new Set(all.map(({ each }) => each.name));
  const matches = (group: string, name: string) => (word: string) =>
    names.has(word) ? name === word : name.includes(word) || group.includes(word);
  return all.flatMap(({ group, each }) => {
    if (each.large && !large && !words.includes(each.name)) return [];
    return words.length === 0 || words.some(matches(group, each.name)) ? [each] : [];
  });
}

/** The names of all records. */
export function names(): readonly string[] {
  return selected([], true).map(({ name }) => name);
}

/**
 * Measures what `words` select and prints a line for each. Null where they select nothing. Large cases are left out on software
 * adapters, unless `large` or their whole names ask for them.
 */
export async function bench(
  words: readonly string[],
  { large = false, pace = 'together' }: { readonly large?: boolean; readonly pace?: Pace } = {},
): Promise<BenchResult | null> {
  const { facts } = await init();
  const cases = withCopy(selected(words, large || !facts.software));
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

/** The part of `peak` that a rate is, or null for what is no rate. */
export function shareOfPeak({ unit, median }: Measurement, { flops, bytes }: Peak): number | null {
  if (unit === 'GFLOP/s') return (1e9 * median) / flops;
  return unit === 'GB/s' ? (1e9 * median) / bytes : null;
}

/** The file name of an adapter's results: its name in lower case, words joined by hyphens. */
export function slugOf(adapter: string): string {
  return adapter
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

/** `copy` comes first where anything is to be a share of it. */
function withCopy(cases: readonly Case[]): readonly Case[] {
  const bound = new Set(bandwidthCases().map(({ name }) => name));
  if (!cases.some(({ name }) => bound.has(name))) return cases;
  const copy = selected(['copy']);
  return [...copy, ...cases.filter(({ name }) => name !== 'copy')];
}

/** A record as one line: the number, what one run took, the ends, and the share of the best copy or of the peak. */
export function lineOf(record: BenchRecord, all: readonly Measurement[]): string {
  const { name, unit, median, min, max, seconds, others = 0 } = record;
  const number = `${name.padEnd(40)} ${digits(median).padStart(7)} ${unit.padEnd(8)}`;
  const ends = min === max ? '' : `${digits(min)} to ${digits(max)}`;
  const time = seconds ? timeOf(seconds.median) : '';
  const disturbed = isBusy(others) ? `  BUSY: others used ${Math.round(100 * others)} % of the cores` : '';
  return `${number} ${ends.padEnd(18)} ${time.padStart(9)}  ${shareOf(record, all)}`.trimEnd() + disturbed;
}

/** The share of the best copy, else of the peak, where either is known. */
export function shareOf(record: BenchRecord, all: readonly Measurement[]): string {
  // The copy is of 16 images, which the caches of a GPU hold.
  const copy = record.name.includes('/b128') ? '' : shareOfCopy(record, all);
  return copy || (record.ofPeak === undefined ? '' : `${Math.round(100 * record.ofPeak)} % of peak`);
}

/** `72 % of copy` for what is bound by memory, where the copy was measured; else nothing. */
export function shareOfCopy({ name, unit, median }: Measurement, all: readonly Measurement[]): string {
  const copy = all.find((each) => each.name === 'copy');
  if (!copy || unit !== 'GB/s' || name === 'copy') return '';
  return `${Math.round((100 * median) / copy.median)} % of copy`;
}

/** Three digits, or all of an integer. */
export function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function timeOf(seconds: number): string {
  return seconds >= 1 ? `${seconds.toFixed(2)} s` : `${(1000 * seconds).toFixed(2)} ms`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
