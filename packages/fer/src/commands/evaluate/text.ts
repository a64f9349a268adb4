// What `mien evaluate` prints.

import { aligned, wrapped } from '../../cli/table.ts';
import { wilson } from '../../metrics.ts';
import { range, share, viewsText, whole } from '../../runs/accuracy.ts';
import { titleOf } from '../../runs/data.ts';
import type { EvaluationReport } from './evaluate.ts';
import { meaningOf } from './meaning.ts';

/** An evaluation: figures, a line a class, confusions, and what the figure means. */
export function reportEvaluation(report: EvaluationReport): string {
  const { adapter, members, dataset, split, n, classes, perClass, macro, confusion } = report;
  const crops = viewsText(report.crops);
  const networks = members.map(({ model, epoch }) => `${model} after epoch ${epoch + 1}`);
  const ensemble = members.length > 1 ? `the mean probabilities of ${networks.join(', ')}` : networks[0];
  const points = (value: number | null): string => (value === null ? '' : (100 * value).toFixed(1));
  const scores = perClass.map((score, i) => {
    const { name, n: images } = score;
    if (images === 0) return ['0', '', '', '', '', name];
    const interval = range(wilson(confusion[i]?.[i] ?? 0, images));
    return [String(images), points(score.precision), points(score.recall), interval, points(score.f1), name];
  });
  // Frames of a sequence are not independent, and one class has too few sequences for an interval worth printing.
  const columns = dataset === 'ck+' ? [0, 1, 2, 4, 5] : [0, 1, 2, 3, 4, 5];
  const table = [
    ['images', 'precision', 'recall', '95 % interval', 'F1', 'class'],
    ...scores,
    [String(n), points(macro.precision), points(macro.recall), '', points(macro.f1), 'macro average'],
  ].map((row) => columns.map((column) => row[column] as string));
  const counts = confusion.map((row, i) => [...row.map(String), classes[i] as string]);
  return [
    `adapter: ${adapter}`,
    `${ensemble} on ${titleOf(dataset)}, ${split}, ${whole(n)} images, ${crops}`,
    '',
    ...figures(report).map(([name, value]) => `  ${name.padEnd(20)}${value}`),
    '',
    'scores in %',
    ...aligned(table),
    '',
    'images by what they show (row) and what they were recognized as (column)',
    ...aligned([[...classes.map((name) => name.slice(0, 8)), 'shown'], ...counts]),
    '',
    ...meaningOf(report).flatMap((sentence) => wrapped(sentence)),
    '',
  ].join('\n');
}

function figures(report: EvaluationReport): (readonly [name: string, value: string])[] {
  const { accuracy, interval, loss, ece, calibration, nWithoutDuplicates, n } = report;
  const { temperature, fittedOn, fittedImages } = calibration;
  const lines: (readonly [string, string])[] = [['accuracy', `${share(accuracy)} (95 % interval ${range(interval)})`]];
  if (report.accuracyWithoutDuplicates !== null && report.intervalWithoutDuplicates !== null) {
    lines.push([
      'without duplicates',
      nWithoutDuplicates === n
        ? 'the same: no image is in the training images'
        : `${share(report.accuracyWithoutDuplicates)} (95 % interval ${range(report.intervalWithoutDuplicates)}), ${whole(nWithoutDuplicates ?? 0)} images`,
    ]);
  }
  if (report.crops === 10) lines.push(['center crop alone', share(report.accuracySingleView)]);
  lines.push(['cross-entropy', loss.toFixed(4)], ['calibration error', `${share(ece)} (ECE, 15 bins)`]);
  if (temperature === null) lines.push(['', `no temperature: ${calibration.reason}`]);
  else {
    lines.push([
      '',
      `${share(calibration.ece)} at the temperature ${temperature.toFixed(3)}, fitted on ${fittedOn} (${whole(fittedImages)} images); cross-entropy ${calibration.loss?.toFixed(4)}`,
    ]);
  }
  return lines;
}
