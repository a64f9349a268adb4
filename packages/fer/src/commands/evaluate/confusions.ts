// Pictures of evaluations and runs, as SVG or PNG by the file's name (Node only).
import { extname } from 'node:path';
import { FormatError } from '@mien/nn';
import { readFile, writeFile } from '@mien/nn/files';
import { ValueError } from '@mien/tensor';
import { type Cells, confusionMatrix } from '../../figures/confusionMatrix.ts';
import { png } from '../../figures/lettering.ts';
import { ConfusionMatrix } from '../../metrics.ts';
import { range, share, viewsText, whole } from '../../runs/accuracy.ts';
import { titleOf } from '../../runs/data.ts';
import type { EvaluationReport } from './evaluate.ts';

/** Writes a picture as what the file's name says. Throws ValueError unless it ends with .svg or .png. */
export function writePicture(file: string, svg: string): void {
  checkPicture(file);
  writeFile(file, extname(file).toLowerCase() === '.svg' ? svg : png(svg));
}

/** Throws ValueError unless the name ends with .svg or .png: before the work whose picture it is to hold. */
export function checkPicture(file: string): void {
  const kind = extname(file).toLowerCase();
  if (kind !== '.svg' && kind !== '.png') {
    throw new ValueError(`${file}: pictures are written as .svg or .png; end the name with one of them`);
  }
}

/** What a confusion matrix is drawn from. */
export type Confusions = Pick<
  EvaluationReport,
  'model' | 'dataset' | 'split' | 'crops' | 'n' | 'accuracy' | 'interval' | 'classes' | 'confusion'
>;

/** The confusion matrix of an evaluation as SVG; its title carries the accuracy. */
export function confusionFigure(report: Confusions, cells: Cells = 'both'): string {
  const title = `${report.model} on ${titleOf(report.dataset)}, ${report.split}: ${share(report.accuracy)}`;
  const crops = viewsText(report.crops);
  const note = `95 % interval ${range(report.interval)}, ${whole(report.n)} images, ${crops}`;
  return confusionMatrix(ConfusionMatrix.from(report.classes, report.confusion), title, note, cells);
}

/** Writes the confusion matrix of an evaluation to an SVG or PNG file. */
export function writeConfusion(file: string, report: Confusions, cells: Cells = 'both'): void {
  writePicture(file, confusionFigure(report, cells));
}

/** Reads what `mien evaluate --json` wrote: the last line of the file. Throws FormatError naming it and what is missing. */
export function readEvaluation(file: string): Confusions {
  const line = Buffer.from(readFile(file)).toString('utf8').trimEnd().split('\n').at(-1) ?? '';
  let report: Partial<Record<keyof Confusions, unknown>>;
  try {
    report = Object(JSON.parse(line));
  } catch {
    throw new FormatError(`${file}: its last line is not JSON; save it by mien evaluate --json > FILE`);
  }
  const strings = (value: unknown): boolean => Array.isArray(value) && value.every((each) => typeof each === 'string');
  const numbers = (value: unknown): boolean => Array.isArray(value) && value.every(Number.isFinite);
  const missing = Object.entries({
    model: typeof report.model === 'string',
    dataset: typeof report.dataset === 'string',
    split: typeof report.split === 'string',
    crops: Number.isFinite(report.crops),
    n: Number.isFinite(report.n),
    accuracy: Number.isFinite(report.accuracy),
    interval: numbers(report.interval) && (report.interval as unknown[]).length === 2,
    classes: strings(report.classes),
    confusion: Array.isArray(report.confusion) && report.confusion.every(numbers),
  }).flatMap(([name, fits]) => (fits ? [] : [name]));
  if (missing.length === 0) return report as Confusions;
  throw new FormatError(
    `${file}: not an evaluation, ${missing.join(', ')} missing or edited; see mien evaluate --json`,
  );
}
