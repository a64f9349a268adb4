// Reductions, softmax, losses, normalization and attention.
import {
  type BatchNormParameters,
  batchNorm,
  convBatchNorm2d,
  layerNorm,
  logSoftmax,
  noGrad,
  rmsNorm,
  scaledDotProductAttention,
  softmax,
  softmaxCrossEntropy,
  type Tensor,
} from '@mien/tensor';
import { near, toTensor } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { type Case, differentiable, distinct, forward, integers, sample } from './case.ts';

type Values = reference.Values;

/** Reductions of rows, of columns, in partial sums, and of all elements. */
function reductions(): Case[] {
  const wide = sample([2, 3, 70], 1);
  const tall = sample([90, 3, 4], 2);
  const long = sample([9000], 3, 0, 1);
  const spaced = distinct([7, 40], 4);
  const counts = integers([5, 66], 5, -50, 50);
  return [
    differentiable(
      'sum',
      (x) => x.sum(),
      (x) => reference.sum(x),
      long,
    ),
    differentiable(
      'sum',
      (x) => x.sum(2),
      (x) => reference.sum(x, 2),
      wide,
    ),
    differentiable(
      'sum',
      (x) => x.sum([0]),
      (x) => reference.sum(x, [0]),
      tall,
    ),
    differentiable(
      'sum',
      (x) => x.sum([0, 2], { keepDim: true }),
      (x) => reference.sum(x, [0, 2], { keepDim: true }),
      wide,
    ),
    forward(
      'sum',
      (x) => x.to('int32').sum(1).to('float32'),
      (x) => reference.sum(x, 1),
      counts,
    ),
    differentiable(
      'mean',
      (x) => x.mean(0),
      (x) => reference.mean(x, 0),
      tall,
    ),
    differentiable(
      'max',
      (x) => x.max(1),
      (x) => reference.max(x, 1),
      spaced,
    ),
    differentiable(
      'max',
      (x) => x.max(0),
      (x) => reference.max(x, 0),
      spaced,
    ),
    differentiable(
      'min',
      (x) => x.min(1),
      (x) => reference.min(x, 1),
      spaced,
    ),
    forward(
      'max',
      (x) => x.to('int32').max(1).to('float32'),
      (x) => reference.max(x, 1),
      counts,
    ),
    differentiable(
      'variance',
      (x) => x.variance(2),
      (x) => reference.variance(x, 2),
      wide,
    ),
    differentiable(
      'std',
      (x) => x.std(2),
      (x) => reference.std(x, 2),
      wide,
    ),
    forward(
      'argmax',
      (x) => x.argmax(1).to('float32'),
      (x) => reference.argmax(x, 1),
      spaced,
    ),
    forward(
      'argmin',
      (x) => x.argmin(0).to('float32'),
      (x) => reference.argmin(x, 0),
      spaced,
    ),
  ];
}

function losses(): Case[] {
  const logits = sample([12, 7], 11, -4, 4);
  const planes = sample([2, 5, 6], 12, -3, 3);
  const labels = integers([12], 13, 0, 7);
  const weight = sample([7], 14, 0.5, 2);
  const soft = reference.softmax(sample([12, 7], 15), 1);
  const one = reference.values([7], new Float64Array(7).fill(1));
  return [
    differentiable(
      'softmax',
      (x) => softmax(x, 1),
      (x) => reference.softmax(x, 1),
      planes,
    ),
    differentiable(
      'logSoftmax',
      (x) => logSoftmax(x, -1),
      (x) => reference.logSoftmax(x, 2),
      planes,
    ),
    differentiable(
      'softmaxCrossEntropy',
      (x) =>
        softmaxCrossEntropy(x, toTensor(labels, { dtype: 'int32' }), { weight: toTensor(weight), labelSmoothing: 0.1 }),
      (x) => reference.softmaxCrossEntropy(x, reference.oneHot(labels, 7), weight, 0.1),
      logits,
    ),
    differentiable(
      'softmaxCrossEntropy',
      (x) => softmaxCrossEntropy(x, toTensor(soft)),
      (x) => reference.softmaxCrossEntropy(x, soft, one, 0),
      logits,
    ),
  ];
}

const channels = 3;
/** More than one partial sum per channel, and a single one. */
const normShapes = [
  [4, channels, 6, 8],
  [5, channels, 3, 3],
] as const;

