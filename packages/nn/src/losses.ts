// Losses, composed of operations; definitions and reductions are PyTorch's.
import { gather, noGrad, ShapeError, scope, softmaxCrossEntropy, type Tensor, ValueError, where } from '@mien/tensor';
import {
  expectBoolean,
  expectNumber,
  expectOneOf,
  expectOptions,
  expectTensor,
  optionNames,
} from '@mien/tensor/internal';

/** How losses of samples are reduced; with class weights, `mean` divides by the sum of the samples' weights. */
export type Reduction = 'mean' | 'sum' | 'none';

export interface LossOptions {
  /** Default `mean`. */
  readonly reduction?: Reduction;
}

export interface ClassLossOptions extends LossOptions {
  /** Weights of the classes: [C]. */
  readonly weight?: Tensor;
  /** Samples with this label have loss 0 and are left out of the mean, which is NaN without others. Default -100. */
  readonly ignoreIndex?: number;
}

export interface CrossEntropyOptions extends ClassLossOptions {
  /** The share of each target that is spread evenly over the classes (Szegedy et al., 2016). Default 0. */
  readonly labelSmoothing?: number;
}

const reductions: readonly string[] = ['mean', 'sum', 'none'];
const lossOptions = optionNames<LossOptions>({ reduction: true });
const classLossOptions = optionNames<ClassLossOptions>({ reduction: true, weight: true, ignoreIndex: true });
const crossEntropyOptions = [...classLossOptions, 'labelSmoothing'];

/**
 * -log softmax(logits)[target]: logits [N, C, ...], target either class indices [N, ...] (int32 or uint32) or
 * probabilities of the logits' shape. One element, or [N, ...] without reduction. A label outside 0..C - 1 other than
 * ignoreIndex gives NaN. Throws ShapeError, and ValueError for `ignoreIndex` with probabilities.
 */
export function crossEntropy(logits: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor {
  expectLoss('crossEntropy', { logits, target }, options, crossEntropyOptions);
  const { labelSmoothing = 0, weight, reduction = 'mean', ignoreIndex = -100 } = options;
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ValueError(`crossEntropy: labelSmoothing must be from 0 to 1, got ${labelSmoothing}`);
  }
  expectClasses('crossEntropy', logits, weight);
  const [n, , ...rest] = logits.shape as [number, number, ...number[]];
  const expected = target.dtype === 'float32' ? logits.shape : [n, ...rest];
  if (!sameShape(target.shape, expected)) {
    const { message } = mismatch('crossEntropy', logits, target, expected);
    const areLabels = target.dtype === 'float32' && sameShape(target.shape, [n, ...rest]);
    throw new ShapeError(areLabels ? `${message}; convert class indices with to('int32')` : message);
  }
  const soft = target.dtype === 'float32';
  if (soft && options.ignoreIndex !== undefined) {
    throw new ValueError(
      'crossEntropy: expected class indices with ignoreIndex, got probabilities; remove ignoreIndex',
    );
  }
  return scope(() => {
    const settings = { labelSmoothing, ignoreIndex, ...(weight ? { weight } : {}) };
    const samples = softmaxCrossEntropy(logits, target, settings);
    return soft || reduction !== 'mean' ? reduce(samples, reduction) : meanOf(samples, target, weight, ignoreIndex);
  });
}

/**
 * -logProbabilities[target]: [N, C, ...] with class indices [N, ...]. One element, or [N, ...] without reduction. A label
 * outside 0..C - 1 other than ignoreIndex gives NaN.
 */
export function nllLoss(logProbabilities: Tensor, target: Tensor, options: ClassLossOptions = {}): Tensor {
  expectLoss('nllLoss', { logProbabilities, target }, options, classLossOptions);
  const { weight, reduction = 'mean', ignoreIndex = -100 } = options;
  expectClasses('nllLoss', logProbabilities, weight);
  return scope(() => {
    const ignored = ignoredIn(target, ignoreIndex);
    const picked = pickedLoss('nllLoss', logProbabilities, target, weight && pick(weight, target));
    const samples = ignored ? where(ignored, 0, picked) : picked;
    return reduction === 'mean' ? meanOf(samples, target, weight, ignoreIndex) : reduce(samples, reduction);
  });
}

