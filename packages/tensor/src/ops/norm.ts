// Batch normalization. Ioffe and Szegedy (2015). Every pass reads and writes each value once and applies a residual and ReLU.
// Later operations may drop the result and recompute it (Chen et al., 2016): see `recompute`.

import channelMoments from '@mien/shaders/norm/channelMoments.wgsl';
import channelSums from '@mien/shaders/norm/channelSums.wgsl';
import joinMoments from '@mien/shaders/norm/joinMoments.wgsl';
import joinSums from '@mien/shaders/norm/joinSums.wgsl';
import normalizeText from '@mien/shaders/norm/normalize.wgsl';
import normalizeGradient from '@mien/shaders/norm/normalizeGradient.wgsl';
import useRunning from '@mien/shaders/norm/useRunning.wgsl';
import { expectBoolean, expectNumber, expectOptions } from '../arguments.ts';
import { gradEnabled, recomputing, record } from '../autograd.ts';
import { expectDtype } from '../dtype.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import { deviceOf, type Memory } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import { scope } from '../runtime/scope.ts';
import { part, type Span, splitRows } from '../runtime/split.ts';
import type { KernelValues, Params } from '../runtime/wgsl.ts';
import { empty, type Tensor } from '../tensor.ts';
import { reluGradient } from './binary.ts';
import { full } from './create.ts';
import type { BatchNormParameters } from './epilogue.ts';
import { show, sizeOf } from './geometry.ts';

/** A kernel for planes of any size, and one for planes whose size is a multiple of 4. */
interface ByPlane {
  readonly any: Kernel;
  readonly aligned: Kernel;
}

const byPlane = (text: string, values: KernelValues = {}): ByPlane => ({
  any: kernel(text, values),
  aligned: kernel(text, { ...values, ALIGNED: true }),
});

/** Workgroups of 64 lanes, and of 8 for adapters with narrow subgroups: 2 to 5x on lavapipe. */
const summing = (text: string, values: KernelValues = {}): { wide: ByPlane; narrow: ByPlane } => ({
  wide: byPlane(text, values),
  narrow: byPlane(text, { ...values, LANES: 8 }),
});

const moments = summing(channelMoments);
const gradientSums = { plain: summing(channelSums), relu: summing(channelSums, { RELU: true }) };
const normalize = {
  plain: byPlane(normalizeText),
  relu: byPlane(normalizeText, { RELU: true }),
  residual: byPlane(normalizeText, { RESIDUAL: true }),
  residualRelu: byPlane(normalizeText, { RESIDUAL: true, RELU: true }),
};
const applyGradient = { plain: byPlane(normalizeGradient), relu: byPlane(normalizeGradient, { RELU: true }) };
const join = kernel(joinMoments);
const joinUntracked = kernel(joinMoments, { TRACKED: false });
const joinGradients = kernel(joinSums);
const running = { alone: kernel(useRunning), after: kernel(useRunning, { AFTER: true }) };

const defaultEps = 1e-5;

/** Vec4 per part; each part is summed by one workgroup. */
const partLength = 2048;

/** The names of BatchNormParameters. */
export const batchNormOptions: readonly string[] = [
  'weight',
  'bias',
  'runningMean',
  'runningVar',
  'training',
  'momentum',
  'eps',
  'residual',
  'relu',
];

/**
 * Normalizes x [N, C, ...] by channel to (x - mean) / sqrt(variance + eps) * weight + bias, with the biased variance of the
 * batch or with the running statistics; then adds `residual` and applies `relu`, if given. Without a residual the graph saves
 * only x and recomputes the result where a gradient needs it. Throws ShapeError for parameters without C values and a residual
 * of another shape than x, ValueError in training with one value per channel.
 */
