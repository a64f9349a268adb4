// Tunes the operations of one training step (Node only).
import { type TuneResult, tune } from '@mien/tensor';
import type { ModelName } from '../models/catalog.ts';
import type { TrainingConfig } from '../training/config.ts';
import { Training } from '../training/training.ts';
import { noise } from './noise.ts';

/** Options of `tuneStep`. */
export interface TuneStepOptions {
  /** Default: FER2013's. */
  readonly classes?: readonly string[];
  /** Stops after the shape that is being timed; earlier results are stored. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Tunes one training step of a temporary network on random images. */
export async function tuneStep(
  model: ModelName,
  config: TrainingConfig,
  options: TuneStepOptions = {},
): Promise<TuneResult[]> {
  const { signal, onProgress = () => {}, classes } = options;
  const faces = noise(config.batchSize, classes);
  const train = { faces, indices: faces.splits.Training as Int32Array };
  using training = new Training({ model, train, config });
  return await tune(
    async () => {
      await training.step();
      await training.drain();
    },
    {
      onProgress: (done, total) => {
        onProgress(done, total);
        signal?.throwIfAborted();
      },
    },
  );
}
