// One training step: the network, its optimizer and averages, and the update of all three by a batch.
import {
  BatchNorm2d,
  crossEntropy,
  EMA,
  type Layer,
  type ParamGroupOptions,
  SGD,
  type SGDOptions,
  StateError,
} from '@mien/nn';
import {
  AnomalyError,
  type Capture,
  capture,
  cat,
  detectAnomaly,
  Generator,
  scope,
  type Tensor,
  type TypedArray,
  tensor,
} from '@mien/tensor';
import { createNetwork } from '../models/catalog.ts';
import type { Batch } from './batches.ts';
import type { TrainingConfig } from './config.ts';
import type { HostCheckpoint, TrainingOptions } from './options.ts';

/** A network in training. */
export class TrainingStep {
  readonly network: Layer;
  readonly optimizer: SGD;
  readonly ema: EMA | null;
  /** Draws dropout. */
  readonly noise: Generator;
  readonly #config: TrainingConfig;
  readonly #classes: number;
  readonly #batchSize: number;
  /** The step of a full batch; the last, smaller batch of an epoch is not worth the memory of a second capture. */
  readonly #captured: Capture<readonly [Tensor, Tensor], Tensor>;

  /** A network with random or initial weights, or one restored from a checkpoint. Throws StateError where it does not fit. */
  constructor({ model, train, config, init, seed = 1 }: TrainingOptions, batchSize: number, from?: HostCheckpoint) {
    this.#config = config;
    this.#classes = train.faces.classes.length;
    this.#batchSize = batchSize;
    this.noise = from ? Generator.from(from.info.generator) : new Generator(seed + 1);
    this.network = createNetwork(model, {
      classes: this.#classes,
      channels: config.input.channels,
      generator: new Generator(seed),
      noise: this.noise,
    });
    this.optimizer = new SGD(parameterGroups(this.network, config), {
      lr: config.learningRate,
      momentum: config.momentum,
      nesterov: config.nesterov,
      weightDecay: config.weightDecay,
    });
    this.#captured = capture((x, targets) => this.#update(x, targets));
    if (from) this.network.loadStateDict(from.model);
    else if (init) this.network.loadStateDict(init, { strict: false });
    const updates = from?.info.step ?? 0;
    this.ema = config.ema === null ? null : new EMA(this.network, { decay: config.ema, updates });
    if (from) this.#restore(from);
  }

  set learningRate(rate: number) {
    this.optimizer.lrFactor = rate / this.#config.learningRate;
  }

  /** Encodes the step of a batch: loss and logits in one tensor, [1 + images * classes]. */
  encode(batch: Batch): Tensor {
    return scope(() => {
      const inputs = this.#upload(batch);
      return batch.labels.length === this.#batchSize ? this.#captured.run(...inputs) : this.#update(...inputs);
    });
  }

  /** Runs the step of a batch under `detectAnomaly`. Returns the anomaly, or null. */
  async watch(batch: Batch): Promise<AnomalyError | null> {
    try {
      await detectAnomaly(() => scope(() => void this.#update(...this.#upload(batch))));
      return null;
    } catch (reason) {
      if (reason instanceof AnomalyError) return reason;
      throw reason;
    }
  }

  /** Frees the memory of the captured step. */
  releaseCapture(): void {
    this.#captured.dispose();
  }

  /** Frees all device memory. */
  dispose(): void {
    this.#captured.dispose();
    this.optimizer.zeroGrad();
    this.optimizer.dispose();
    this.ema?.dispose();
    this.network.dispose();
  }

  /** Images and targets of a batch on the device. */
  #upload({ x, labels, targets }: Batch): readonly [Tensor, Tensor] {
    const { channels, size } = this.#config.input;
    const images = labels.length;
    const wanted = targets ? tensor(targets, { shape: [images, this.#classes] }) : tensor(labels);
    return [tensor(x, { shape: [images, channels, size, size] }), wanted];
  }

  /** Updates the weights by a batch, without any readback. */
  #update(x: Tensor, targets: Tensor): Tensor {
    const { labelSmoothing, microBatch, clip } = this.#config;
    const images = targets.shape[0] as number;
    const pieces = microBatches(images, microBatch).map(([start, end]) =>
      scope(() => {
        const isWhole = end - start === images;
        const logits = this.network.forward(isWhole ? x : x.slice(0, start, end));
        const mean = crossEntropy(logits, isWhole ? targets : targets.slice(0, start, end), { labelSmoothing });
        const loss = isWhole ? mean : mean.mul((end - start) / images);
        loss.backward();
        return { loss: loss.detach(), logits: logits.detach() };
      }),
    );
    this.optimizer.step(clip);
    this.optimizer.zeroGrad();
    this.ema?.update();
    const loss = pieces.map((piece) => piece.loss).reduce((sum, each) => sum.add(each));
    return cat([loss.reshape([1]), ...pieces.map(({ logits }) => logits.reshape([logits.size]))], 0);
  }

  #restore({ info, optimizer, ema }: HostCheckpoint): void {
    const expected = this.#config.momentum > 0 && info.step > 0 ? this.network.parameters().length : 0;
    if (optimizer && expected > optimizer.size) {
      throw new StateError(
        `Training: expected the momentum of ${expected} parameters, got ${optimizer.size}; the checkpoint was edited, or written by another program`,
      );
    }
    if (optimizer) this.optimizer.loadStateDict(optimizer);
    if (this.ema && ema) this.ema.loadStateDict(ema);
  }
}

/**
 * Start and end of the parts of a batch: at most `most` images each, of nearly equal sizes. BatchNorm cannot train on a
 * single image, so an odd batch in parts of two has one part of three.
 */
export function microBatches(
  images: number,
  most: number = images,
): readonly (readonly [start: number, end: number])[] {
  const count = Math.max(1, Math.min(Math.ceil(images / most), Math.floor(images / 2)));
  const at = (i: number): number => Math.round((i * images) / count);
  return Array.from({ length: count }, (_, i) => [at(i), at(i + 1)]);
}

/** The parameters; those of BatchNorm in a group of their own where they are not decayed. */
export function parameterGroups(net: Layer, { decayNorm }: TrainingConfig): ParamGroupOptions<SGDOptions>[] {
  const all = net.namedParameters();
  if (decayNorm) return [{ params: all }];
  const norms = net.namedModules().filter(([, module]) => module instanceof BatchNorm2d);
  const ofNorms = new Set(norms.flatMap(([, module]) => module.parameters()));
  return [
    { params: all.filter(([, parameter]) => !ofNorms.has(parameter)) },
    { params: all.filter(([, parameter]) => ofNorms.has(parameter)), weightDecay: 0 },
  ];
}

/** The number of rows of `values` (after the loss) whose maximum is at their label. */
export function countCorrect(values: TypedArray, labels: Int32Array, classes: number): number {
  let correct = 0;
  for (const [row, label] of labels.entries()) {
    let best = 0;
    for (let c = 1; c < classes; c++) {
      if ((values[1 + row * classes + c] as number) > (values[1 + row * classes + best] as number)) best = c;
    }
    if (best === label) correct++;
  }
  return correct;
}
