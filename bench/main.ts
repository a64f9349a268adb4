// `npm run bench`: the cases whose names contain one of the words, measured one after another.
import { init } from '@mien/tensor';
import { bandwidthCases } from './bandwidthCases.ts';
import { convCases } from './convCases.ts';
import { gemmCases } from './gemmCases.ts';
import type { Case, Measurement } from './measure.ts';
import { networkCases } from './networkCases.ts';
import { isBusy, type Quietness, quietness, verdict, watched } from './quiet.ts';

/** What a run found, as it is stored. */
export interface BenchResult {
  readonly adapter: { readonly name: string; readonly description: string };
  /** ISO 8601. */
  readonly date: string;
  readonly node: string;
  /** Looks at the machine before and after; figures of one that was not quiet mean little. */
  readonly quiet: { readonly quiet: boolean; readonly before: Quietness; readonly after: Quietness };
  readonly records: readonly BenchRecord[];
  readonly failures: readonly Failure[];
}

/** A measurement, and the share of the cores' time that other processes used meanwhile, where it is known. */
export interface BenchRecord extends Measurement {
  readonly others?: number;
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
 * whose group's, contains it. No words select all.
 */
export function selected(words: readonly string[]): readonly Case[] {
  const all = Object.entries(groups).flatMap(([group, cases]) => cases().map((each) => ({ group, each })));
  const names = new Set(all.map(({ each }) => each.name));
  const matches = (group: string, name: string) => (word: string) =>
    names.has(word) ? name === word : name.includes(word) || group.includes(word);
  return all.flatMap(({ group, each }) => (words.length === 0 || words.some(matches(group, each.name)) ? [each] : []));
}

/** The names of all records. */
export function names(): readonly string[] {
  return selected([]).map(({ name }) => name);
}

/** Measures what `words` select and prints a line for each. Null where they select nothing. */
export async function bench(words: readonly string[]): Promise<BenchResult | null> {
  const cases = withCopy(selected(words));
  if (cases.length === 0) return null;
  const { facts } = await init();
  print(`on ${facts.name} (${facts.description})`);
  const before = await quietness();
  const records: BenchRecord[] = [];
  const failures: Failure[] = [];
  for (const each of cases) {
    try {
      const { result, others } = await watched(each.run);
      const record = each.apart ? result : { ...result, others };
      records.push(record);
      print(lineOf(record, records));
    } catch (reason) {
      failures.push({ name: each.name, reason: `${reason}` });
      print(`${each.name.padEnd(40)} FAILED: ${reason}`);
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
    records,
    failures,
  };
}

/** `copy` comes first where anything is to be a share of it. */
function withCopy(cases: readonly Case[]): readonly Case[] {
  const bound = new Set(bandwidthCases().map(({ name }) => name));
  if (!cases.some(({ name }) => bound.has(name))) return cases;
  const copy = selected(['copy']);
  return [...copy, ...cases.filter(({ name }) => name !== 'copy')];
}

/** A record as one line: the number, what one run took, the ends, and the share of the best copy. */
export function lineOf(record: BenchRecord, all: readonly Measurement[]): string {
  const { name, unit, median, min, max, seconds, others = 0 } = record;
  const number = `${name.padEnd(40)} ${digits(median).padStart(7)} ${unit.padEnd(8)}`;
  const ends = min === max ? '' : `${digits(min)} to ${digits(max)}`;
  const time = seconds ? timeOf(seconds.median) : '';
  const disturbed = isBusy(others) ? `  BUSY: others used ${Math.round(100 * others)} % of the cores` : '';
  return `${number} ${ends.padEnd(18)} ${time.padStart(9)}  ${shareOfCopy(record, all)}`.trimEnd() + disturbed;
}

/** `72 % of copy` for what is bound by memory, where the copy was measured; else nothing. */
export function shareOfCopy({ name, unit, median }: Measurement, all: readonly Measurement[]): string {
  const copy = all.find((each) => each.name === 'copy');
  if (!copy || unit !== 'GB/s' || name === 'copy') return '';
  return `${Math.round((100 * median) / copy.median)} % of copy`;
}

/** Three digits, or all of a whole number. */
export function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function timeOf(seconds: number): string {
  return seconds >= 1 ? `${seconds.toFixed(2)} s` : `${(1000 * seconds).toFixed(2)} ms`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
