// Pictures of evaluations and runs, as SVG or PNG by the file's name (Node only).
import { extname } from 'node:path';
import { writeFile } from '@mien/nn/files';
import { ValueError } from '@mien/tensor';
import { type Cells, confusionMatrix } from '../figures/confusionMatrix.ts';
import { png } from '../figures/lettering.ts';
import { ConfusionMatrix } from '../metrics.ts';
import { titleOf } from './data.ts';
import type { EvaluationReport } from './evaluate.ts';
import { range, share, whole } from './shares.ts';

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
  const crops = report.crops === 10 ? 'ten-crop' : 'centre crop';
  const note = `95 % interval ${range(report.interval)}, ${whole(report.n)} images, ${crops}`;
  return confusionMatrix(ConfusionMatrix.from(report.classes, report.confusion), title, note, cells);
}

/** Writes the confusion matrix of an evaluation to an SVG or PNG file. */
export function writeConfusion(file: string, report: Confusions, cells: Cells = 'both'): void {
  writePicture(file, confusionFigure(report, cells));
}
