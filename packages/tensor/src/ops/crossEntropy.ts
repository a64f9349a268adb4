// Softmax cross entropy in one pass over the logits, and its gradient in another: probabilities are not stored.

import forwardText from '@mien/shaders/crossEntropy/crossEntropy.wgsl';
import gradientText from '@mien/shaders/crossEntropy/crossEntropyGradient.wgsl';
import { expectNumber, expectOptions } from '../arguments.ts';
import { gradEnabled, record } from '../autograd.ts';
import { expectDtype, holds } from '../dtype.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { deviceOf } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import { scope } from '../runtime/scope.ts';
import { part, splitRows } from '../runtime/split.ts';
import { empty, type Tensor } from '../tensor.ts';
import { full } from './create.ts';
import { oneHot } from './gather.ts';
import { show, sizeOf } from './geometry.ts';
import { type ByLength, byLength, formFor } from './longSum.ts';
import { logSoftmax, softmax } from './softmax.ts';
import { where } from './where.ts';

/** Options of `softmaxCrossEntropy`. */
export interface SoftmaxCrossEntropyOptions {
  /** A weight for each class: [C]. */
  readonly weight?: Tensor;
  /** The part of each target that is spread evenly over the classes (Szegedy et al., 2016), 0 to 1. Default 0. */
  readonly labelSmoothing?: number;
  /** Samples with this label have a loss and a gradient of 0. Labels only. Default -100. */
  readonly ignoreIndex?: number;
}

const forms = (text: string): readonly (readonly ByLength[])[] =>
  [false, true].map((soft) => [false, true].map((weighted) => byLength(text, { SOFT: soft, WEIGHTED: weighted })));
const forward = forms(forwardText);
const gradient = forms(gradientText);
const nanBits = 0x7fc00000;

/** The options that are numbers. */
interface Settings {
  readonly smoothing: number;
  readonly ignoreIndex: number;
}

/** Logits [N, C, ...] with target and class weights. */
interface Inputs {
  readonly logits: Tensor;
  readonly target: Tensor;
  readonly weight: Tensor | null;
}

/**
 * -sum over c of target[c] weight[c] log softmax(logits)[c], with logits [N, C, ...] and target either class indices
 * [N, ...] (int32 or uint32) or probabilities of the logits' shape: [N, ...]. A label outside 0..C - 1 gives NaN, in the
 * gradient too, except `ignoreIndex`, which gives 0. Throws ShapeError where shapes do not match, ValueError for a
 * smoothing outside 0..1.
 */
export function softmaxCrossEntropy(logits: Tensor, target: Tensor, options: SoftmaxCrossEntropyOptions = {}): Tensor {
  expectOptions('softmaxCrossEntropy', options, ['weight', 'labelSmoothing', 'ignoreIndex']);
  const { weight = null, labelSmoothing = 0, ignoreIndex = -100 } = options;
  const settings = { smoothing: labelSmoothing, ignoreIndex };
  const inputs: Inputs = { logits, target, weight };
  check(inputs, settings);
  const y = empty([logits.shape[0] as number, ...logits.shape.slice(2)]);
  runOver(forward, inputs, settings, { y }, {});
  return record(
    'softmaxCrossEntropy',
    y,
    { logits, target, weight },
    {
      saves: { logits, target, weight },
      backward: (dy, saved, needs) => {
        // For higher orders the gradient is composed of differentiable operations.
        const slopes = needs.logits && (gradEnabled() ? composed : fused)(dy, saved, settings);
        if (!needs.target && !needs.weight) return { logits: slopes };
        const log = logSoftmax(saved.logits, 1);
        const loss = log.mul(dy.reshape(columnsOf(saved.logits))).neg();
        const others = [0, ...saved.logits.shape.slice(2).map((_, i) => i + 2)];
        return {
          logits: slopes,
          target: needs.target && weighed(loss, saved.weight).mul(1 - labelSmoothing),
          weight: needs.weight && loss.mul(smoothed(saved, settings)).sum(others),
        };
      },
    },
  );
}

function fused(dy: Tensor, inputs: Inputs, settings: Settings): Tensor {
  const dx = empty(inputs.logits.shape);
  runOver(gradient, inputs, settings, { dx }, { dy });
  return dx;
}

function composed(dy: Tensor, inputs: Inputs, settings: Settings): Tensor {
  return scope(() => {
    const { logits, weight } = inputs;
    const shares = weighed(smoothed(inputs, settings), weight);
    const slopes = softmax(logits, 1)
      .mul(shares.sum(1, { keepDim: true }))
      .sub(shares);
    return slopes.mul(dy.reshape(columnsOf(logits)));
  });
}

