// Batch normalisation. Ioffe and Szegedy (2015). Moments go over the data by parts, each around its own mean, so that no
// digits are lost far from zero.
import channelSums from '@mien/shaders/norm/channelSums.wgsl';
import joinMoments from '@mien/shaders/norm/joinMoments.wgsl';
import normalize from '@mien/shaders/norm/normalize.wgsl';
import normalizeGradient from '@mien/shaders/norm/normalizeGradient.wgsl';
import useRunning from '@mien/shaders/norm/useRunning.wgsl';
import { recomputing, record } from '../autograd.ts';
import { expectDtype } from '../dtype.ts';
import { GradientError, ShapeError, ValueError } from '../errors.ts';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import { run } from '../runtime/run.ts';
import { scope } from '../runtime/scope.ts';
import type { KernelValues, Params } from '../runtime/wgsl.ts';
import { empty, type Tensor } from '../tensor.ts';
import { full } from './create.ts';
import { show, sizeOf } from './geometry.ts';
import { sum } from './reduce.ts';

/** A kernel for planes of any size, and one for planes whose size is a multiple of 4. */
interface ByPlane {
  readonly any: Kernel;
  readonly aligned: Kernel;
}

const vectors = { value: 'vec4f', COMPONENTS: 'vec4f(1)' };
/** Groups of 64 lanes, and of 8 for adapters with narrow subgroups: 2 to 5x on lavapipe. */
const summing = (values: KernelValues): { wide: ByPlane; narrow: ByPlane } => ({
  wide: { any: kernel(channelSums, values), aligned: kernel(channelSums, { ...values, ...vectors }) },
  narrow: {
    any: kernel(channelSums, { ...values, LANES: 8 }),
    aligned: kernel(channelSums, { ...values, ...vectors, LANES: 8 }),
  },
});
const moments = summing({});
const gradientSums = summing({ MOMENTS: false });
const apply: ByPlane = { any: kernel(normalize), aligned: kernel(normalize, { ALIGNED: true }) };
const applyGradient: ByPlane = {
  any: kernel(normalizeGradient),
  aligned: kernel(normalizeGradient, { ALIGNED: true }),
};
const join = kernel(joinMoments);
const joinUntracked = kernel(joinMoments, { TRACKED: false });
const running = kernel(useRunning);

/** Values that a group sums before another part begins. */
const partLength = 8192;

/** x [N, C, ...] as planes of `inner` values; in units of `width` values where planes allow it. */
interface Planes {
  readonly channels: number;
  readonly inner: number;
  readonly count: number;
  readonly width: 1 | 4;
}

function planesOf(x: Tensor): Planes {
  const channels = x.shape[1] as number;
  const inner = sizeOf(x.shape.slice(2));
  return { channels, inner, count: x.size / channels, width: inner % 4 === 0 ? 4 : 1 };
}

function choose(forms: ByPlane, { width }: Planes): Kernel {
  return width === 4 ? forms.aligned : forms.any;
}

interface SumParams extends Params {
  readonly parts: number;
  readonly chunk: number;
  readonly length: number;
  readonly width: number;
}

/** How the values of a channel are cut into parts and walked: the parameters of channelSums.wgsl. */
function sumsOf(form: Kernel, { channels, count, inner, width }: Planes): SumParams {
  const lanes = form.const('LANES');
  const length = count / width;
  const chunk = Math.ceil(length / Math.ceil(count / partLength));
  const values = inner / width;
  const stride = { strideImages: Math.floor(lanes / values), strideRest: lanes % values };
  return { channels, inner: values, length, chunk, parts: Math.ceil(length / chunk), width, ...stride };
}

/** Runs a kernel over the vec4 of the flat tensor y [N, C, inner]. */
function runOverVectors(
  form: Kernel,
  tensors: Readonly<Record<string, Tensor>>,
  y: Tensor,
  planes: Planes,
  params: Params,
): void {
  const { channels, inner } = planes;
  const stride = 4 * form.const('LANES');
  const vectors = Math.ceil(y.size / 4);
  const strides = { strideChannels: Math.floor(stride / inner) % channels, strideRest: stride % inner };
  const groups = Math.ceil(vectors / (form.const('LANES') * form.const('VECTORS')));
  run(form, tensors, { vectors, channels, inner, ...strides, ...params }, groups);
}

