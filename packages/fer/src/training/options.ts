// What a training run is given, and what it reports.

import type { HostTensor } from '@mien/nn';
import type { Checkpoint } from '@mien/nn/checkpoint';
import { optionNames } from '@mien/tensor/internal';
import type { Split } from '../datasets/faces.ts';
import type { ModelName } from '../models/catalog.ts';
import type { TrainingConfig } from './config.ts';

/** A checkpoint with its tensors on the host. */
export type HostCheckpoint = Checkpoint<ReadonlyMap<string, HostTensor>>;

/** Options of `Training`. */
export interface TrainingOptions {
  readonly model: ModelName;
  readonly train: Split;
  readonly config: TrainingConfig;
  /** Targets instead of labels: probabilities for every image of `train.faces`, [count, classes]. */
  readonly targets?: Float32Array;
  /** Initial weights of a new run; tensors that are left out stay random. */
  readonly init?: ReadonlyMap<string, HostTensor>;
  /** Seed of weights, order, crops and dropout. Default 1. */
  readonly seed?: number;
  /** Stored in checkpoints unchanged; after a resume, `note` is the stored one. */
  readonly note?: Note;
  /**
   * Reads the last `checkpoint()`, from which the search for the cause of a loss that is not finite starts. Without it the
   * search starts where this training did.
   */
  readonly restart?: () => HostCheckpoint;
  /** Called with the number of steps that the search repeats. */
  readonly onSearch?: (steps: number) => void;
}

export const trainingOptions: readonly string[] = optionNames<TrainingOptions>({
  model: true,
  train: true,
  config: true,
  targets: true,
  init: true,
  seed: true,
  note: true,
  restart: true,
  onSearch: true,
});

/** Facts that a run adds to its checkpoints, such as its data and its best epoch. */
export interface Note {
  readonly [name: string]: null | number | string;
}

/** One finished step. */
export interface StepReport {
  /** From 0, over all epochs. */
  readonly step: number;
  readonly epoch: number;
  readonly loss: number;
  readonly correct: number;
  readonly images: number;
  readonly learningRate: number;
}

/** Training figures of the current epoch so far. */
export interface EpochProgress {
  readonly loss: number;
  /** A fraction. */
  readonly accuracy: number;
  readonly images: number;
  readonly learningRate: number;
}
