// What a run tells while it goes on, and what it leaves behind as JSON.

import type { FoldKind } from '../datasets/ckplus.ts';
import type { StepReport } from '../training/training.ts';
import type { ModelName, TrainingConfig } from '../training/config.ts';

/** One line of metrics.jsonl. Accuracies are fractions 0 to 1; test figures are of `crops` views an image, as the protocol says. */
export interface EpochMetrics {
  /** From 0; what is written for people counts from 1. */
  readonly epoch: number;
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  readonly testLoss: number;
  readonly testAccuracy: number;
  readonly learningRate: number;
  /** Of training, without the evaluation. */
  readonly seconds: number;
  readonly imagesPerSecond: number;
  readonly crops: number;
  readonly privateTestLoss?: number;
  readonly privateTestAccuracy?: number;
}

/** What summary.json holds. */
export interface Summary {
  readonly adapter: string;
  readonly dataset: string;
  readonly model: ModelName;
  readonly fold: number | null;
  readonly folds: FoldKind | null;
  readonly parameters: number;
  readonly epochs: number;
  /** Whether all epochs of the protocol were trained. */
  readonly complete: boolean;
  readonly steps: number;
  readonly seed: number;
  /** The checkpoint whose weights it started from; null where they were random. */
  readonly init: string | null;
  readonly trainImages: number;
  readonly testImages: number;
  /** The last epoch's, ten-crop; null when the run was stopped before. */
  readonly testAccuracy: number | null;
  readonly testLoss: number | null;
  readonly testAccuracyInterval: readonly [number, number] | null;
  /** The images on which the best epoch was chosen; its accuracy there is optimiztic. */
  readonly selectedOn: 'PublicTest' | 'PrivateTest' | 'test';
  readonly bestTestAccuracy: number | null;
  /** By the views of the epochs' tests, those that `protocol.crops` says. */
  readonly bestEpoch: number | null;
  readonly privateTestAccuracy?: number;
  readonly privateTestAccuracyInterval?: readonly [number, number];
  readonly bestPrivateTestAccuracy?: number;
  readonly bestPrivateEpoch?: number;
  readonly trainSeconds: number;
  readonly imagesPerSecond: number;
  readonly classes: readonly string[];
  readonly confusion: readonly (readonly number[])[] | null;
  readonly protocol: TrainingConfig;
}

/** What a run tells while it goes on. */
export type RunEvent =
  | { readonly event: 'reading'; readonly path: string; readonly share: number }
  /** Image files of the data that were skipped because an operating system hides them. */
  | { readonly event: 'hidden'; readonly path: string; readonly images: number }
  | {
      readonly event: 'begin';
      readonly adapter: string;
      readonly dataset: string;
      readonly model: ModelName;
      readonly parameters: number;
      readonly trainImages: number;
      readonly testImages: number;
      readonly epoch: number;
      readonly epochs: number;
      readonly step: number;
      readonly stepsPerEpoch: number;
      readonly out: string;
    }
  | (StepReport & {
      readonly event: 'step';
      readonly accuracy: number;
      readonly imagesPerSecond: number;
      readonly secondsLeft: number;
    })
  /** How many tensors came from a checkpoint, and which stayed random. */
  | { readonly event: 'initialized'; readonly file: string; readonly taken: number; readonly left: readonly string[] }
  | { readonly event: 'tuning'; readonly done: number; readonly total: number }
  /** The loss is not finite, and the last steps are run again to find the operation. */
  | { readonly event: 'searching'; readonly steps: number }
  | { readonly event: 'checking'; readonly done: number; readonly total: number }
  | { readonly event: 'compiling'; readonly done: number; readonly total: number }
  | { readonly event: 'evaluating'; readonly done: number; readonly total: number }
  | ({ readonly event: 'epoch' } & EpochMetrics)
  | { readonly event: 'checkpoint'; readonly path: string; readonly step: number }
  | { readonly event: 'end'; readonly out: string; readonly summary: Summary };
