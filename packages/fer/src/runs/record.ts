// A run as its folder describes it: summary, metrics, title and learning curve.
import { join } from 'node:path';
import { FormatError } from '@mien/nn';
import { FileError } from '@mien/nn/files';
import { titleOf } from '../datasets/catalog.ts';
import { foldName } from '../datasets/splits.ts';
import { learningCurve } from '../figures/learningCurve.ts';
import { range, share, viewsText } from './accuracy.ts';
import type { EpochMetrics, Summary } from './events.ts';
import { METRICS, readMetrics, readSummary, SUMMARY } from './folder.ts';

/** The records in a run folder. */
export interface RunRecord {
  readonly folder: string;
  readonly summary: Summary;
  /** One per epoch, at least one. */
  readonly metrics: readonly EpochMetrics[];
}

/** Reads a run folder. Throws FileError where it is not one or has no complete epoch. */
export function readRecord(folder: string): RunRecord {
  const summary = readSummary(folder);
  if (!summary) throw new FileError(`${join(folder, SUMMARY)}: does not exist; pass a run folder of mien train`);
  const metrics = readMetrics(folder);
  if (metrics.length === 0) {
    throw new FileError(`${join(folder, METRICS)}: no epoch is complete; resume the run with --resume`);
  }
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

/** The learning curve of a run as SVG. */
export function runCurve(record: RunRecord): string {
  return learningCurve(record.metrics, runTitle(record.summary), `test accuracy ${finalText(record)}`);
}

/** `65.1 % at epoch 23, ten-crop (95 % interval 63.5 to 66.7 %); best 64.4 % at epoch 20, center crop` */
export function finalText({ summary: { testAccuracy, testAccuracyInterval: interval }, metrics }: RunRecord): string {
  const last = metrics.at(-1) as EpochMetrics;
  const best = metrics.reduce((a, b) => (b.testAccuracy > a.testAccuracy ? b : a));
  const views = viewsText(last.crops);
  const end =
    testAccuracy === null
      ? `${share(last.testAccuracy)} at epoch ${last.epoch + 1}, ${views}`
      : `${share(testAccuracy)} at epoch ${last.epoch + 1}, ten-crop${interval ? ` (95 % interval ${range(interval)})` : ''}`;
  return `${end}; best ${share(best.testAccuracy)} at epoch ${best.epoch + 1}, ${views}`;
}
