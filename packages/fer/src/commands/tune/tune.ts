// Tunes what a training step does for this adapter (Node only): the ways of its operations, timed on random images.
import { init, type TuneResult, tune } from '@mien/tensor';
import { noise } from '../../runs/noise.ts';
import { type ModelName, type TrainingConfig, trainingConfig } from '../../training/config.ts';
import { Training } from '../../training/training.ts';

/** What `tuneTraining` is told. */
export interface TuneTrainingOptions {
  readonly model: ModelName;
  /** Images of a step. Default: the model's protocol on FER2013. */
  readonly batchSize?: number;
  readonly adapter?: string;
  /** Ends tuning after the shape that is being timed; what was found so far is kept. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** What a training step does, and how it is done fastest. */
export interface TuneReport {
  readonly adapter: string;
  readonly model: ModelName;
  readonly batchSize: number;
  /** Seconds that tuning took. */
  readonly seconds: number;
  /** Of all operations of a step that have several ways: what the fixed choices take over what the tuned ones take. */
  readonly ratio: number;
  readonly results: readonly TuneResult[];
}

/** Times the ways of the operations of a model's training step that are not known for the adapter yet, and keeps the winners. */
export async function tuneTraining(options: TuneTrainingOptions): Promise<TuneReport> {
  const { model, signal, onProgress = () => {} } = options;
  const device = await init(options.adapter === undefined ? {} : { adapter: options.adapter });
  const of = trainingConfig(model, 'fer2013', options.batchSize === undefined ? {} : { batchSize: options.batchSize });
  const start = performance.now();
  const results = await tuneStep(model, of, { onProgress, ...(signal ? { signal } : {}) });
  const total = (of: (result: TuneResult) => number): number =>
    results.reduce((sum, result) => sum + result.calls * of(result), 0);
  return {
    adapter: device.facts.name,
    model,
    batchSize: of.batchSize,
    seconds: (performance.now() - start) / 1000,
    ratio: total(({ fixedSeconds }) => fixedSeconds) / total(({ seconds }) => seconds),
    results,
  };
}

/** Tunes one step by a protocol, of a network of its own that is thrown away. */
export async function tuneStep(
  model: ModelName,
  of: TrainingConfig,
  options: Pick<TuneTrainingOptions, 'signal' | 'onProgress'> & { readonly classes?: readonly string[] },
): Promise<TuneResult[]> {
  const { signal, onProgress = () => {}, classes } = options;
  const faces = noise(of.batchSize, classes);
  const train = { faces, indices: faces.splits.Training as Int32Array };
  using training = new Training({ model, train, protocol: of });
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
