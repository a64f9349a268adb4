// What an evaluation reports.
import type { ReliabilityBin } from '../../calibration.ts';
import type { FoldKind } from '../../datasets/dataset.ts';
import type { ClassScore } from '../../metrics.ts';
import type { ModelName } from '../../models/catalog.ts';
import type { Interval } from '../../runs/accuracy.ts';

/** One network of an evaluation. */
export interface Member {
  readonly weights: string;
  readonly model: ModelName;
  /** The last epoch that it was trained in, from 0. */
  readonly epoch: number;
  /** The split on which its run selected this epoch as the best; null for the last epoch. */
  readonly chosenOn: string | null;
}

/** A temperature and its effect, or the reason why there is none. */
export interface CalibrationReport {
  readonly temperature: number | null;
  /** The split that it was fitted on: never the one that is reported. */
  readonly fittedOn: string | null;
  readonly fittedImages: number;
  readonly ece: number | null;
  readonly loss: number | null;
  readonly bins: readonly ReliabilityBin[] | null;
  /** Why there is no temperature. */
  readonly reason: string | null;
}

/** The result of `evaluate`. Accuracies are fractions; intervals are 95 % (Wilson) and count independent units. */
export interface EvaluationReport {
  readonly adapter: string;
  readonly members: readonly Member[];
  /** The networks' names, joined by `+`. */
  readonly model: string;
  readonly dataset: string;
  readonly split: string;
  readonly fold: number | null;
  readonly folds: FoldKind | null;
  readonly crops: number;
  /** Images. */
  readonly n: number;
  /** Mean cross-entropy. */
  readonly loss: number;
  readonly accuracy: number;
  readonly interval: Interval;
  /** With the center crop only. */
  readonly accuracySingleView: number;
  /** Without test images that also occur in the training set, pixel by pixel; null for the training images themselves. */
  readonly accuracyWithoutDuplicates: number | null;
  readonly intervalWithoutDuplicates: Interval | null;
  readonly nWithoutDuplicates: number | null;
  readonly perClass: readonly ClassScore[];
  /** Means over the classes that have images. */
  readonly macro: Omit<ClassScore, 'name' | 'n'>;
  /** Expected calibration error in 15 bins, before any temperature. */
  readonly ece: number;
  readonly bins: readonly ReliabilityBin[];
  readonly calibration: CalibrationReport;
  readonly classes: readonly string[];
  /** Row: label; column: prediction. */
  readonly confusion: readonly (readonly number[])[];
}
