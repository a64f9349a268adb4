// Confusion matrices of evaluations, as figures (Node only).
import { FormatError } from '@mien/nn';
import { readFile } from '@mien/nn/files';
import { titleOf } from '../../datasets/catalog.ts';
import { type Cells, confusionMatrix } from '../../figures/confusionMatrix.ts';
import { writePicture } from '../../figures/picture.ts';
import { ConfusionMatrix } from '../../metrics.ts';
import { grouped, range, share, viewsText } from '../../runs/accuracy.ts';
import type { EvaluationReport } from './report.ts';

/** The fields of an evaluation that a confusion matrix is drawn from. */
export type Confusions = Pick<
  EvaluationReport,
  'model' | 'dataset' | 'split' | 'crops' | 'n' | 'accuracy' | 'interval' | 'classes' | 'confusion'
>;

/** The confusion matrix of an evaluation as SVG, with the accuracy in its title. */
export function confusionFigure(report: Confusions, cells: Cells = 'both'): string {
  const title = `${report.model} on ${titleOf(report.dataset)}, ${report.split}: ${share(report.accuracy)}`;
  const crops = viewsText(report.crops);
  const note = `95 % interval ${range(report.interval)}, ${grouped(report.n)} images, ${crops}`;
  return confusionMatrix(ConfusionMatrix.from(report.classes, report.confusion), title, note, cells);
}

/** Writes the confusion matrix of an evaluation to an SVG or PNG file. */
export function writeConfusion(file: string, report: Confusions, cells: Cells = 'both'): void {
  writePicture(file, confusionFigure(report, cells));
}

/** Reads the output of `mien evaluate --json`: the last line of the file. Throws FormatError naming missing fields. */
export function readEvaluation(file: string): Confusions {
  const line = Buffer.from(readFile(file)).toString('utf8').trimEnd().split('\n').at(-1) ?? '';
  let report: Partial<Record<keyof Confusions, unknown>>;
  try {
    report = Object(JSON.parse(line));
  } catch {
    throw new FormatError(`${file}: the last line is not JSON; create the file with: mien evaluate --json > FILE`);
  }
  const isText = (value: unknown): boolean => typeof value === 'string';
  const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
  const isNumbers = (value: unknown): boolean => Array.isArray(value) && value.every(Number.isFinite);
  const missing = Object.entries({
    model: isText(report.model),
    dataset: isText(report.dataset),
    split: isText(report.split),
    crops: Number.isFinite(report.crops),
    n: Number.isFinite(report.n),
    accuracy: Number.isFinite(report.accuracy),
    interval: isNumbers(report.interval) && (report.interval as unknown[]).length === 2,
    classes: isTexts(report.classes),
    confusion: Array.isArray(report.confusion) && report.confusion.every(isNumbers),
  }).flatMap(([name, fits]) => (fits ? [] : [name]));
  if (missing.length === 0) return report as Confusions;
  throw new FormatError(
    `${file}: not an evaluation: ${missing.join(', ')} missing or edited; create the file with: mien evaluate --json > FILE`,
  );
}
