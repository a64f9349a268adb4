// 3x3 convolutions of images with one or three channels, the first layer of many networks: each result sums so few products
// that packing them for a matrix product would dominate. An algorithm of conv2d and its weight gradient.
import fewChannelsText from '@mien/shaders/conv/fewChannels.wgsl';
import fewChannelsWeightGradientText from '@mien/shaders/conv/fewChannelsWeightGradient.wgsl';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import { deviceOf } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import { empty, type Tensor } from '../tensor.ts';
import { at, type ConvGeometry, taps } from './convGeometry.ts';
import { directPasses, images } from './convPasses.ts';
import { area, type Shape } from './geometry.ts';

const flags = [false, true] as const;
/** By channels (1 or 3), by stride (1 or 2), by bias, and by whether rows of y are multiples of 4. */
const forward = [1, 3].map((CHANNELS) =>
  [1, 2].map((STRIDE) =>
    flags.map((BIAS) => flags.map((ALIGNED) => kernel(fewChannelsText, { CHANNELS, STRIDE, BIAS, ALIGNED }))),
  ),
);
/** By stride, and by whether rows of dy are multiples of 4. */
const weightGradients = [1, 2].map((STRIDE) =>
  flags.map((ALIGNED) => kernel(fewChannelsWeightGradientText, { STRIDE, ALIGNED })),
);

/** Whether x has one or three channels and the window is 3x3 with padding 1. */
export function hasFewChannels(g: ConvGeometry): boolean {
  const square = (sizes: Shape, ...allowed: readonly number[]): boolean =>
    sizes[0] === sizes[1] && allowed.includes(at(sizes, 0));
  const few = g.groups === 1 && (g.inputs === 1 || g.inputs === 3);
  return few && square(g.window, 3) && square(g.stride, 1, 2) && square(g.padding, 1) && square(g.dilation, 1);
}

/** Writes the convolution of x with weight into y. */
export function fewChannelsForward(x: Tensor, weight: Tensor, bias: Tensor | null, g: ConvGeometry, y: Tensor): void {
  const aligned = at(g.output, 1) % 4 === 0;
  const byBias = forward[g.inputs === 1 ? 0 : 1]?.[at(g.stride, 0) - 1]?.[Number(bias !== null)];
  const form = byBias?.[Number(aligned)] as Kernel;
  const tiles = [Math.ceil(at(g.output, 0) / form.const('ROWS')), Math.ceil(at(g.output, 1) / form.const('COLUMNS'))];
  for (const span of directPasses(g, deviceOf(y).limits)) {
    const threads = span.count * Math.ceil(g.outputs / form.const('OUTPUTS')) * area(tiles);
    const result = images(y, span);
    const params = { images: span.count, outputs: g.outputs, input: g.input, output: g.output, tiles };
    const outputs = aligned ? { y: null, yQuads: result } : { y: result, yQuads: null };
    const work = { flops: 2 * span.count * area(g.output) * g.outputs * taps(g) };
    run(form, { x: images(x, span), weight, bias, ...outputs }, params, Math.ceil(threads / form.const('LANES')), work);
  }
}

/** Partial sums [parts, K, C, 3, 3] of the weight gradient, one tensor for each pass. */
export function fewChannelsWeightGradient(x: Tensor, dy: Tensor, g: ConvGeometry): Tensor[] {
  const aligned = at(g.output, 1) % 4 === 0;
  const form = weightGradients[at(g.stride, 0) - 1]?.[Number(aligned)] as Kernel;
  const strips = Math.ceil(at(g.output, 1) / form.const('COLUMNS'));
  return directPasses(g, deviceOf(x).limits).map((span) => {
    const parts = span.count * strips;
    const dw = empty([parts, g.outputs * taps(g)]);
    const threads = parts * g.inputs * Math.ceil(g.outputs / form.const('OUTPUTS'));
    const slopes = images(dy, span);
    const tensors = { x: images(x, span), dy: aligned ? null : slopes, dyQuads: aligned ? slopes : null, dw };
    const params = { parts, strips, channels: g.inputs, outputs: g.outputs, input: g.input, output: g.output };
    const work = { flops: 2 * span.count * area(g.output) * g.outputs * taps(g) };
    run(form, tensors, params, Math.ceil(threads / form.const('LANES')), work);
    return dw;
  });
}
