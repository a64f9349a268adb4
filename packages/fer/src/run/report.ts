// Figures in words: shares with their intervals, and rounding for JSON.
import type { Faces } from '../datasets/faces.ts';
import type { Evaluation } from '../evaluation.ts';
import { percent, wilson } from '../metrics.ts';

/** `95.2 % (95 % interval 91.5 to 97.4)`; frames of one CK+ sequence count as one. */
export function accuracyText({ matrix }: Evaluation, faces: Faces): string {
  return percent(matrix.correct, matrix.total, independentOf(matrix.total, faces));
}

/** The 95 % interval of an accuracy, as fractions. */
export function interval({ matrix }: Evaluation, faces: Faces): readonly [number, number] {
  const n = independentOf(matrix.total, faces);
  const [low, high] = wilson(matrix.accuracy * n, n);
  return [round(low, 4), round(high, 4)];
}

function independentOf(images: number, faces: Faces): number {
  return faces.dataset === 'ck+' ? images / 3 : images;
}

/** `95.2 %` */
export function share(accuracy: number | null): string {
  return accuracy === null ? 'unknown' : `${(100 * accuracy).toFixed(1)} %`;
}

/** `value` with so many decimals. */
export function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
