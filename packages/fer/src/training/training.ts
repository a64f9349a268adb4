// Training by a protocol, step by step: what Node's command and the browser's worker both drive.
import { crossEntropy, EMA, type HostTensor, type Layer, SGD, StateError } from '@mien/nn';
import { type Checkpoint, writeCheckpoint } from '@mien/nn/checkpoint';
import {
  AnomalyError,
  type Capture,
  capture,
  cat,
  detectAnomaly,
  Generator,
  LimitError,
  MienError,
  scope,
  type Tensor,
  type TypedArray,
  tensor,
  ValueError,
} from '@mien/tensor';
import { currentDevice } from '@mien/tensor/internal';
import type { Split } from '../datasets/faces.ts';
import { type Evaluation, type EvaluationOptions, evaluateNetwork } from '../evaluation.ts';
import { batchThatFits } from '../memory.ts';
import { createNetwork, viewsPerPass } from '../models/catalog.ts';
import { type Batch, type Batches, batches } from './batches.ts';
import { learningRate, type ModelName, type TrainingConfig } from './config.ts';
import { countCorrect, microBatches, parameterGroups } from './step.ts';

/** What is trained, on what, and how. */
export interface TrainingOptions {
  readonly model: ModelName;
  readonly train: Split;
  readonly protocol: TrainingConfig;
  /** What is learnt instead of the labels, probabilities of each class for every image of `train.faces`: [count, classes]. */
  readonly targets?: Float32Array;
  /** Weights that a new run starts from; what they do not name is random. */
  readonly init?: ReadonlyMap<string, HostTensor>;
  /** Decides weights, order, crops and dropout. Default 1. */
  readonly seed?: number;
  /** Stored in checkpoints as it is, and given back by `note` after a resume. */
  readonly note?: Note;
  /**
   * Reads what `checkpoint()` gave last, so that the search for a loss that is not finite begins there. Without it the search
   * begins where this training did.
   */
  readonly restart?: () => Checkpoint<ReadonlyMap<string, HostTensor>>;
  /** Told of the number of steps that are run again, once a loss is not finite. */
  readonly onSearch?: (steps: number) => void;
}

/** What a run adds to its checkpoints: which data, and the bests so far. */
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

/** What training saw in the epoch so far. */
export interface EpochProgress {
  readonly loss: number;
  /** A fraction, 0 to 1. */
  readonly accuracy: number;
  readonly images: number;
  readonly learningRate: number;
}

interface Sums {
  loss: number;
  correct: number;
  images: number;
  learningRate: number;
}

/** A step that the device may still be working on. */
interface Pending {
  readonly batch: Batch;
  readonly read: Promise<TypedArray>;
  readonly report: (values: TypedArray) => StepReport;
}

/** Steps that the device may be behind the host, so that neither waits for the other. */
const IN_FLIGHT = 2;

/**
 * One training run. `step()` encodes a step and does not wait for the device: reports come a few steps later.
 * `checkpoint()` holds everything that `new Training(options, checkpoint)` needs to go on exactly, at any step.
 */
export class Training {
  readonly model: ModelName;
  readonly protocol: TrainingConfig;
  readonly classes: readonly string[];
  readonly seed: number;
  readonly network: Layer;
  note: Note;
  readonly #options: TrainingOptions;
  readonly #from: Checkpoint<ReadonlyMap<string, HostTensor>> | undefined;
  #hasCheckpoint = false;
  readonly #optimizer: SGD;
  readonly #ema: EMA | null;
  readonly #noise: Generator;
  readonly #loader: Batches;
  readonly #batchSize: number;
  /** The step of a whole batch; an epoch's last, smaller batch is not worth the memory of another. */
  readonly #captured: Capture<readonly [Tensor, Tensor], Tensor>;
  #batches: AsyncGenerator<Batch, void, undefined> | null = null;
  #step = 0;
  #sums: Sums = { loss: 0, correct: 0, images: 0, learningRate: 0 };
  readonly #pending: Pending[] = [];
  /** Why it cannot continue: a loss that is not finite, or no memory. */
  #failure: MienError | null = null;

