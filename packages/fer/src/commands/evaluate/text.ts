// The output of `mien evaluate`.
import { aligned, wrapped } from '../../cli/table.ts';
import { datasetOf, titleOf } from '../../datasets/catalog.ts';
import { wilson } from '../../metrics.ts';
import { grouped, range, share, viewsText } from '../../runs/accuracy.ts';
import { meaningOf } from './meaning.ts';
import type { EvaluationReport } from './report.ts';

/** An evaluation: figures, a line per class, the confusion matrix, and what the figures mean. */
export function evaluationText(report: EvaluationReport): string {
  const { adapter, members, dataset, split, n, classes, confusion } = report;
  const crops = viewsText(report.crops);
  const networks = members.map(({ model, epoch }) => `${model} after epoch ${epoch + 1}`);
  const ensemble = members.length > 1 ? `the mean probabilities of ${networks.join(', ')}` : networks[0];
  const counts = confusion.map((row, i) => [...row.map(String), classes[i] as string]);
  return [
    `adapter: ${adapter}`,
    `${ensemble} on ${titleOf(dataset)}, ${split}, ${grouped(n)} images, ${crops}`,
    '',
    ...figures(report).map(([name, value]) => `  ${name.padEnd(20)}${value}`),
    '',
    'scores in %',
    ...aligned(scoreTable(report)),
    '',
    'images by label (row) and prediction (column)',
    ...aligned([[...classes.map((name) => name.slice(0, 8)), 'label'], ...counts]),
    '',
    ...meaningOf(report).flatMap((sentence) => wrapped(sentence)),
    '',
  ].join('\n');
}

/** Whether classes have enough independent images for an interval each. */
export function hasClassIntervals({ dataset }: EvaluationReport): boolean {
  return datasetOf(dataset).unit.images === 1;
}

function scoreTable(report: EvaluationReport): string[][] {
  const { n, perClass, macro, confusion } = report;
  const points = (value: number | null): string => (value === null ? '' : (100 * value).toFixed(1));
  const scores = perClass.map((score, i) => {
    const { name, n: images } = score;
    if (images === 0) return ['0', '', '', '', '', name];
    const interval = range(wilson(confusion[i]?.[i] ?? 0, images));
    return [String(images), points(score.precision), points(score.recall), interval, points(score.f1), name];
  });
  const columns = hasClassIntervals(report) ? [0, 1, 2, 3, 4, 5] : [0, 1, 2, 4, 5];
  return [
    ['images', 'precision', 'recall', '95 % interval', 'F1', 'class'],
    ...scores,
    [String(n), points(macro.precision), points(macro.recall), '', points(macro.f1), 'macro average'],
  ].map((row) => columns.map((column) => row[column] as string));
}

function figures(report: EvaluationReport): (readonly [name: string, value: string])[] {
  const { accuracy, interval, loss, ece, calibration, nWithoutDuplicates, n } = report;
  const { temperature, fittedOn, fittedImages } = calibration;
  const lines: (readonly [string, string])[] = [['accuracy', `${share(accuracy)} (95 % interval ${range(interval)})`]];
  if (report.accuracyWithoutDuplicates !== null && report.intervalWithoutDuplicates !== null) {
    lines.push([
      'without duplicates',
      nWithoutDuplicates === n
        ? 'the same: no image occurs in the training set'
        : `${share(report.accuracyWithoutDuplicates)} (95 % interval ${range(report.intervalWithoutDuplicates)}), ${grouped(nWithoutDuplicates ?? 0)} images`,
    ]);
  }
  if (report.crops === 10) lines.push(['center crop only', share(report.accuracySingleView)]);
  lines.push(['cross-entropy', loss.toFixed(4)], ['calibration error', `${share(ece)} (ECE, 15 bins)`]);
  if (temperature === null) lines.push(['', `no temperature: ${calibration.reason}`]);
  else {
    lines.push([
      '',
      `${share(calibration.ece)} with temperature ${temperature.toFixed(3)}, fitted on ${fittedOn} (${grouped(fittedImages)} images); cross-entropy ${calibration.loss?.toFixed(4)}`,
    ]);
  }
  return lines;
}