/** Throws ValueError unless the arguments of a loss are tensors and its options are among `names`. */
function expectLoss(
  name: string,
  tensors: Readonly<Record<string, Tensor>>,
  options: LossOptions,
  names: readonly string[],
): void {
  for (const [argument, tensor] of Object.entries(tensors)) expectTensor(name, argument, tensor);
  expectOptions(name, options, names);
  expectOneOf(name, 'reduction', options.reduction ?? 'mean', reductions);
}

/** Where labels equal `ignoreIndex`; null where none can, as unsigned integers are never negative. */
function ignoredIn(target: Tensor, ignoreIndex: number): Tensor | null {
  return target.dtype === 'uint32' && ignoreIndex < 0 ? null : target.eq(ignoreIndex);
}

/** The mean over samples that are not ignored, weighted by class. */
function meanOf(samples: Tensor, target: Tensor, weight: Tensor | undefined, ignoreIndex: number): Tensor {
  const ignored = ignoredIn(target, ignoreIndex);
  if (!ignored && !weight) return samples.mean();
  const counts = weight ? pick(weight, target) : target.ne(ignoreIndex).to('float32');
  const counted = weight && ignored ? where(ignored, 0, counts) : counts;
  return samples.sum().div(counted.sum());
}

/** (x - target)^2 of tensors of equal shapes. */
export function mseLoss(x: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  expectLoss('mseLoss', { x, target }, options, lossOptions);
  expectEqualShapes('mseLoss', x, target);
  return scope(() => reduce(x.sub(target).square(), options.reduction));
}

/** |x - target| of tensors of equal shapes; the derivative is 0 where they are equal. */
export function l1Loss(x: Tensor, target: Tensor, options: LossOptions = {}): Tensor {
  expectLoss('l1Loss', { x, target }, options, lossOptions);
  expectEqualShapes('l1Loss', x, target);
  return scope(() => reduce(x.sub(target).abs(), options.reduction));
}

/** Options of `smoothL1Loss`. */
export interface SmoothL1Options extends LossOptions {
  /** The distance from which the loss is linear; at 0 it is `l1Loss`. Default 1. */
  readonly beta?: number;
}

const smoothL1Options = optionNames<SmoothL1Options>({ reduction: true, beta: true });

/** d^2 / (2 beta) where d = |x - target| is under beta, else d - beta / 2, of tensors of equal shapes. Girshick (2015). */
export function smoothL1Loss(x: Tensor, target: Tensor, options: SmoothL1Options = {}): Tensor {
  expectLoss('smoothL1Loss', { x, target }, options, smoothL1Options);
  const { beta = 1, reduction } = options;
  expectNumber('smoothL1Loss', 'beta', beta, 0);
  expectEqualShapes('smoothL1Loss', x, target);
  return scope(() => reduce(beta === 0 ? x.sub(target).abs() : huber(x.sub(target), beta).div(beta), reduction));
}

/** Options of `huberLoss`. */
export interface HuberOptions extends LossOptions {
  /** The distance from which the loss is linear, over 0. Default 1. */
  readonly delta?: number;
}

const huberOptions = optionNames<HuberOptions>({ reduction: true, delta: true });

/** d^2 / 2 where d = |x - target| is under delta, else delta (d - delta / 2), of tensors of equal shapes. Huber (1964). */
export function huberLoss(x: Tensor, target: Tensor, options: HuberOptions = {}): Tensor {
  expectLoss('huberLoss', { x, target }, options, huberOptions);
  const { delta = 1, reduction } = options;
  expectNumber('huberLoss', 'delta', delta);
  if (!(delta > 0)) throw new ValueError(`huberLoss: delta must be over 0, got ${delta}`);
  expectEqualShapes('huberLoss', x, target);
  return scope(() => reduce(huber(x.sub(target), delta), reduction));
}

/** Huber's function of a difference. */
function huber(difference: Tensor, delta: number): Tensor {
  const distance = difference.abs();
  const near = distance.minimum(delta);
  return near.mul(distance.sub(near.mul(0.5)));
}

/** Options of `klDiv`. */
export interface KLDivOptions {
  /** `batchmean`, the sum divided by the size of the first dimension, is the divergence of the definition. Default `mean`. */
  readonly reduction?: Reduction | 'batchmean';
  /** Whether the target is log probabilities too. Default false. */
  readonly logTarget?: boolean;
}

const klDivOptions = optionNames<KLDivOptions>({ reduction: true, logTarget: true });

/**
 * target (log target - logProbabilities), the terms of the Kullback-Leibler divergence from the target, of tensors of equal shapes;
 * 0 where a target is 0.
 */