  /** What its network, state and steps wanted at most. */
  readonly #memory = currentDevice().pool.watchPeak();

  /** Builds the network, or takes all from a checkpoint of the same network. Throws StateError where it does not fit. */
  constructor(options: TrainingOptions, from?: Checkpoint<ReadonlyMap<string, HostTensor>>) {
    const { model, train, protocol, targets, init, seed = 1, note = {} } = options;
    const classes = train.faces.classes;
    if (!Number.isSafeInteger(seed) || seed < 0) throw new ValueError(`Training: seed ${seed}, expected an integer`);
    this.model = model;
    this.protocol = protocol;
    this.classes = classes;
    this.seed = seed;
    this.note = note;
    this.#options = options;
    this.#from = from;
    this.#noise = from ? Generator.from(from.info.generator) : new Generator(seed + 1);
    this.network = createNetwork(model, {
      classes: classes.length,
      channels: protocol.input.channels,
      generator: new Generator(seed),
      noise: this.#noise,
    });
    this.#optimizer = new SGD(parameterGroups(this.network, protocol), {
      lr: protocol.learningRate,
      momentum: protocol.momentum,
      nesterov: protocol.nesterov,
      weightDecay: protocol.weightDecay,
    });
    this.#batchSize = Math.min(protocol.batchSize, train.indices.length);
    this.#captured = capture((x, wanted) => this.#update(x, wanted));
    this.#loader = batches({ train, protocol, batchSize: this.#batchSize, targets, seed });
    if (from) this.network.loadStateDict(from.model);
    else if (init) this.network.loadStateDict(init, { strict: false });
    const updates = from?.info.step ?? 0;
    this.#ema = protocol.ema === null ? null : new EMA(this.network, { decay: protocol.ema, updates });
    if (from) this.#restore(from);
  }

  /** Epochs that are complete; also the number, from 0, of the one that training is in. */
  get epoch(): number {
    return this.#loader.epoch;
  }

  /** Steps encoded so far, over all epochs. */
  get steps(): number {
    return this.#step;
  }

  /** Steps of a whole epoch. */
  get stepsPerEpoch(): number {
    return this.#loader.length;
  }

  /** Whether every step of the epoch is encoded: `finishEpoch` comes next. */
  get atEpochEnd(): boolean {
    return this.#loader.state().batch === this.#loader.length;
  }

  /** Whether all epochs are complete. */
  get done(): boolean {
    return this.epoch >= this.protocol.epochs;
  }

  /**
   * Encodes one step of the epoch and gives the reports of steps that the device has finished. Throws ValueError, naming the
   * operation and the layer, once a loss is not finite, and LimitError, with a batch that fits, without memory.
   */
  async step(): Promise<StepReport[]> {
    if (this.#failure) throw this.#failure;
    if (this.done || this.atEpochEnd)
      throw new ValueError('Training: no step is left in this epoch; finishEpoch() first');
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

  /** Waits for all encoded steps and gives their reports. */
  async drain(): Promise<StepReport[]> {
    if (this.#failure) throw this.#failure;
    const reports: StepReport[] = [];
    while (this.#pending.length > 0) reports.push(await this.#settle());
    return reports;
  }

  /** Moves on to the next epoch and gives what training saw in this one. */
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

  /** What training saw of the epoch so far. */
  get progress(): EpochProgress {
    const { loss, correct, images, learningRate } = this.#sums;
    return { loss: loss / images, accuracy: correct / images, images, learningRate };
  }

  /** Evaluates on `split`, with the averaged weights where the protocol keeps them. */
  async evaluate(split: Split, options: Omit<EvaluationOptions, 'input' | 'views'> = {}): Promise<Evaluation> {
    await this.drain();
    const settings = { ...options, input: this.protocol.input, views: viewsPerPass(this.model) };
    const run = (): Promise<Evaluation> => evaluateNetwork(this.network, split, settings);
    return this.#ema ? this.#ema.applied(run) : run();
  }

  /** The bytes of a checkpoint of this moment. */
  async checkpoint(): Promise<Uint8Array<ArrayBuffer>> {
    await this.drain();
    const { loss, correct, images, learningRate } = this.#sums;
    this.#hasCheckpoint = true;
    return writeCheckpoint({
      info: {
        model: this.model,
        classes: this.classes,
        input: { ...this.protocol.input },
        preset: plain(this.protocol),
        epoch: this.epoch,
        step: this.#step,
        seed: this.seed,
        generator: this.#noise.state(),
        shuffle: this.#loader.state(),
        extra: { note: this.note, sums: { loss, correct, images, learningRate } },
      },
      model: this.network.stateDict(),
      optimizer: this.#optimizer.stateDict(),
      ...(this.#ema ? { ema: this.#ema.stateDict() } : {}),
    });
  }

  /** Gives back all device memory. */
  dispose(): void {
    this.#memory.stop();
    this.#captured.dispose();
    this.#optimizer.zeroGrad();
    this.#optimizer.dispose();
    this.#ema?.dispose();
    this.network.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  async #nextBatch(): Promise<Batch> {
    this.#batches ??= this.#loader[Symbol.asyncIterator]();
    const { value } = await this.#batches.next();
    return value as Batch;
  }

  /** Sets the learning rate of the batch that the loader gave last. */
  #setRate(): number {
    const { protocol } = this;
    const inEpoch = this.#loader.state().batch - 1;
    const rate = learningRate(protocol, this.epoch, inEpoch, this.stepsPerEpoch);
    this.#optimizer.lrFactor = rate / protocol.learningRate;
    return rate;
  }

  /** Images and targets of a batch on the device. */
  #upload({ x, labels, targets }: Batch): readonly [Tensor, Tensor] {
    const { channels, size } = this.protocol.input;
    const images = labels.length;
    const wanted = targets ? tensor(targets, { shape: [images, this.classes.length] }) : tensor(labels);
    return [tensor(x, { shape: [images, channels, size, size] }), wanted];
  }

  #encode(batch: Batch): void {
    const { epoch } = this;
    const { labels } = batch;
    const rate = this.#setRate();
    const [images, classes] = [labels.length, this.classes.length];
    const seen = scope(() => {
      const inputs = this.#upload(batch);
      return images === this.#batchSize ? this.#captured.run(...inputs) : this.#update(...inputs);
    });
    const read = seen.data();
    seen.dispose();
    // A failure is thrown when its turn comes; until then it is not an unhandled one.
    read.catch(() => {});
    const step = this.#step++;
    const report = (values: TypedArray): StepReport => {
      const correct = countCorrect(values, labels, classes);
      return { step, epoch, loss: values[0] as number, correct, images, learningRate: rate };
    };
    this.#pending.push({ batch, report, read });
  }

  /** One step on a batch, which nothing is read back from: loss and logits in one list. */
  #update(x: Tensor, wanted: Tensor): Tensor {
    const { labelSmoothing, microBatch, clip } = this.protocol;
    const images = wanted.shape[0] as number;
    const pieces = microBatches(images, microBatch).map(([start, end]) =>
      scope(() => {
        const whole = end - start === images;
        const logits = this.network.forward(whole ? x : x.slice(0, start, end));
        const mean = crossEntropy(logits, whole ? wanted : wanted.slice(0, start, end), { labelSmoothing });
        const loss = whole ? mean : mean.mul((end - start) / images);
        loss.backward();
        return { loss: loss.detach(), logits: logits.detach() };
      }),
    );
    this.#optimizer.step(clip);
    this.#optimizer.zeroGrad();
    this.#ema?.update();
    const loss = pieces.map((piece) => piece.loss).reduce((sum, each) => sum.add(each));
    return cat([loss.reshape([1]), ...pieces.map(({ logits }) => logits.reshape([logits.size]))], 0);
  }

  async #settle(): Promise<StepReport> {
    const { batch, report, read } = this.#pending.shift() as Pending;
    let found: StepReport;
    try {
      found = report(await read);
    } catch (reason) {
      throw reason instanceof LimitError ? this.#outOfMemory(reason) : reason;
    }
    if (!Number.isFinite(found.loss)) {
      const { loss, epoch, step, learningRate: rate } = found;
      this.#failure = new ValueError(
        `training: the loss is ${loss} at epoch ${epoch}, step ${step}${await this.#causeOf(step, batch)}; lower the learning rate (now ${rate}) or check the data`,
      );
      throw this.#failure;
    }
    this.#sums.loss += found.loss * found.images;
    this.#sums.correct += found.correct;
    this.#sums.images += found.images;
    this.#sums.learningRate = found.learningRate;
    return found;
  }

  /** What made the loss of `step` not finite, as `: conv2d in layer ... is the first`; empty where that cannot be found. */
  async #causeOf(step: number, batch: Batch): Promise<string> {
    this.#captured.dispose();
    try {
      const { restart } = this.#options;
      const from = this.#hasCheckpoint && restart ? restart() : this.#from;
      const steps = step + 1 - (from?.info.step ?? 0);
      let found: AnomalyError | null = null;
      // From further back than an epoch it takes as long as the run did.
      if (steps <= this.stepsPerEpoch + 1) {
        this.#options.onSearch?.(steps);
        using again = new Training(this.#options, from);
        found = await again.#searched(step);
      }
      // What the steps themselves do not explain is in the state that they ended with.
      found ??= await this.#watched(batch);
      return found ? found.message.replace(/^anomaly/, '') : '';
    } catch (reason) {
      if (reason instanceof MienError) return '';
      throw reason;
    }
  }

  /** Runs the steps up to `step`, and the last two under detectAnomaly: the update before the loss may be at fault. */
  async #searched(step: number): Promise<AnomalyError | null> {
    while (this.#step <= step) {
      if (this.atEpochEnd) await this.finishEpoch();
      if (this.#step < step - 1) {
        await this.step();
        continue;
      }
      await this.drain();
      const found = await this.#watched(await this.#nextBatch());
      if (found) return found;
      this.#step++;
    }
    return null;
  }

  /** One step under detectAnomaly, and what it found. */
  async #watched(batch: Batch): Promise<AnomalyError | null> {
    this.#setRate();
    try {
      await detectAnomaly(() => scope(() => void this.#update(...this.#upload(batch))));
      return null;
    } catch (reason) {
      if (reason instanceof AnomalyError) return reason;
      throw reason;
    }
  }

  /** The error for a batch that does not fit, after what is only kept for reuse was freed. */
  #outOfMemory(reason: LimitError): MienError {
    if (this.#failure) return this.#failure;
    this.#captured.dispose();
    const { microBatch } = this.protocol;
    const images = Math.min(microBatch ?? this.#batchSize, this.#batchSize);
    const fits = batchThatFits(images, reason.heldBytes, this.#memory.bytes);
    const remedy =
      fits === null ? 'choose a smaller network' : `use --micro-batch ${fits} or less (microBatch: ${fits} in code)`;
    this.#failure = new LimitError(
      `training: ${images} images at a time do not fit the memory of this adapter; ${remedy} (${reason.message.replace(/; use a smaller batch.*/, '')})`,
    );
    return this.#failure;
  }

  #restore({ info, optimizer, ema }: Checkpoint<ReadonlyMap<string, HostTensor>>): void {
    const learnt = this.protocol.momentum > 0 && info.step > 0 ? this.network.parameters().length : 0;
    if (optimizer && learnt > optimizer.size) {
      throw new StateError(
        `Training: the checkpoint holds the momentum of ${optimizer.size} of ${learnt} parameters; it was edited, or another program wrote it`,
      );
    }
    if (optimizer) this.#optimizer.loadStateDict(optimizer);
    if (this.#ema && ema) this.#ema.loadStateDict(ema);
    this.#loader.loadState(info.shuffle);
    this.#step = info.step;
    const extra = info.extra as { readonly note: Note; readonly sums: Sums } | undefined;
    if (!extra) return;
    this.note = extra.note;
    this.#sums = { ...extra.sums };
  }
}

/** A protocol as JSON holds it. */
function plain(protocol: TrainingConfig): { readonly [key: string]: never } {
  return JSON.parse(JSON.stringify(protocol));
}
