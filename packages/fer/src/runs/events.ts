// Events of running commands, and the JSON that runs write.

import type { FoldKind } from '../datasets/dataset.ts';
import type { ModelName } from '../models/catalog.ts';
import type { TrainingConfig } from '../training/config.ts';
import type { StepReport } from '../training/options.ts';

/** One line of metrics.jsonl. Accuracies are fractions; test figures average `crops` views of each image. */
export interface EpochMetrics {
  /** From 0; texts count from 1. */
  readonly epoch: number;
  readonly trainLoss: number;
  readonly trainAccuracy: number;
  readonly testLoss: number;
  readonly testAccuracy: number;
  readonly learningRate: number;
  /** Training only, without the evaluation. */
  readonly seconds: number;
  readonly imagesPerSecond: number;
  readonly crops: number;
  readonly privateTestLoss?: number;
  readonly privateTestAccuracy?: number;
}

/** The content of summary.json. */
export interface Summary {
  readonly adapter: string;
  readonly dataset: string;
  readonly model: ModelName;
  readonly fold: number | null;
  readonly folds: FoldKind | null;
  readonly parameters: number;
  readonly epochs: number;
  /** Whether all epochs were trained. */
  readonly complete: boolean;
  readonly steps: number;
  readonly seed: number;
  /** The checkpoint with the initial weights; null for random weights. */
  readonly init: string | null;
  readonly trainImages: number;
  readonly testImages: number;
  /** Of the last epoch, ten-crop; null for a stopped run. */
  readonly testAccuracy: number | null;
  readonly testLoss: number | null;
  readonly testAccuracyInterval: readonly [number, number] | null;
  /** The split on which the best epoch was selected; its accuracy there is optimistic. */
  readonly selectedOn: string;
  readonly bestTestAccuracy: number | null;
  /** By tests with `crops` views. */
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

/** Where a fold of a k-fold run is, and whether it is new, resumed, finished earlier, or trained by another process. */
export interface FoldEvent {
  readonly event: 'fold';
  readonly seed: number;
  readonly fold: number;
  /** Number of folds. */
  readonly of: number;
  readonly state: 'new' | 'resumed' | 'finished' | 'elsewhere';
}

/** An event of a running command. */
export type RunEvent =
  | { readonly event: 'reading'; readonly path: string; readonly share: number }
  /** Image files that were skipped as hidden files of an operating system. */
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
  /** How many tensors were initialized from a checkpoint, and which stay random. */
  | { readonly event: 'initialized'; readonly file: string; readonly taken: number; readonly left: readonly string[] }
  | { readonly event: 'tuning'; readonly done: number; readonly total: number }
  /** The loss is not finite, and the last steps are repeated to find the operation that caused it. */
  | { readonly event: 'searching'; readonly steps: number }
  | { readonly event: 'checking'; readonly done: number; readonly total: number }
  | { readonly event: 'compiling'; readonly done: number; readonly total: number }
  | { readonly event: 'evaluating'; readonly done: number; readonly total: number }
  | FoldEvent
  /** A video frame; `total` is null where the number of frames is unknown. */
  | { readonly event: 'frame'; readonly done: number; readonly total: number | null }
  | ({ readonly event: 'epoch' } & EpochMetrics)
  | { readonly event: 'checkpoint'; readonly path: string; readonly step: number }
  | { readonly event: 'end'; readonly out: string; readonly summary: Summary };
