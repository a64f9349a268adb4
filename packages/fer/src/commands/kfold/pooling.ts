// Pools the tests of several folds, which k-fold cross-validation reports.
import { ValueError } from '@mien/tensor';
import { ConfusionMatrix, wilson } from '../../metrics.ts';
import type { Interval } from '../../runs/accuracy.ts';

/** One fold's test: the indices of its images and its confusion matrix. */
export interface PoolPart {
  readonly tested: ArrayLike<number>;
  readonly confusion: readonly (readonly number[])[];
}

/** The tests of several folds as one. */
export interface Pooled {
  /** Tested images; an image that two folds test counts twice. */
  readonly n: number;
  readonly correct: number;
  readonly accuracy: number;
  /** Distinct sequences among the tested images, which the interval counts. */
  readonly sequences: number;
  readonly interval: Interval;
  /** Mean and standard deviation of the folds' accuracies; the deviation is null for a single fold. */
  readonly mean: number;
  readonly deviation: number | null;
  readonly confusion: readonly (readonly number[])[];
}

/** Pools the folds' tests. `frames` successive images are one sequence. Throws ValueError without folds. */
export function poolFolds(parts: readonly PoolPart[], classes: readonly string[], frames = 3): Pooled {
  if (parts.length === 0) throw new ValueError('poolFolds: expected one fold or more, got none');
  const matrix = new ConfusionMatrix(classes);
  const matrices = parts.map(({ confusion }) => ConfusionMatrix.from(classes, confusion));
  for (const each of matrices) matrix.merge(each);
  const sequences = new Set(parts.flatMap(({ tested }) => Array.from(tested, (image) => Math.floor(image / frames))))
    .size;
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