function normalization(): Case[] {
  const [mean, variance] = [sample([channels], 21), sample([channels], 22, 0.5, 2)];
  const weights = [sample([channels], 23, 0.5, 2), sample([channels], 24)] as const;
  const parameters = (weight: Tensor | null, bias: Tensor | null, training: boolean): BatchNormParameters => ({
    weight,
    bias,
    runningMean: toTensor(mean),
    runningVar: toTensor(variance),
    training,
  });
  const defined = (weight: Values | null, bias: Values | null, training: boolean): reference.BatchNorm => ({
    ...{ weight, bias, training },
    ...{ runningMean: mean, runningVar: variance },
  });
  const cases = normShapes.flatMap((shape, seed) => {
    const x = sample(shape, 30 + seed);
    return [true, false].map((training) =>
      differentiable(
        'batchNorm',
        (v, w, b) => batchNorm(v as Tensor, parameters(w as Tensor, b as Tensor, training)),
        (v, w, b) => reference.batchNorm(v as Values, defined(w as Values, b as Values, training)),
        ...[x, ...weights],
      ),
    );
  });
  return [...cases, ...ofSamples(), runningStatistics(), fusedConvolution()];
}

/** Normalization over the last dimension. */
function ofSamples(): Case[] {
  const [x, weight, bias] = [sample([37, 70], 61), sample([70], 62, 0.5, 2), sample([70], 63)];
  return [
    differentiable(
      'layerNorm',
      (v, w, b) => layerNorm(v as Tensor, 70, { weight: w as Tensor, bias: b as Tensor }),
      (v, w, b) => reference.layerNorm(v as Values, 70, { weight: w as Values, bias: b as Values }),
      ...[x, weight, bias],
    ),
    differentiable(
      'rmsNorm',
      (v, w) => rmsNorm(v as Tensor, 70, { weight: w as Tensor }),
      (v, w) => reference.rmsNorm(v as Values, 70, { weight: w as Values }),
      ...[x, weight],
    ),
  ];
}

/** The running statistics after batchNorm in training. */
function runningStatistics(): Case {
  const x = sample(normShapes[0], 41);
  const [mean, variance] = [sample([channels], 42), sample([channels], 43, 0.5, 2)];
  const defined = { weight: null, bias: null, runningMean: mean, runningVar: variance, training: true };
  return {
    operation: 'batchNorm',
    run: async () => {
      const [runningMean, runningVar] = [toTensor(mean), toTensor(variance)];
      batchNorm(toTensor(x), { weight: null, bias: null, runningMean, runningVar, training: true });
      const expected = reference.runningStatistics(x, defined);
      await near(runningMean, expected.mean);
      await near(runningVar, expected.variance);
    },
  };
}

/** A convolution whose epilogue normalizes, adds a residual and applies relu. */
function fusedConvolution(): Case {
  const [x, weight] = [sample([2, 4, 6, 6], 51), sample([channels, 4, 3, 3], 52, -0.5, 0.5)];
  const [mean, variance] = [sample([channels], 53), sample([channels], 54, 0.5, 2)];
  const residual = sample([2, channels, 6, 6], 55);
  const norm = { weight: null, bias: null, training: false, relu: true };
  return forward(
    'convBatchNorm2d',
    (v, w, r) => {
      const running = { runningMean: toTensor(mean), runningVar: toTensor(variance), residual: r as Tensor };
      return noGrad(() => convBatchNorm2d(v as Tensor, w as Tensor, null, { padding: 1 }, { ...norm, ...running }));
    },
    (v, w, r) =>
      reference.batchNorm(reference.conv2d(v as Values, w as Values, null, { padding: 1 }), {
        ...norm,
        ...{ runningMean: mean, runningVar: variance, residual: r as Values },
      }),
    ...[x, weight, residual],
  );
}

/** Attention of 9 queries to 11 keys, causal and with an added mask. */
function attention(): Case[] {
  const [query, key, value] = [sample([2, 9, 6], 71), sample([2, 11, 6], 72), sample([2, 11, 5], 73)];
  const mask = sample([9, 11], 74);
  return [true, false].map((isCausal) =>
    differentiable(
      'scaledDotProductAttention',
      (q, k, v) => {
        const options = isCausal ? { isCausal } : { attnMask: toTensor(mask) };
        return scaledDotProductAttention(q as Tensor, k as Tensor, v as Tensor, options);
      },
      (q, k, v) => {
        const options = isCausal ? { isCausal } : { mask, added: true };
        return reference.scaledDotProductAttention(q as Values, k as Values, v as Values, options);
      },
      ...[query, key, value],
    ),
  );
}

/** Reductions, softmax, losses, normalization and attention. */
export function sums(): Case[] {
  return [...reductions(), ...losses(), ...normalization(), ...attention()];
}