/** The target as smoothed probabilities: NaN for a label outside 0..C - 1, 0 for an ignored one. */
function smoothed({ logits, target }: Inputs, { smoothing, ignoreIndex }: Settings): Tensor {
  const classes = logits.shape[1] as number;
  const order = [0, logits.rank - 1, ...logits.shape.slice(2).map((_, i) => i + 1)];
  const hot = target.dtype === 'float32' ? target : labeled(target, classes).permute(order);
  const smooth = hot.mul(1 - smoothing).add(smoothing / classes);
  if (!ignores(target, ignoreIndex)) return smooth;
  return where(target.eq(ignoreIndex).reshape(columnsOf(logits)), 0, smooth);
}

/** Whether labels of the target's dtype can be `ignoreIndex`: unsigned integers are never negative. */
function ignores({ dtype }: Tensor, ignoreIndex: number): boolean {
  return dtype !== 'float32' && holds(dtype, ignoreIndex);
}

function labeled(labels: Tensor, classes: number): Tensor {
  const hot = oneHot(labels, classes).to('float32');
  return where(hot.sum(-1, { keepDim: true }).eq(1), hot, full([], Number.NaN));
}

function weighed(x: Tensor, weight: Tensor | null): Tensor {
  return weight ? x.mul(weight.reshape([weight.size, ...x.shape.slice(2).map(() => 1)])) : x;
}

/** [N, 1, ...] */
function columnsOf({ shape }: Tensor): readonly number[] {
  return shape.map((size, dim) => (dim === 1 ? 1 : size));
}

/** Runs a kernel over the columns of the logits, in parts that can be bound; `out` and `more` are its other bindings. */
function runOver(
  kernels: readonly (readonly ByLength[])[],
  { logits, target, weight }: Inputs,
  { smoothing, ignoreIndex }: Settings,
  out: Readonly<Record<string, Tensor>>,
  more: Readonly<Record<string, Tensor>>,
): void {
  const soft = target.dtype === 'float32';
  const [outer = 1, length = 1] = logits.shape;
  const form = formFor(kernels[Number(soft)]?.[Number(weight !== null)] as ByLength, length);
  const inner = sizeOf(logits.shape.slice(2));
  const rowBytes = (tensor: Tensor): number => tensor.bytes / outer;
  const tensors = { x: logits, labels: soft ? null : target, targets: soft ? target : null, ...out, ...more };
  const bytes = Object.values(tensors).flatMap((tensor) => (tensor ? [rowBytes(tensor)] : []));
  for (const { start, count } of splitRows('softmaxCrossEntropy', outer, bytes, deviceOf(logits).limits)) {
    const rows = Object.entries(tensors).map(([name, tensor]) => {
      return [name, tensor && part(tensor, start * rowBytes(tensor), count * rowBytes(tensor))];
    });
    const groups = Math.ceil((count * inner) / form.const('LANES'));
    const ignored = { ignores: Number(ignores(target, ignoreIndex)), ignoreIndex: ignoreIndex >>> 0 };
    const params = { outer: count, length, inner, smoothing, nan: nanBits, ...ignored };
    run(form, { ...Object.fromEntries(rows), weight }, params, groups);
  }
}

function check({ logits, target, weight }: Inputs, { smoothing, ignoreIndex }: Settings): void {
  const name = 'softmaxCrossEntropy';
  expectDtype(name, 'logits', logits, 'float32');
  expectDtype(name, 'target', target, 'int32', 'uint32', 'float32');
  const [n, classes, ...rest] = logits.shape;
  if (n === undefined || classes === undefined) {
    throw new ShapeError(`${name}: expected logits of shape [N, C, ...], got ${show(logits.shape)}`);
  }
  const expected = target.dtype === 'float32' ? logits.shape : [n, ...rest];
  if (show(target.shape) !== show(expected)) {
    throw new ShapeError(
      `${name}: expected target of shape ${show(expected)} for logits ${show(logits.shape)}, got ${target.dtype} ${show(target.shape)}`,
    );
  }
  if (weight) expectDtype(name, 'weight', weight, 'float32');
  if (weight && show(weight.shape) !== show([classes])) {
    throw new ShapeError(
      `${name}: expected weight of shape [${classes}], one value per class, got ${show(weight.shape)}`,
    );
  }
  if (!Number.isInteger(ignoreIndex)) {
    throw new ValueError(`${name}: ignoreIndex must be an integer, got ${ignoreIndex}; pass a label`);
  }
  expectNumber(name, 'labelSmoothing', smoothing, 0, 1);
}
