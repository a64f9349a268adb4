// Accuracies with their confidence intervals, as numbers and as text.
import { independentImages } from '../datasets/catalog.ts';
import type { Faces } from '../datasets/faces.ts';
import type { Evaluation } from '../evaluation.ts';
import { percent, wilson } from '../metrics.ts';

/** Lower and upper end of a 95 % interval, as fractions. */
export type Interval = readonly [low: number, high: number];

/** `95.2 % (95 % interval 91.5 to 97.4)`; the interval counts independent units. */
export function accuracyText({ matrix }: Evaluation, faces: Faces): string {
  return percent(matrix.correct, matrix.total, independentImages(matrix.total, faces.dataset));
}

/** The 95 % interval of an evaluation's accuracy. */
export function interval({ matrix }: Evaluation, faces: Faces): Interval {
  return intervalOf(matrix.correct, matrix.total, faces.dataset);
}

/** The 95 % interval of `correct` out of `images` of a data set. */
export function intervalOf(correct: number, images: number, dataset: string): Interval {
  const n = independentImages(images, dataset);
  return wilson((correct / images) * n, n);
}

/** `95.2 %` */
export function share(accuracy: number | null): string {
  return accuracy === null ? 'unknown' : `${(100 * accuracy).toFixed(1)} %`;
}

/** `91.5 to 97.4 %` */
export function range([low, high]: Interval): string {
  return `${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)} %`;
}

/** How many views of each image were averaged. */
export function viewsText(crops: number): string {
  return crops === 10 ? 'ten-crop' : 'center crop';
}

/** `28,709` */
export function grouped(n: number): string {
  return n.toLocaleString('en');
}

/** `value` rounded to `digits` decimals. */
export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
