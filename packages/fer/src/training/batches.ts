// The batches of a training split: random crops with their labels or targets.
import { DataLoader, type Dataset } from '@mien/nn';
import { ValueError } from '@mien/tensor';
import type { Split } from '../datasets/faces.ts';
import { Cropper, type View } from '../transforms.ts';
import type { TrainingConfig } from './config.ts';

/** A batch of cropped and normalized images. */
export interface Batch {
  /** [images, channels, size, size]. */
  readonly x: Float32Array<ArrayBuffer>;
  readonly labels: Int32Array<ArrayBuffer>;
  /** Probabilities [images, classes]; null where the labels are the targets. */
  readonly targets: Float32Array<ArrayBuffer> | null;
}

/** The loader of batches. */
export type Batches = DataLoader<View, Batch>;

/** Options of `batches`. */
export interface BatchesOptions {
  readonly train: Split;
  readonly config: TrainingConfig;
  /** Images per batch; the last of an epoch may have fewer. */
  readonly batchSize: number;
  /** As in `TrainingOptions`. */
  readonly targets?: Float32Array | undefined;
  readonly seed: number;
}

/** The loader of `train`. Throws ValueError unless there are targets for every image, or none. */
export function batches({ train, config, batchSize, targets, seed }: BatchesOptions): Batches {
  const { faces } = train;
  const classes = faces.classes.length;
  if (targets && targets.length !== faces.labels.length * classes) {
    throw new ValueError(
      `Training: expected ${classes} targets for each of ${faces.labels.length} images, got ${targets.length} in total`,
    );
  }
  const cropper = new Cropper(config.input);
  return new DataLoader<View, Batch>(views(train, cropper, config), {
    batchSize,
    shuffle: true,
    // BatchNorm cannot train on a single image.
    dropLast: train.indices.length % config.batchSize === 1,
    seed,
    collate: (batch) => ({
      x: cropper.cut(faces.images, batch),
      labels: Int32Array.from(batch, ({ index }) => faces.labels[index] as number),
      targets: targets ? rows(targets, batch, classes) : null,
    }),
  });
}

/** The images of a split as random crops, each drawn by its own generator. */
function views({ indices }: Split, cropper: Cropper, { augmentation }: TrainingConfig): Dataset<View> {
  return {
    length: indices.length,
    get: (i, generator) => cropper.draw(indices[i] as number, generator, augmentation),
  };
}

/** The rows of `table` [images, width] for the images of a batch. */
function rows(table: Float32Array, batch: readonly View[], width: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(batch.length * width);
  for (const [i, { index }] of batch.entries()) out.set(table.subarray(index * width, (index + 1) * width), i * width);
  return out;
}