export function klDiv(logProbabilities: Tensor, target: Tensor, options: KLDivOptions = {}): Tensor {
  expectTensor('klDiv', 'logProbabilities', logProbabilities);
  expectTensor('klDiv', 'target', target);
  expectOptions('klDiv', options, klDivOptions);
  const { reduction = 'mean', logTarget = false } = options;
  expectOneOf('klDiv', 'reduction', reduction, [...reductions, 'batchmean']);
  expectBoolean('klDiv', 'logTarget', logTarget);
  expectEqualShapes('klDiv', logProbabilities, target);
  return scope(() => {
    const terms = logTarget
      ? target.exp().mul(target.sub(logProbabilities))
      : target.mul(where(target.eq(0), 1, target).log().sub(logProbabilities));
    return reduction === 'batchmean'
      ? terms.sum().div(terms.shape[0] ?? 1)
      : reduce(logTarget ? terms : where(target.eq(0), 0, terms), reduction);
  });
}

export interface BinaryLossOptions extends LossOptions {
  /** Weights of the elements; broadcast. */
  readonly weight?: Tensor;
  /** Weights of the positive targets; broadcast. */
  readonly posWeight?: Tensor;
}

const binaryLossOptions = optionNames<BinaryLossOptions>({ reduction: true, weight: true, posWeight: true });

/** -(target log sigmoid(logits) + (1 - target) log(1 - sigmoid(logits))); targets in 0..1, of the logits' shape. */
export function binaryCrossEntropyWithLogits(logits: Tensor, target: Tensor, options: BinaryLossOptions = {}): Tensor {
  expectLoss('binaryCrossEntropyWithLogits', { logits, target }, options, binaryLossOptions);
  expectEqualShapes('binaryCrossEntropyWithLogits', logits, target);
  const { weight, posWeight } = options;
  return scope(() => {
    // log(1 + exp(-x)) shifted by m = max(-x, 0) against overflow; m needs no gradient, as the value does not depend on it.
    const m = noGrad(() => logits.neg().relu());
    const softplus = m.neg().exp().add(logits.neg().sub(m).exp()).log().add(m);
    const scaled = posWeight ? softplus.mul(posWeight.sub(1).mul(target).add(1)) : softplus;
    const losses = logits.mul(target.neg().add(1)).add(scaled);
    return reduce(weight ? losses.mul(weight) : losses, options.reduction);
  });
}

/** -log[target], times weights of the samples: [N, ...]. */
function pickedLoss(name: string, log: Tensor, target: Tensor, weights: Tensor | undefined): Tensor {
  const [n, , ...rest] = log.shape as [number, number, ...number[]];
  if (!sameShape(target.shape, [n, ...rest])) throw mismatch(name, log, target, [n, ...rest]);
  const picked = gather(log, 1, target.reshape([n, 1, ...rest]))
    .reshape(target.shape)
    .neg();
  return weights ? picked.mul(weights) : picked;
}

/** weight[target], of target's shape. */
function pick(weight: Tensor, target: Tensor): Tensor {
  return gather(weight, 0, target.reshape([target.size])).reshape(target.shape);
}

function reduce(samples: Tensor, reduction: Reduction = 'mean'): Tensor {
  if (reduction === 'none') return samples;
  return reduction === 'sum' ? samples.sum() : samples.mean();
}

/** Throws ShapeError for x without a class dimension, and for other than one weight per class. */
function expectClasses(name: string, x: Tensor, weight: Tensor | undefined): void {
  const classes = x.shape[1];
  if (classes === undefined) throw new ShapeError(`${name}: expected [N, C, ...], got [${x.shape.join(', ')}]`);
  if (weight && !sameShape(weight.shape, [classes])) {
    throw new ShapeError(`${name}: expected weight [${classes}], one per class, got [${weight.shape.join(', ')}]`);
  }
}

/** Throws ShapeError for other than one target per value. */
function expectEqualShapes(name: string, x: Tensor, target: Tensor): void {
  if (!sameShape(x.shape, target.shape)) throw mismatch(name, x, target, x.shape);
}

function mismatch(name: string, x: Tensor, target: Tensor, expected: readonly number[]): ShapeError {
  const [first, second, third] = [x.shape, expected, target.shape].map((shape) => `[${shape.join(', ')}]`);
  return new ShapeError(`${name}: expected target ${second} for ${first}, got ${target.dtype} ${third}`);
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}
