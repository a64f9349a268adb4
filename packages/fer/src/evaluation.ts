// How a network does on a split: logits of one or ten views of each image, averaged, then loss and confusions.
import type { Layer } from '@mien/nn';
import { noGrad, scope, tensor, ValueError } from '@mien/tensor';
import { meanCrossEntropy, type Scored } from './calibration.ts';
import type { Split } from './datasets/faces.ts';
import { ConfusionMatrix } from './metrics.ts';
import { Cropper, type InputForm, type View } from './transforms.ts';

/** How logits, [images, classes] in the order of the split, fit its labels. */
export interface Score {
  readonly logits: Float64Array;
  /** Mean cross-entropy, without label smoothing. */
  readonly loss: number;
  /** A fraction, 0 to 1. */
  readonly accuracy: number;
  readonly matrix: ConfusionMatrix;
}

/** What an evaluation found: of the logits averaged over an image's views, and of the center crop's alone. */
export interface Evaluation extends Score {
  readonly center: Score;
}

/** The center crop's place among the views of TenCrop. */
const CENTER = 4;

/** How an evaluation is made. */
export interface EvaluationOptions {
  readonly input: InputForm;
  /** 10: TenCrop, as the published figures; 1: the center crop. Default 10. */
  readonly crops?: 1 | 10;
  /** Views in one pass: bounds the memory that activations take. Default 130. */
  readonly views?: number;
  /** Hears how many images are done. */
  readonly onImages?: (done: number, total: number) => void;
  /** Ends the evaluation early by throwing the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Evaluates `net` on `split` with dropout off and running statistics in use, and leaves its mode as it was. Works in
 * passes of bounded size whatever the split's. Throws ValueError where a logit is not finite.
 */
export async function evaluateNetwork(net: Layer, split: Split, options: EvaluationOptions): Promise<Evaluation> {
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
  let ahead: Promise<void> | null = null;
  const settle = async (read: Promise<ArrayLike<number>>, part: Int32Array): Promise<void> => {
    const values = await read;
    for (const [i, image] of part.entries()) {
      const mean = meanLogits(values, i * crops, crops, classes);
      if (!mean.every(Number.isFinite)) throw new ValueError(`evaluate: the network gives ${mean} for image ${image}`);
      logits.set(mean, (done + i) * classes);
      if (crops > 1) center.set(meanLogits(values, i * crops + CENTER, 1, classes), (done + i) * classes);
    }
    done += part.length;
    onImages?.(done, indices.length);
  };
  try {
    for (let start = 0; start < indices.length; start += perPass) {
      signal?.throwIfAborted();
      const part = indices.subarray(start, start + perPass);
      const wanted = Array.from(part, (i) => (crops === 1 ? [cropper.center(i)] : cropper.ten(i))).flat();
      const read = logitsOf(net, cropper, faces.images, wanted);
      // A failure is thrown when its turn comes; until then it is not an unhandled one.
      read.catch(() => {});
      await ahead;
      ahead = settle(read, part);
      ahead.catch(() => {});
    }
    await ahead;
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

/** What the largest logits of rows say against their labels. */
export function matrixOf({ logits, labels }: Scored, classes: readonly string[]): ConfusionMatrix {
  const matrix = new ConfusionMatrix(classes);
  for (let i = 0; i < labels.length; i++) {
    const row = logits.subarray(i * classes.length, (i + 1) * classes.length);
    matrix.add(labels[i] as number, row.indexOf(Math.max(...row)));
  }
  return matrix;
}

/** The logits that `net` gives of views of `images`, cut on the host: [views, classes]. */
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

/** The mean of `count` rows of logits from row `first` on. */
export function meanLogits(logits: ArrayLike<number>, first: number, count: number, classes: number): number[] {
  return Array.from({ length: classes }, (_, c) => {
    let sum = 0;
    for (let row = first; row < first + count; row++) sum += logits[row * classes + c] as number;
    return sum / count;
  });
}
