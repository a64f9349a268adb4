// The chart of a run: a group of bars for each kind of work.
import { type BarGroup, bars, png } from '@mien/fer/node';
import { type BenchRecord, type BenchResult, digits, shareOf } from './main.ts';

/** A PNG of all records of `result`. */
export function pictureOf({ adapter, date, quiet, records }: BenchResult): Uint8Array {
  const busy = quiet.quiet ? '' : ' · not on a quiet machine';
  const note = `${adapter.name} · ${date.slice(0, 16).replace('T', ' ')} UTC · bars are medians, lines go from least to most${busy}`;
  return png(bars(groupsOf(records), 'Mien, measured', note));
}

/** Records that can be compared: of one kind and one unit. */
export function groupsOf(records: readonly BenchRecord[]): readonly BarGroup[] {
  const groups = new Map<string, BenchRecord[]>();
  for (const record of records) {
    const title = titleOf(record);
    groups.set(title, [...(groups.get(title) ?? []), record]);
  }
  return Array.from(groups, ([title, members]) => ({
    title,
    bars: members.map((record) => {
      const { name, median, min, max, unit } = record;
      const share = shareOf(record, records);
      const label = `${digits(median)} ${unit}${share && `, ${share}`}`;
      return { name, value: median, low: min, high: max, label };
    }),
  }));
}

function titleOf({ name, unit }: BenchRecord): string {
  if (unit === 'GB/s') return 'Memory-bound work, GB/s of what must be read and written';
  const kind = name.split('/')[0] as string;
  const images = name.includes('/b128') ? 128 : 16;
  const kinds: Readonly<Record<string, string>> = {
    gemm: 'Matrix products',
    step: 'Training steps',
    forward: 'Forward passes',
    latency: 'Latency of one image',
    memory: 'Peak memory of training',
    firstCall: 'First call of a new process, driver caches off',
  };
  return `${kinds[kind] ?? `Convolutions, batch ${images}`}, ${unit}`;
}
