// Figures in words: shares with their intervals, and rounding for JSON.
import type { Faces } from '../datasets/faces.ts';
import type { Evaluation } from '../evaluation.ts';
import { percent, wilson } from '../metrics.ts';

/** `95.2 % (95 % interval 91.5 to 97.4)`; frames of one CK+ sequence count as one. */
export function accuracyText({ matrix }: Evaluation, faces: Faces): string {
  return percent(matrix.correct, matrix.total, independentOf(matrix.total, faces.dataset));
}

/** The 95 % interval of an accuracy, as fractions. */
export function interval({ matrix }: Evaluation, faces: Faces): Interval {
  return intervalOf(matrix.correct, matrix.total, faces.dataset);
}

/** Lower and upper end of a 95 % interval, as fractions. */
export type Interval = readonly [low: number, high: number];

/** The 95 % interval of `correct` of `images` of a data set, as fractions. */
export function intervalOf(correct: number, images: number, dataset: string): Interval {
  const n = independentOf(images, dataset);
  return wilson((correct / images) * n, n);
}

/** How many of `images` count as independent: the three frames of a CK+ sequence count as one. */
export function independentOf(images: number, dataset: string): number {
  return dataset === 'ck+' ? images / 3 : images;
}

/** `95.2 %` */
export function share(accuracy: number | null): string {
  return accuracy === null ? 'unknown' : `${(100 * accuracy).toFixed(1)} %`;
}

/** `91.5 to 97.4 %` */
export function range([low, high]: Interval): string {
  return `${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)} %`;
}

/** How many views of an image were averaged. */
export function viewsText(crops: number): string {
  return crops === 10 ? 'ten-crop' : 'center crop';
}

/** `28,709` */
export function whole(n: number): string {
  return n.toLocaleString('en');
}

/** `value` with so many decimals. */
export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
