// Training by a configuration, step by step: driven by the command in Node and by a worker in the browser.
import type { Layer } from '@mien/nn';
import { writeCheckpoint } from '@mien/nn/checkpoint';
import { type AnomalyError, LimitError, MienError, type Tensor, type TypedArray, ValueError } from '@mien/tensor';
import { currentDevice, expectOptions } from '@mien/tensor/internal';
import type { Split } from '../datasets/faces.ts';
import { type Evaluation, type EvaluationOptions, evaluateNetwork } from '../evaluation.ts';
import { batchThatFits } from '../memory.ts';
import { type ModelName, NETWORKS } from '../models/catalog.ts';
import { type Batch, type Batches, batches } from './batches.ts';
import { faultOf, learningRate, type TrainingConfig } from './config.ts';
import {
  type EpochProgress,
  type HostCheckpoint,
  type Note,
  type StepReport,
  type TrainingOptions,
  trainingOptions,
} from './options.ts';
import { countCorrect, TrainingStep } from './step.ts';

interface Sums {
  loss: number;
  correct: number;
  images: number;
  learningRate: number;
}

/** A step that the device may not have finished. */
interface Pending {
  readonly batch: Batch;
  readonly read: Promise<TypedArray>;
  readonly report: (values: TypedArray) => StepReport;
}

/** Steps that the device may be behind the host, so that neither waits for the other. */
const IN_FLIGHT = 2;

/**
 * One training run. `step()` encodes a step and does not wait for the device; reports follow a few steps later.
 * `checkpoint()` stores everything that `new Training(options, checkpoint)` needs to continue exactly, at any step.
 */
export class Training {
  readonly model: ModelName;
  readonly config: TrainingConfig;
  readonly classes: readonly string[];
  readonly seed: number;
  note: Note;
  readonly #options: TrainingOptions;
  readonly #from: HostCheckpoint | undefined;
  #hasCheckpoint = false;
  readonly #step: TrainingStep;
  readonly #loader: Batches;
  readonly #batchSize: number;
  #batches: AsyncGenerator<Batch, void, undefined> | null = null;
  #steps = 0;
  #sums: Sums = { loss: 0, correct: 0, images: 0, learningRate: 0 };
  readonly #pending: Pending[] = [];
  /** Why it cannot continue: a loss that is not finite, or a lack of memory. */
  #failure: MienError | null = null;
  /** Peak memory of network, state and steps. */
  readonly #memory = currentDevice().pool.watchPeak();