export function batchNorm(x: Tensor, parameters: BatchNormParameters): Tensor {
  checkBatchNorm(x, parameters);
  return scope(() => {
    const { training, residual = null, relu = false } = parameters;
    const planes = planesOf(x);
    const affine = affineOf(planes.channels, parameters);
    const { weight, bias } = affine;
    const statistics = training
      ? ofBatch(x, planes, affine, parameters)
      : ofRunning(planes.channels, { ...parameters, ...affine }, null);
    const y = normalized(x, planes, statistics, residual, relu);
    const fromBatch = training ? 1 / (planes.images * planes.inner) : 0;
    return record(
      'batchNorm',
      y,
      { x, weight, bias, residual },
      {
        // With a residual, only the result shows where relu is 0.
        saves: { x, weight, statistics, y: residual && relu ? y : null },
        recompute: residual ? null : (saved) => normalized(saved.x, planes, saved.statistics, null, relu),
        backward: (dy, saved, needs) => {
          const slope = saved.y ? reluGradient(dy, saved.y) : dy;
          const fusedRelu = relu && !residual;
          if (!gradEnabled()) {
            const fused = gradients(slope, saved.x, planes, saved.statistics, fromBatch, fusedRelu);
            return { ...fused, residual: slope };
          }
          // For higher orders the gradient is composed of differentiable operations.
          const cut = fusedRelu
            ? reluGradient(slope, normalized(saved.x, planes, saved.statistics, null, true))
            : slope;
          const differentiable = composed(cut, saved, training ? (parameters.eps ?? defaultEps) : null, needs);
          return { ...differentiable, residual: slope };
        },
      },
    );
  });
}

interface Saved {
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly statistics: Tensor;
}

/**
 * The gradients by x [N, C, ...], weight [C] and bias [C], composed of operations: through the batch's statistics with their
 * `eps`, or with given statistics where that is null.
 */
function composed(
  dy: Tensor,
  { x, weight, statistics }: Saved,
  eps: number | null,
  needs: { readonly weight: boolean; readonly bias: boolean },
): { x: Tensor; weight: Tensor | false; bias: Tensor | false } {
  const over = x.shape.map((_, dim) => dim).filter((dim) => dim !== 1);
  const byChannel = (values: Tensor): Tensor => values.reshape(x.shape.map((size, dim) => (dim === 1 ? size : 1)));
  const column = (i: number): Tensor => byChannel(statistics.slice(1, i, i + 1));
  const keepDim = { keepDim: true };
  const mean = eps === null ? column(0) : x.mean(over, keepDim);
  const inverse =
    eps === null
      ? column(1)
      : x
          .variance(over, { ...keepDim, correction: 0 })
          .add(eps)
          .rsqrt();
  const normal = x.sub(mean).mul(inverse);
  const product = dy.mul(normal);
  const scale = inverse.mul(byChannel(weight));
  const centered = eps === null ? dy : dy.sub(dy.mean(over, keepDim)).sub(normal.mul(product.mean(over, keepDim)));
  return {
    x: centered.mul(scale),
    weight: needs.weight && product.sum(over),
    bias: needs.bias && dy.sum(over),
  };
}

/** x [N, C, ...] as images of `channels` planes of `inner` values. */
interface Planes {
  readonly images: number;
  readonly channels: number;
  readonly inner: number;
}

export function planesOf(x: Tensor): Planes {
  const [images, channels] = x.shape as [number, number];
  return { images, channels, inner: sizeOf(x.shape.slice(2)) };
}

function choose(forms: ByPlane, { inner }: Planes): Kernel {
  return inner % 4 === 0 ? forms.aligned : forms.any;
}

