// The batches that training takes from a split: crops drawn at random, with what is to be learnt of them.
import { DataLoader, type Dataset } from '@mien/nn';
import { ValueError } from '@mien/tensor';
import type { Split } from '../datasets/faces.ts';
import { Cropper, type View } from '../transforms.ts';
import type { TrainingConfig } from './config.ts';

/** Some images of a split, cut and normalized. */
export interface Batch {
  /** [images, channels, size, size]. */
  readonly x: Float32Array<ArrayBuffer>;
  readonly labels: Int32Array<ArrayBuffer>;
  /** Probabilities [images, classes], where labels are not what is learnt. */
  readonly targets: Float32Array<ArrayBuffer> | null;
}

/** Hands out batches, epoch after epoch. */
export type Batches = DataLoader<View, Batch>;

/** What batches are made of. */
export interface BatchesOptions {
  readonly train: Split;
  readonly protocol: TrainingConfig;
  /** Images of all batches but an epoch's last. */
  readonly batchSize: number;
  /** As of `TrainingOptions`. */
  readonly targets?: Float32Array | undefined;
  readonly seed: number;
}

/** The batches of `train` by `protocol`. Throws ValueError unless there are targets for every image, or none. */
export function batches({ train, protocol, batchSize, targets, seed }: BatchesOptions): Batches {
  const { faces } = train;
  const classes = faces.classes.length;
  if (targets && targets.length !== faces.labels.length * classes) {
    throw new ValueError(
      `Training: ${targets.length} targets, expected ${classes} for each of ${faces.labels.length} images`,
    );
  }
  const cropper = new Cropper(protocol.input);
  return new DataLoader<View, Batch>(views(train, cropper, protocol), {
    batchSize,
    shuffle: true,
    // BatchNorm cannot train on a single image.
    dropLast: train.indices.length % protocol.batchSize === 1,
    seed,
    collateFn: (batch) => ({
      x: cropper.cut(faces.images, batch),
      labels: Int32Array.from(batch, ({ index }) => faces.labels[index] as number),
      targets: targets ? rows(targets, batch, classes) : null,
    }),
  });
}

/** The images of a split, each as a crop drawn by its own generator. */
function views({ indices }: Split, cropper: Cropper, { augmentation }: TrainingConfig): Dataset<View> {
  return {
    length: indices.length,
    get: (i, generator) => cropper.draw(indices[i] as number, generator, augmentation),
  };
}

/** The rows of `table` that belong to the images of `batch`, `width` numbers each. */
function rows(table: Float32Array, batch: readonly View[], width: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(batch.length * width);
  for (const [i, { index }] of batch.entries()) out.set(table.subarray(index * width, (index + 1) * width), i * width);
  return out;
}
