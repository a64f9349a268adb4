// Learning curves of one run or several, from their folders.
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { FormatError } from '@mien/nn';
import { FileError } from '@mien/nn/files';
import { ValueError } from '@mien/tensor';
import { learningCurve } from '../../figures/learningCurve.ts';
import { range, share, viewsText } from '../../runs/accuracy.ts';
import { foldName, titleOf } from '../../runs/data.ts';
import type { EpochMetrics, Summary } from '../../runs/events.ts';
import { METRICS, readMetrics, readSummary, SUMMARY } from '../../runs/folder.ts';
import { MOST_COMPARED, runComparison } from './runComparison.ts';

/** A run as its folder tells it. */
export interface RunRecord {
  readonly folder: string;
  readonly summary: Summary;
  /** One an epoch, at least one. */
  readonly metrics: readonly EpochMetrics[];
}

/** Reads a run folder. Throws FileError where it is none or has no epoch yet. */
export function readRecord(folder: string): RunRecord {
  const summary = readSummary(folder);
  if (!summary) throw new FileError(`${join(folder, SUMMARY)}: does not exist; name the folder of a run of mien train`);
  const metrics = readMetrics(folder);
  if (metrics.length === 0)
    throw new FileError(`${join(folder, METRICS)}: no epoch is finished; train on with --resume`);
  const line = metrics.findIndex(
    ({ epoch, testAccuracy }) => !Number.isInteger(epoch) || !Number.isFinite(testAccuracy),
  );
  if (line >= 0) throw new FormatError(`${join(folder, METRICS)}, line ${line + 1}: no epoch with its test accuracy`);
  return { folder, summary, metrics };
}

/** `small on CK+, fold 1` */
export function runTitle({ model, dataset, fold, folds }: Summary): string {
  return `${model} on ${titleOf(dataset)}${fold === null ? '' : `, ${foldName(fold, folds ?? 'reference')}`}`;
}

/** The learning curve of one run, or the test curves of several in one picture, as SVG. Throws ValueError for too many. */
export function curves(folders: readonly string[]): string {
  if (folders.length === 0) throw new ValueError('curves: which run? (no folder is given)');
  if (folders.length > MOST_COMPARED) {
    throw new ValueError(`curves: ${folders.length} runs, of which a picture tells ${MOST_COMPARED} apart; name fewer`);
  }
  const records = folders.map(readRecord);
  const [first] = records;
  if (records.length === 1 && first) return ofOne(first);
  const names = shortNames(folders);
  const runs = records.map((record, i) => ({
    name: names[i] as string,
    words: `${runTitle(record.summary)}: ${endOf(record)}`,
    points: record.metrics,
  }));
  const alike = new Set(records.map(({ summary: { dataset, fold, folds } }) => [dataset, fold, folds].join()));
  const note = alike.size > 1 ? 'the runs are tested on different images: read each curve for itself' : '';
  return runComparison(runs, `${records.length} runs`, note);
}

/** The learning curve of a run as SVG. */
export function ofOne(record: RunRecord): string {
  return learningCurve(record.metrics, runTitle(record.summary), `test accuracy ${endOf(record)}`);
}

/** `65.1 % at epoch 23, ten-crop (95 % interval 63.5 to 66.7 %); best 64.4 % at epoch 20, center crop` */
function endOf({ summary: { testAccuracy, testAccuracyInterval: interval }, metrics }: RunRecord): string {
  const last = metrics.at(-1) as EpochMetrics;
  const best = metrics.reduce((a, b) => (b.testAccuracy > a.testAccuracy ? b : a));
  const views = viewsText(last.crops);
  const end =
    testAccuracy === null
      ? `${share(last.testAccuracy)} at epoch ${last.epoch + 1}, ${views}`
      : `${share(testAccuracy)} at epoch ${last.epoch + 1}, ten-crop${interval ? ` (95 % interval ${range(interval)})` : ''}`;
  return `${end}; best ${share(best.testAccuracy)} at epoch ${best.epoch + 1}, ${views}`;
}

/** The folders from where their paths part. */
function shortNames(folders: readonly string[]): string[] {
  const paths = folders.map((folder) => resolve(folder));
  let above = dirname(paths[0] as string);
  while (!paths.every((path) => path.startsWith(above + sep))) {
    if (dirname(above) === above) return paths;
    above = dirname(above);
  }
  return paths.map((path) => relative(above, path) || basename(path));
}
