// How well faces were told apart, and how sure that figure is.
import { ValueError } from '@mien/tensor';

/** How well one class was told from the others. Fractions 0 to 1; all null for a class without images. */
export interface ClassScore {
  readonly name: string;
  /** Images of the class. */
  readonly n: number;
  /** The share of the images taken for the class that are of it; 0 where nothing was taken for it, as scikit-learn has it. */
  readonly precision: number | null;
  /** The share of the class's images that were told right. */
  readonly recall: number | null;
  /** The harmonic mean of both. */
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

  /** The matrix of counts as `toArray` gives them. Throws ValueError unless they are as many rows and columns as classes. */
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

  /** Counts one image of class `label` that was taken for `predicted`. */
  add(label: number, predicted: number, times = 1): void {
    const n = this.classes.length;
    if (!(label >= 0 && label < n && predicted >= 0 && predicted < n)) {
      throw new ValueError(`ConfusionMatrix: label ${label}, predicted ${predicted}; there are ${n} classes`);
    }
    this.#counts[label * n + predicted] = this.count(label, predicted) + times;
  }

  /** Adds another matrix of the same classes: the ten folds of CK+ make one matrix. */
  merge(other: ConfusionMatrix): void {
    for (let label = 0; label < this.classes.length; label++) {
      for (let predicted = 0; predicted < this.classes.length; predicted++) {
        this.add(label, predicted, other.count(label, predicted));
      }
    }
  }

  /** How many images of class `label` were taken for `predicted`. */
  count(label: number, predicted: number): number {
    return this.#counts[label * this.classes.length + predicted] as number;
  }

  /** All images counted. */
  get total(): number {
    return this.#counts.reduce((sum, n) => sum + n, 0);
  }

  /** Images that were told right. */
  get correct(): number {
    return this.classes.reduce((sum, _, label) => sum + this.count(label, label), 0);
  }

  /** The share that was told right, 0 to 1; NaN when nothing was counted. */
  get accuracy(): number {
    return this.correct / this.total;
  }

  /** Images of class `label`. */
  rowTotal(label: number): number {
    return this.classes.reduce((sum, _, predicted) => sum + this.count(label, predicted), 0);
  }

  /** The share of each class that was told right, 0 to 1; NaN for a class without images. */
  perClass(): number[] {
    return this.classes.map((_, label) => this.count(label, label) / this.rowTotal(label));
  }

  /** Images that were taken for class `predicted`. */
  columnTotal(predicted: number): number {
    return this.classes.reduce((sum, _, label) => sum + this.count(label, predicted), 0);
  }

  /** Precision, recall and F1 of each class, in order. */
  scores(): ClassScore[] {
    return this.classes.map((name, label) => {
      const [right, n, taken] = [this.count(label, label), this.rowTotal(label), this.columnTotal(label)];
      if (n === 0) return { name, n, precision: null, recall: null, f1: null };
      return { name, n, precision: taken === 0 ? 0 : right / taken, recall: right / n, f1: (2 * right) / (n + taken) };
    });
  }

  /** The plain means of the scores over the classes that have images: each class counts alike, however rare it is. */
  macro(): Omit<ClassScore, 'name' | 'n'> {
    const scores = this.scores().filter(({ n }) => n > 0);
    const mean = (of: 'precision' | 'recall' | 'f1'): number | null =>
      scores.length === 0 ? null : scores.reduce((sum, score) => sum + (score[of] as number), 0) / scores.length;
    return { precision: mean('precision'), recall: mean('recall'), f1: mean('f1') };
  }

  /** The rows as nested arrays. */
  toArray(): number[][] {
    return this.classes.map((_, label) => this.classes.map((__, predicted) => this.count(label, predicted)));
  }
}

/**
 * The 95 % interval of a share of `correct` among `n` independent images (Wilson 1927). Frames of one sequence are not
 * independent: for CK+ give sequences, a third of the images.
 */
export function wilson(correct: number, n: number, z = 1.959964): readonly [low: number, high: number] {
  if (!(n > 0) || correct < 0 || correct > n) throw new ValueError(`wilson: ${correct} of ${n}`);
  const p = correct / n;
  const squared = (z * z) / n;
  const center = (p + squared / 2) / (1 + squared);
  const half = (z * Math.sqrt((p * (1 - p)) / n + squared / (4 * n))) / (1 + squared);
  return [Math.max(0, center - half), Math.min(1, center + half)];
}

/** `94.6 % (92.9 to 96.0)`: a share with its 95 % interval. */
export function percent(correct: number, n: number, independent: number = n): string {
  const share = correct / n;
  const [low, high] = wilson(share * independent, independent);
  return `${(100 * share).toFixed(1)} % (95 % interval ${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`;
}