/** What `batchNorm` takes besides x. */
export interface BatchNormParameters {
  /** The scale by channel [C]; ones when null. */
  readonly weight: Tensor | null;
  /** The shift by channel [C]; zeros when null. */
  readonly bias: Tensor | null;
  /** [C]; in training it follows the batch's mean in place, outside of it it is used. May be null in training. */
  readonly runningMean: Tensor | null;
  /** [C]; in training it follows the batch's unbiased variance in place. May be null in training. */
  readonly runningVar: Tensor | null;
  /** Normalise by this batch's statistics rather than by the running ones. */
  readonly training: boolean;
  /** The part of the running statistics that a batch replaces. Default 0.1. */
  readonly momentum?: number;
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

/**
 * Normalises x [N, C, ...] by channel to (x - mean) / sqrt(variance + eps) * weight + bias, with the biased variance of the
 * batch or with the running statistics. First-order gradients only. Throws ShapeError for parameters that do not have C
 * values, ValueError in training with one value a channel.
 */
export function batchNorm(x: Tensor, parameters: BatchNormParameters): Tensor {
  check(x, parameters);
  return scope(() => {
    const { training } = parameters;
    const planes = planesOf(x);
    const statistics = training ? batchStatistics(x, planes, parameters) : runningStatistics(planes, parameters);
    const weight = parameters.weight ?? full([planes.channels], 1);
    const bias = parameters.bias ?? full([planes.channels], 0);
    const y = empty(x.shape);
    runOverVectors(choose(apply, planes), { x, statistics, weight, bias, y }, y, planes, {});
    const fromBatch = training ? 1 / planes.count : 0;
    return record(
      'batchNorm',
      y,
      { x, weight, bias },
      {
        saves: { x, weight, statistics },
        backward: (dy, saved) => {
          const found = gradients(dy, saved.x, saved.weight, saved.statistics, fromBatch);
          const tied = { dy, x: saved.x, weight: saved.weight };
          const once = (gradient: Tensor) =>
            record('the gradient of batchNorm', gradient, tied, { saves: {}, backward: refuse });
          return { x: once(found.x), weight: once(found.weight), bias: once(found.bias) };
        },
      },
    );
  });
}

function refuse(): never {
  throw new GradientError(
    'batchNorm: has first-order gradients only; compose it of mean, variance and arithmetic for higher ones',
  );
}

/** [C, 2]: mean and inverse deviation of the batch; the running statistics follow. */
function batchStatistics(
  x: Tensor,
  planes: Planes,
  { runningMean, runningVar, momentum = 0.1, eps = 1e-5 }: BatchNormParameters,
): Tensor {
  const { channels } = planes;
  const sumMoments = choose(x.storage.device.narrow ? moments.narrow : moments.wide, planes);
  const sums = sumsOf(sumMoments, planes);
  const { parts, chunk, length, width } = sums;
  const partial = empty([channels, parts, 2]);
  run(sumMoments, { x, dy: null, statistics: null, sums: partial }, sums, channels * parts);
  const statistics = empty([channels, 2]);
  const follows = runningMean && runningVar && !recomputing();
  const form = follows ? join : joinUntracked;
  const tracked = follows ? { runningMean, runningVar } : { runningMean: null, runningVar: null };
  const groups = Math.ceil(channels / form.const('LANES'));
  run(
    form,
    { moments: partial, statistics, ...tracked },
    { channels, parts, chunk, length, width, eps, momentum },
    groups,
  );
  return statistics;
}

function runningStatistics({ channels }: Planes, { runningMean, runningVar, eps = 1e-5 }: BatchNormParameters): Tensor {
  const statistics = empty([channels, 2]);
  run(
    running,
    { runningMean, runningVar, statistics },
    { channels, eps },
    Math.ceil(channels / running.const('LANES')),
  );
  return statistics;
}

/** The gradients by x [N, C, ...], weight [C] and bias [C]. */
function gradients(
  dy: Tensor,
  x: Tensor,
  weight: Tensor,
  statistics: Tensor,
  fromBatch: number,
): { x: Tensor; weight: Tensor; bias: Tensor } {
  const planes = planesOf(x);
  const { channels } = planes;
  const sumGradients = choose(x.storage.device.narrow ? gradientSums.narrow : gradientSums.wide, planes);
  const params = sumsOf(sumGradients, planes);
  const partial = empty([channels, params.parts, 2]);
  run(sumGradients, { x, dy, statistics, sums: partial }, params, channels * params.parts);
  const sums = sum(partial, 1);
  const dx = empty(x.shape);
  runOverVectors(choose(applyGradient, planes), { x, dy, statistics, weight, sums, dx }, dx, planes, { fromBatch });
  const column = (i: number): Tensor => sums.slice(1, i, i + 1).reshape([channels]);
  return { x: dx, weight: column(1), bias: column(0) };
}

function check(x: Tensor, { weight, bias, runningMean, runningVar, training }: BatchNormParameters): void {
  expectDtype('batchNorm', 'x', x, 'float32');
  const channels = x.shape[1];
  if (channels === undefined) throw new ShapeError(`batchNorm: x expects [N, C, ...], came ${show(x.shape)}`);
  for (const [name, tensor] of Object.entries({ weight, bias, runningMean, runningVar })) {
    if (!tensor || (tensor.rank === 1 && tensor.size === channels)) continue;
    throw new ShapeError(
      `batchNorm: ${name} expects [${channels}], one for each channel of x ${show(x.shape)}, came ${show(tensor.shape)}`,
    );
  }
  if (training && x.size === channels) {
    throw new ValueError(
      `batchNorm: training needs more than one value a channel, came x ${show(x.shape)}; use a larger batch or eval()`,
    );
  }
  if (!training && !(runningMean && runningVar)) {
    throw new ValueError('batchNorm: outside training it needs runningMean and runningVar; they are null');
  }
}
