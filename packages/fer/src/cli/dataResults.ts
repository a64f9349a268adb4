// What `prepare` and `audit` print at their end.
import type { PrepareReport, SplitCounts } from '../run/prepare.ts';
import { aligned } from './results.ts';

/** The file that was written, with its images by class and split. */
export function reportPrepared({ out, classes, splits, notFaces, converted }: PrepareReport): string {
  return [
    ...countTable(classes, splits),
    ...(converted.colour > 0 ? [`${images(converted.colour)} in colour turned grey`] : []),
    ...(converted.resized > 0 ? [`${images(converted.resized)} of another size brought to 48x48`] : []),
    ...(notFaces > 0 ? [`${images(notFaces)} left out that FER+ calls "not a face"`] : []),
    `written to ${out}`,
    '',
  ].join('\n');
}

/** A row a class and a column a split, with the sums. */
export function countTable(classes: readonly string[], splits: readonly SplitCounts[]): string[] {
  const rows = classes.map((name, label) => [...splits.map(({ perClass }) => String(perClass[label] ?? 0)), name]);
  const sums = [...splits.map((split) => String(split.images)), 'all classes'];
  return aligned([[...splits.map(({ name }) => name), 'class'], ...rows, sums]);
}

function images(n: number): string {
  return n === 1 ? '1 image' : `${n.toLocaleString('en')} images`;
}
