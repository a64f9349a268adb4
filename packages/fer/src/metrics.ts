// Confusion matrices, scores of classes, and confidence intervals.
import { ValueError } from '@mien/tensor';

/** Scores of one class, as fractions from 0 to 1; null for a class without images. */
export interface ClassScore {
  readonly name: string;
  /** Images of the class. */
  readonly n: number;
  /** 0 if the class was never predicted, as in scikit-learn. */
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f1: number | null;
}

/** Counts of predictions: row = true class, column = predicted class. */
export class ConfusionMatrix {
  readonly classes: readonly string[];
  readonly #counts: Int32Array;

  constructor(classes: readonly string[]) {
    this.classes = classes;
    this.#counts = new Int32Array(classes.length * classes.length);
  }

  /** Makes a matrix from the counts that `toArray` returns. Throws ValueError unless they are [classes, classes]. */
  static from(classes: readonly string[], rows: readonly (readonly number[])[]): ConfusionMatrix {
    const matrix = new ConfusionMatrix(classes);
    const fits = (row: unknown, each: (value: unknown) => boolean): boolean =>
      Array.isArray(row) && row.length === classes.length && row.every(each);
    if (!fits(rows, (row) => fits(row, (n) => Number.isSafeInteger(n) && (n as number) >= 0))) {
      throw new ValueError(`ConfusionMatrix: expected ${classes.length} rows of ${classes.length} counts`);
    }
    for (const [label, row] of rows.entries())
      for (const [predicted, n] of row.entries()) matrix.add(label, predicted, n);
    return matrix;
  }

  /** Counts images of class `label` that were predicted as `predicted`. */
  add(label: number, predicted: number, count = 1): void {
    const n = this.classes.length;
    if (!(label >= 0 && label < n && predicted >= 0 && predicted < n)) {
      throw new ValueError(
        `ConfusionMatrix: expected classes 0 to ${n - 1}, got label ${label}, predicted ${predicted}`,
      );
    }
    this.#counts[label * n + predicted] = this.count(label, predicted) + count;
  }

  /** Adds the counts of another matrix with the same classes, for example of another fold. */
  merge(other: ConfusionMatrix): void {
    for (let label = 0; label < this.classes.length; label++) {
      for (let predicted = 0; predicted < this.classes.length; predicted++) {
        this.add(label, predicted, other.count(label, predicted));
      }
    }
  }

  /** Number of images of class `label` that were predicted as `predicted`. */
  count(label: number, predicted: number): number {
    return this.#counts[label * this.classes.length + predicted] as number;
  }

  /** Number of images. */
  get total(): number {
    return this.#counts.reduce((sum, n) => sum + n, 0);
  }

  /** Number of correct predictions. */
  get correct(): number {
    return this.classes.reduce((sum, _, label) => sum + this.count(label, label), 0);
  }

  /** correct / total, 0 to 1; NaN without images. */
  get accuracy(): number {
    return this.correct / this.total;
  }

  /** Number of images of class `label`. */
  rowTotal(label: number): number {
    return this.classes.reduce((sum, _, predicted) => sum + this.count(label, predicted), 0);
  }

  /** Accuracy of each class, 0 to 1; NaN for a class without images. */
  perClass(): number[] {
    return this.classes.map((_, label) => this.count(label, label) / this.rowTotal(label));
  }

  /** Number of images that were predicted as class `predicted`. */
  columnTotal(predicted: number): number {
    return this.classes.reduce((sum, _, label) => sum + this.count(label, predicted), 0);
  }

  /** Precision, recall and F1 of each class, in order. */
  scores(): ClassScore[] {
    return this.classes.map((name, label) => {
      const [correct, n, predicted] = [this.count(label, label), this.rowTotal(label), this.columnTotal(label)];
      if (n === 0) return { name, n, precision: null, recall: null, f1: null };
      const precision = predicted === 0 ? 0 : correct / predicted;
      return { name, n, precision, recall: correct / n, f1: (2 * correct) / (n + predicted) };
    });
  }

  /** Macro averages: unweighted means of the scores over the classes that have images. */
  macro(): Omit<ClassScore, 'name' | 'n'> {
    const scores = this.scores().filter(({ n }) => n > 0);
    const mean = (of: 'precision' | 'recall' | 'f1'): number | null =>
      scores.length === 0 ? null : scores.reduce((sum, score) => sum + (score[of] as number), 0) / scores.length;
    return { precision: mean('precision'), recall: mean('recall'), f1: mean('f1') };
  }

  /** The counts [label, predicted] as nested arrays. */
  toArray(): number[][] {
    return this.classes.map((_, label) => this.classes.map((__, predicted) => this.count(label, predicted)));
  }
}

/**
 * Wilson's score interval (1927) of `correct` out of `n` independent images, 95 % by default. Frames of one sequence are
 * not independent: for CK+ pass sequences, a third of the images.
 */
export function wilson(correct: number, n: number, z = 1.959964): readonly [low: number, high: number] {
  if (!(n > 0) || correct < 0 || correct > n)
    throw new ValueError(`wilson: expected 0 to n correct of n > 0, got ${correct} of ${n}`);
  const p = correct / n;
  const squared = (z * z) / n;
  const center = (p + squared / 2) / (1 + squared);
  const half = (z * Math.sqrt((p * (1 - p)) / n + squared / (4 * n))) / (1 + squared);
  return [Math.max(0, center - half), Math.min(1, center + half)];
}

/** `94.6 % (95 % interval 92.9 to 96.0)` for `correct` out of `n` images, of which `independent` are independent. */
export function percent(correct: number, n: number, independent: number = n): string {
  const fraction = correct / n;
  const [low, high] = wilson(fraction * independent, independent);
  return `${(100 * fraction).toFixed(1)} % (95 % interval ${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`;
}
