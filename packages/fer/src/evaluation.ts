// Evaluation of a network on a split: mean logits of one or ten crops per image, then loss and confusion matrix.

import type { Layer } from '@mien/nn';
import { noGrad, scope, tensor, ValueError } from '@mien/tensor';
import { expectOptions, optionNames } from '@mien/tensor/internal';
import { meanCrossEntropy, type Scored } from './calibration.ts';
import type { Split } from './datasets/faces.ts';
import { ConfusionMatrix } from './metrics.ts';
import { Cropper, type InputForm, type View } from './transforms.ts';

/** Logits [images, classes] in the order of the split, and their metrics. */
export interface Score {
  readonly logits: Float64Array;
  /** Mean cross-entropy, without label smoothing. */
  readonly loss: number;
  /** 0 to 1. */
  readonly accuracy: number;
  readonly matrix: ConfusionMatrix;
}

/** The score of the logits averaged over an image's crops, and that of the center crop alone. */
export interface Evaluation extends Score {
  readonly center: Score;
}

/** Index of the center crop in TenCrop. */
const CENTER = 4;

/** Options of evaluateNetwork. */
export interface EvaluationOptions {
  readonly input: InputForm;
  /** 10: TenCrop, as in the published figures; 1: the center crop. Default 10. */
  readonly crops?: 1 | 10;
  /** Maximum number of views per pass, which bounds the memory of activations. Default 130. */
  readonly views?: number;
  /** Called after each pass with the number of images done. */
  readonly onImages?: (done: number, total: number) => void;
  /** Aborts the evaluation, which throws the signal's reason. */
  readonly signal?: AbortSignal;
}

const evaluationOptions = optionNames<EvaluationOptions>({
  input: true,
  crops: true,
  views: true,
  onImages: true,
  signal: true,
});

/**
 * Evaluates `net` on `split` in evaluation mode, in passes of bounded size; restores the network's mode. Throws ValueError
 * if a logit is not finite.
 */
export async function evaluateNetwork(net: Layer, split: Split, options: EvaluationOptions): Promise<Evaluation> {
  expectOptions('evaluateNetwork', options, evaluationOptions);
  const { input, crops = 10, views = 130, onImages, signal } = options;
  const { faces, indices } = split;
  const classes = faces.classes.length;
  const cropper = new Cropper(input);
  const logits = new Float64Array(indices.length * classes);
  const center = crops === 1 ? logits : new Float64Array(logits.length);
  const perPass = Math.max(1, Math.floor(views / crops));
  const wasTraining = net.training;
  net.eval();
  let done = 0;
  // While the device works on one pass, the host cuts the views of the next.
  let pending: Promise<void> | null = null;
  const store = async (read: Promise<ArrayLike<number>>, images: Int32Array): Promise<void> => {
    const values = await read;
    for (const [i, image] of images.entries()) {
      const mean = meanLogits(values, i * crops, crops, classes);
      if (!mean.every(Number.isFinite))
        throw new ValueError(`evaluate: expected finite logits, got ${mean} for image ${image}; retrain the network`);
      logits.set(mean, (done + i) * classes);
      if (crops > 1) center.set(meanLogits(values, i * crops + CENTER, 1, classes), (done + i) * classes);
    }
    done += images.length;
    onImages?.(done, indices.length);
  };
  try {
    for (let start = 0; start < indices.length; start += perPass) {
      signal?.throwIfAborted();
      const images = indices.subarray(start, start + perPass);
      const passViews = Array.from(images, (i) => (crops === 1 ? [cropper.center(i)] : cropper.ten(i))).flat();
      const read = logitsOf(net, cropper, faces.images, passViews);
      // Both promises are awaited later; without these handlers a rejection would count as unhandled until then.
      read.catch(() => {});
      await pending;
      pending = store(read, images);
      pending.catch(() => {});
    }
    await pending;
  } finally {
    net.train(wasTraining);
  }
  const score = scoreOf(logits, split);
  return { ...score, center: crops === 1 ? score : scoreOf(center, split) };
}

function scoreOf(logits: Float64Array, split: Split): Score {
  const scored = { logits, labels: labelsOf(split), classes: split.faces.classes.length };
  const matrix = matrixOf(scored, split.faces.classes);
  return { logits, loss: meanCrossEntropy(scored), accuracy: matrix.accuracy, matrix };
}

/** The labels of a split's images, in its order. */
export function labelsOf({ faces, indices }: Split): Int32Array {
  return Int32Array.from(indices, (i) => faces.labels[i] as number);
}

/** The confusion matrix of the classes with the largest logits. */
export function matrixOf({ logits, labels }: Scored, classes: readonly string[]): ConfusionMatrix {
  const matrix = new ConfusionMatrix(classes);
  for (let i = 0; i < labels.length; i++) {
    const row = logits.subarray(i * classes.length, (i + 1) * classes.length);
    matrix.add(labels[i] as number, row.indexOf(Math.max(...row)));
  }
  return matrix;
}

/** The logits [views, classes] of `net` for views of `images`. */
export function logitsOf(
  net: Layer,
  cropper: Cropper,
  images: Uint8Array,
  views: readonly View[],
): Promise<ArrayLike<number>> {
  const { channels, size } = cropper.form;
  const cut = cropper.cut(images, views);
  const shape = [views.length, channels, size, size];
  const logits = scope(() => noGrad(() => net.forward(tensor(cut, { shape }))));
  const read = logits.data();
  logits.dispose();
  return read;
}

/** The mean of `count` rows of logits, starting at row `first`. */
export function meanLogits(logits: ArrayLike<number>, first: number, count: number, classes: number): number[] {
  return Array.from({ length: classes }, (_, c) => {
    let sum = 0;
    for (let row = first; row < first + count; row++) sum += logits[row * classes + c] as number;
    return sum / count;
  });
}