interface Affine {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/** [C, 4]: mean, inverse deviation, scale and shift of the batch. Updates the running statistics. */
function ofBatch(x: Tensor, planes: Planes, affine: Affine, parameters: BatchNormParameters): Tensor {
  const { runningMean, runningVar, momentum = 0.1, eps = defaultEps } = parameters;
  const { sums, parts } = sumParts(moments, { x }, planes, 'moments', 4);
  const statistics = empty([planes.channels, 4]);
  const follows = runningMean && runningVar && !recomputing();
  const tracked = follows ? { runningMean, runningVar } : { runningMean: null, runningVar: null };
  const form = follows ? join : joinUntracked;
  eachChannel(form, { moments: sums, statistics, ...affine, ...tracked }, planes, { parts, eps, momentum });
  return statistics;
}

/** The same from the running statistics, for values without `before` [C], the bias of the previous layer. */
export function ofRunning(channels: number, parameters: BatchNormParameters, before: Tensor | null): Tensor {
  const { runningMean, runningVar, eps = defaultEps } = parameters;
  const { weight, bias } = affineOf(channels, parameters);
  const statistics = empty([channels, 4]);
  const form = before ? running.after : running.alone;
  eachChannel(form, { runningMean, runningVar, weight, bias, before, statistics }, { channels }, { eps });
  return statistics;
}

function affineOf(channels: number, { weight, bias }: BatchNormParameters): Affine {
  return { weight: weight ?? full([channels], 1), bias: bias ?? full([channels], 0) };
}

function normalized(x: Tensor, planes: Planes, statistics: Tensor, residual: Tensor | null, relu: boolean): Tensor {
  const y = empty(x.shape);
  normalizeInto(y, x, planes, statistics, residual, relu);
  return y;
}

/** Writes x [N, C, ...] normalized by statistics [C, 4], with residual and relu if given, into y. */
export function normalizeInto(
  y: Tensor,
  x: Tensor,
  planes: Planes,
  statistics: Tensor,
  residual: Tensor | null,
  relu: boolean,
): void {
  const withRelu = residual ? normalize.residualRelu : normalize.relu;
  const form = relu ? withRelu : residual ? normalize.residual : normalize.plain;
  eachValue(choose(form, planes), { x, residual, y }, { statistics }, planes);
}

/** The gradients by x [N, C, ...], weight [C] and bias [C]; with `relu` dy counts only where the normalized x is over 0. */
function gradients(
  dy: Tensor,
  x: Tensor,
  planes: Planes,
  statistics: Tensor,
  fromBatch: number,
  relu: boolean,
): { x: Tensor; weight: Tensor; bias: Tensor } {
  const summing = relu ? gradientSums.relu : gradientSums.plain;
  const { sums, parts } = sumParts(summing, { x, dy }, planes, 'sums', 2, { statistics });
  const [dWeight, dBias] = [empty([planes.channels]), empty([planes.channels])];
  const means = empty([planes.channels, 2]);
  eachChannel(joinGradients, { sums, statistics, dWeight, dBias, means }, planes, { parts, fromBatch });
  const dx = empty(x.shape);
  const form = choose(relu ? applyGradient.relu : applyGradient.plain, planes);
  eachValue(form, { x, dy, dx }, { statistics, means }, planes);
  return { x: dx, weight: dWeight, bias: dBias };
}

type Bindings = Readonly<Record<string, Tensor | null>>;

/** The images of each dispatch: as many as can be bound. */
function spansOf(x: Tensor, { images }: Planes): readonly Span[] {
  return splitRows('batchNorm', images, [x.bytes / images], deviceOf(x).limits);
}

function bindingsOf(byImage: Bindings, { start, count }: Span, { images }: Planes): Record<string, Memory | null> {
  const entries = Object.entries(byImage).map(([name, tensor]) => {
    const bytes = (tensor?.bytes ?? 0) / images;
    return [name, tensor && part(tensor, start * bytes, count * bytes)] as const;
  });
  return Object.fromEntries(entries);
}

/** Runs a kernel of channelWalk.wgsl over the channels of [N, C, ...] by parts: [parts, C, width], bound as `target`. */
function sumParts(
  forms: ReturnType<typeof summing>,
  byImage: { readonly x: Tensor; readonly dy?: Tensor },
  planes: Planes,
  target: string,
  width: number,
  others: Bindings = {},
): { readonly sums: Tensor; readonly parts: number } {
  const { channels, inner } = planes;
  const form = choose(deviceOf(byImage.x).narrow ? forms.narrow : forms.wide, planes);
  const lanes = form.const('LANES');
  // A plane that begins inside a vec4 can touch one more vec4.
  const windows = inner % 4 === 0 ? inner / 4 : Math.ceil((inner + 3) / 4);
  const strides = { strideImages: Math.floor(lanes / windows), strideRest: lanes % windows };
  let parts = 0;
  const dispatches = spansOf(byImage.x, planes).map((span) => {
    const length = span.count * windows;
    const chunk = Math.ceil(length / Math.ceil(length / partLength));
    const firstPart = parts;
    parts += Math.ceil(length / chunk);
    return { span, length, chunk, firstPart, parts: parts - firstPart };
  });
  const sums = empty([parts, channels, width]);
  for (const { span, ...cut } of dispatches) {
    const bindings = { ...bindingsOf({ ...byImage }, span, planes), ...others, [target]: sums };
    run(form, bindings, { channels, inner, windows, ...strides, ...cut }, channels * cut.parts);
  }
  return { sums, parts };
}

/** Runs a kernel with one thread per channel. */
function eachChannel(form: Kernel, bindings: Bindings, { channels }: Pick<Planes, 'channels'>, params: Params): void {
  run(form, bindings, { channels, ...params }, Math.ceil(channels / form.const('LANES')));
}

/** Runs a kernel over the vec4 of tensors [N, C, ...]; where images are multiples of 4, a thread does the same vec4 of several. */
function eachValue(
  form: Kernel,
  byImage: Bindings & { readonly x: Tensor },
  byChannel: Bindings,
  planes: Planes,
): void {
  const { channels, inner } = planes;
  for (const span of spansOf(byImage.x, planes)) {
    const image = channels * inner;
    const rows = image % 4 === 0 ? span.count : 1;
    const vectors = Math.ceil((span.count * image) / rows / 4);
    const threads = vectors * Math.ceil(rows / form.const('ROWS'));
    const bindings = { ...bindingsOf(byImage, span, planes), ...byChannel };
    run(form, bindings, { rows, vectors, channels, inner }, Math.ceil(threads / form.const('LANES')));
  }
}

/** Throws as `batchNorm` does for parameters that do not match x. */
export function checkBatchNorm(x: Tensor, parameters: BatchNormParameters): void {
  expectOptions('batchNorm', parameters, batchNormOptions);
  const { weight, bias, runningMean, runningVar, training, residual } = parameters;
  expectBoolean('batchNorm', 'training', training);
  expectBoolean('batchNorm', 'relu', parameters.relu ?? false);
  expectNumber('batchNorm', 'momentum', parameters.momentum ?? 0.1);
  expectNumber('batchNorm', 'eps', parameters.eps ?? defaultEps);
  expectDtype('batchNorm', 'x', x, 'float32');
  const channels = x.shape[1];
  if (channels === undefined) throw new ShapeError(`batchNorm: expected x of shape [N, C, ...], got ${show(x.shape)}`);
  for (const [name, tensor] of Object.entries({ weight, bias, runningMean, runningVar })) {
    if (tensor) expectDtype('batchNorm', name, tensor, 'float32');
    if (!tensor || (tensor.rank === 1 && tensor.size === channels)) continue;
    throw new ShapeError(
      `batchNorm: expected ${name} of shape [${channels}], one value per channel of x ${show(x.shape)}, got ${show(tensor.shape)}`,
    );
  }
  if (residual) {
    expectDtype('batchNorm', 'residual', residual, 'float32');
    if (show(residual.shape) !== show(x.shape)) {
      throw new ShapeError(
        `batchNorm: expected residual of the shape of x ${show(x.shape)}, got ${show(residual.shape)}`,
      );
    }
  }
  if (training && x.size === channels) {
    throw new ValueError(
      `batchNorm: expected more than one value per channel in training, got x ${show(x.shape)}; use a larger batch or eval()`,
    );
  }
  if (!training && !(runningMean && runningVar)) {
    throw new ValueError(
      'batchNorm: expected runningMean and runningVar outside training, got null; pass both or set training',
    );
  }
}