  /** Builds the network, or restores a checkpoint of the same network. Throws StateError where it does not fit. */
  constructor(options: TrainingOptions, from?: HostCheckpoint) {
    expectOptions('Training', options, trainingOptions);
    const { model, train, config, targets, seed = 1, note = {} } = options;
    const fault = faultOf(config);
    if (fault) throw new ValueError(`Training: config: ${fault}; make one with trainingConfig()`);
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new ValueError(`Training: seed must be an integer from 0, got ${seed}`);
    }
    this.model = model;
    this.config = config;
    this.classes = train.faces.classes;
    this.seed = seed;
    this.note = note;
    this.#options = options;
    this.#from = from;
    this.#batchSize = Math.min(config.batchSize, train.indices.length);
    this.#loader = batches({ train, config, batchSize: this.#batchSize, targets, seed });
    this.#step = new TrainingStep(options, this.#batchSize, from);
    if (from) this.#restore(from);
  }

  get network(): Layer {
    return this.#step.network;
  }

  /** The number of complete epochs, which is also the index of the current one. */
  get epoch(): number {
    return this.#loader.epoch;
  }

  /** Steps encoded so far, over all epochs. */
  get steps(): number {
    return this.#steps;
  }

  /** Steps per epoch. */
  get stepsPerEpoch(): number {
    return this.#loader.length;
  }

  /** Whether every step of the epoch is encoded, so that `finishEpoch` is next. */
  get atEpochEnd(): boolean {
    return this.#loader.state().batch === this.#loader.length;
  }

  /** Whether all epochs are complete. */
  get done(): boolean {
    return this.epoch >= this.config.epochs;
  }

  /**
   * Encodes one step of the epoch and returns the reports of finished steps. Throws ValueError, naming the operation and the
   * layer, for a loss that is not finite, and LimitError, naming a batch that fits, without memory.
   */
  async step(): Promise<StepReport[]> {
    if (this.#failure) throw this.#failure;
    if (this.done || this.atEpochEnd) {
      throw new ValueError('Training: the epoch has no steps left; call finishEpoch() first');
    }
    const batch = await this.#nextBatch();
    try {
      this.#encode(batch);
    } catch (reason) {
      throw reason instanceof LimitError ? this.#outOfMemory(reason) : reason;
    }
    const reports: StepReport[] = [];
    while (this.#pending.length > IN_FLIGHT) reports.push(await this.#settle());
    return reports;
  }

  /** Waits for all encoded steps and returns their reports. */
  async drain(): Promise<StepReport[]> {
    if (this.#failure) throw this.#failure;
    const reports: StepReport[] = [];
    while (this.#pending.length > 0) reports.push(await this.#settle());
    return reports;
  }

  /** Starts the next epoch and returns the training figures of this one. */
  async finishEpoch(): Promise<EpochProgress> {
    if (!this.atEpochEnd) throw new ValueError('Training: the epoch has steps left; call step() until atEpochEnd');
    await this.drain();
    await this.#batches?.return();
    this.#batches = null;
    this.#loader.nextEpoch();
    const progress = this.progress;
    this.#sums = { loss: 0, correct: 0, images: 0, learningRate: 0 };
    return progress;
  }

  /** The training figures of the epoch so far. */
  get progress(): EpochProgress {
    const { loss, correct, images, learningRate } = this.#sums;
    return { loss: loss / images, accuracy: correct / images, images, learningRate };
  }

  /** Evaluates on `split`, with averaged weights where the configuration has them. */
  async evaluate(split: Split, options: Omit<EvaluationOptions, 'input' | 'views'> = {}): Promise<Evaluation> {
    await this.drain();
    const { network, ema } = this.#step;
    const settings = { ...options, input: this.config.input, views: NETWORKS[this.model].views };
    const run = (): Promise<Evaluation> => evaluateNetwork(network, split, settings);
    return ema ? ema.applied(run) : run();
  }

  /** The bytes of a checkpoint of the current state. */
  async checkpoint(): Promise<Uint8Array<ArrayBuffer>> {
    await this.drain();
    const { loss, correct, images, learningRate } = this.#sums;
    const { network, optimizer, ema, noise } = this.#step;
    this.#hasCheckpoint = true;
    return writeCheckpoint({
      info: {
        model: this.model,
        classes: this.classes,
        input: { ...this.config.input },
        preset: JSON.parse(JSON.stringify(this.config)),
        epoch: this.epoch,
        step: this.#steps,
        seed: this.seed,
        generator: noise.state(),
        shuffle: this.#loader.state(),
        extra: { note: this.note, sums: { loss, correct, images, learningRate } },
      },
      model: network.stateDict(),
      optimizer: optimizer.stateDict(),
      ...(ema ? { ema: ema.stateDict() } : {}),
    });
  }

  /** Frees all device memory. */
  dispose(): void {
    this.#memory.stop();
    this.#step.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async #nextBatch(): Promise<Batch> {
    this.#batches ??= this.#loader[Symbol.asyncIterator]();
    const { value } = await this.#batches.next();
    return value as Batch;
  }

  /** Sets and returns the learning rate for the batch that the loader returned last. */
  #setLearningRate(): number {
    const inEpoch = this.#loader.state().batch - 1;
    const rate = learningRate(this.config, this.epoch, inEpoch, this.stepsPerEpoch);
    this.#step.learningRate = rate;
    return rate;
  }

  #encode(batch: Batch): void {
    const { epoch } = this;
    const { labels } = batch;
    const rate = this.#setLearningRate();
    const [images, classes] = [labels.length, this.classes.length];
    const result: Tensor = this.#step.encode(batch);
    const read = result.data();
    result.dispose();
    // A failure is thrown when its report is due; until then it must not count as unhandled.
    read.catch(() => {});
    const step = this.#steps++;
    const report = (values: TypedArray): StepReport => {
      const correct = countCorrect(values, labels, classes);
      return { step, epoch, loss: values[0] as number, correct, images, learningRate: rate };
    };
    this.#pending.push({ batch, report, read });
  }

  /** Waits for the oldest pending step. */
  async #settle(): Promise<StepReport> {
    const { batch, report, read } = this.#pending.shift() as Pending;
    let finished: StepReport;
    try {
      finished = report(await read);
    } catch (reason) {
      throw reason instanceof LimitError ? this.#outOfMemory(reason) : reason;
    }
    if (!Number.isFinite(finished.loss)) {
      const { loss, epoch, step, learningRate: rate } = finished;
      this.#failure = new ValueError(
        `training: the loss is ${loss} at epoch ${epoch}, step ${step}${await this.#causeOf(step, batch)}; lower the learning rate (now ${rate}) or check the data`,
      );
      throw this.#failure;
    }
    this.#sums.loss += finished.loss * finished.images;
    this.#sums.correct += finished.correct;
    this.#sums.images += finished.images;
    this.#sums.learningRate = finished.learningRate;
    return finished;
  }

  /** The cause of a loss that is not finite, as `: conv2d in layer ... is the first`; empty where it is not found. */
  async #causeOf(step: number, batch: Batch): Promise<string> {
    this.#step.releaseCapture();
    try {
      const { restart } = this.#options;
      const from = this.#hasCheckpoint && restart ? restart() : this.#from;
      const steps = step + 1 - (from?.info.step ?? 0);
      let anomaly: AnomalyError | null = null;
      // A search over more than an epoch would take as long as the run did.
      if (steps <= this.stepsPerEpoch + 1) {
        this.#options.onSearch?.(steps);
        using again = new Training(this.#options, from);
        anomaly = await again.#search(step);
      }
      // If the steps are clean, the current state itself is not finite.
      anomaly ??= await this.#watch(batch);
      return anomaly ? anomaly.message.replace(/^anomaly/, '') : '';
    } catch (reason) {
      if (reason instanceof MienError) return '';
      throw reason;
    }
  }

  /** Repeats the steps up to `step`, the last two under `detectAnomaly`: the update before the loss may be the cause. */
  async #search(step: number): Promise<AnomalyError | null> {
    while (this.#steps <= step) {
      if (this.atEpochEnd) await this.finishEpoch();
      if (this.#steps < step - 1) {
        await this.step();
        continue;
      }
      await this.drain();
      const anomaly = await this.#watch(await this.#nextBatch());
      if (anomaly) return anomaly;
      this.#steps++;
    }
    return null;
  }

  #watch(batch: Batch): Promise<AnomalyError | null> {
    this.#setLearningRate();
    return this.#step.watch(batch);
  }

  /** The error for a batch that does not fit. Frees memory that is only kept for reuse. */
  #outOfMemory(reason: LimitError): MienError {
    if (this.#failure) return this.#failure;
    this.#step.releaseCapture();
    const { microBatch } = this.config;
    const images = Math.min(microBatch ?? this.#batchSize, this.#batchSize);
    const fits = batchThatFits(images, reason.heldBytes, this.#memory.bytes);
    const remedy =
      fits === null ? 'choose a smaller network' : `use --micro-batch ${fits} or less (microBatch: ${fits} in code)`;
    this.#failure = new LimitError(
      `training: ${images} images at a time do not fit the memory of this adapter; ${remedy} (${reason.message.replace(/; use a smaller batch.*/, '')})`,
    );
    return this.#failure;
  }

  #restore({ info }: HostCheckpoint): void {
    this.#loader.loadState(info.shuffle);
    this.#steps = info.step;
    const extra = info.extra as { readonly note: Note; readonly sums: Sums } | undefined;
    if (!extra) return;
    this.note = extra.note;
    this.#sums = { ...extra.sums };
  }
}
