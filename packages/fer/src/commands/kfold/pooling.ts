// The figures of several folds as one: what a k-fold protocol reports.
import { ValueError } from '@mien/tensor';
import { ConfusionMatrix, wilson } from '../../metrics.ts';
import type { Interval } from '../../runs/accuracy.ts';

/** One fold's test: the images, by their places in the data set, and its confusions. */
export interface PoolPart {
  readonly tested: ArrayLike<number>;
  readonly confusion: readonly (readonly number[])[];
}

/** Folds as one test. */
export interface Pooled {
  /** Images tested, those of two folds twice. */
  readonly n: number;
  readonly correct: number;
  readonly accuracy: number;
  /** Different sequences among the tested images: what the interval counts. */
  readonly sequences: number;
  readonly interval: Interval;
  /** Of the folds' accuracies; the deviation is null for a single fold. */
  readonly mean: number;
  readonly deviation: number | null;
  readonly confusion: readonly (readonly number[])[];
}

/** Adds up the folds' tests. Images come by threes, a sequence each. Throws ValueError without folds. */
export function poolFolds(parts: readonly PoolPart[], classes: readonly string[]): Pooled {
  if (parts.length === 0) throw new ValueError('poolFolds: no folds');
  const matrix = new ConfusionMatrix(classes);
  const matrices = parts.map(({ confusion }) => ConfusionMatrix.from(classes, confusion));
  for (const each of matrices) matrix.merge(each);
  const sequences = new Set(parts.flatMap(({ tested }) => Array.from(tested, (image) => Math.floor(image / 3)))).size;
  const accuracies = matrices.map(({ accuracy }) => accuracy);
  const mean = accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / accuracies.length;
  return {
    n: matrix.total,
    correct: matrix.correct,
    accuracy: matrix.accuracy,
    sequences,
    interval: wilson(matrix.accuracy * sequences, sequences),
    mean,
    deviation: deviationOf(accuracies),
    confusion: matrix.toArray(),
  };
}

/** The standard deviation of a sample (divisor n - 1); null for a single value. */
export function deviationOf(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}
