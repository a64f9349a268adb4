// Depthwise 3x3 convolutions, as in MobileNets (Howard et al., 2017): an algorithm of conv2d, its transpose and its weight
// gradient.
import depthwiseText from '@mien/shaders/conv/depthwise.wgsl';
import depthwiseTransposeText from '@mien/shaders/conv/depthwiseTranspose.wgsl';
import depthwiseWeightGradientText from '@mien/shaders/conv/depthwiseWeightGradient.wgsl';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import { deviceOf } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import type { Work } from '../runtime/work.ts';
import { empty, type Tensor } from '../tensor.ts';
import { at, type ConvGeometry } from './convGeometry.ts';
import { directPasses, images } from './convPasses.ts';
import { area, type Shape } from './geometry.ts';

/** By stride, then by whether there is a bias. */
const depthwise = [1, 2].map((STRIDE) => [false, true].map((BIAS) => kernel(depthwiseText, { STRIDE, BIAS })));
/** Likewise; with stride 1 the transpose is a convolution with the flipped window. */
const depthwiseTranspose = [
  [false, true].map((BIAS) => kernel(depthwiseText, { FLIPPED: true, BIAS })),
  [false, true].map((BIAS) => kernel(depthwiseTransposeText, { BIAS })),
];
const depthwiseWeights = [1, 2].map((STRIDE) => kernel(depthwiseWeightGradientText, { STRIDE }));

/** Whether it is a depthwise 3x3 convolution with padding 1. */
export function isDepthwise(g: ConvGeometry): boolean {
  const square = (sizes: Shape, ...allowed: readonly number[]): boolean =>
    sizes[0] === sizes[1] && allowed.includes(at(sizes, 0));
  const own = g.groups === g.inputs && g.groups === g.outputs;
  return own && square(g.window, 3) && square(g.stride, 1, 2) && square(g.padding, 1) && square(g.dilation, 1);
}

/** Writes the convolution of x with weight into y. */
export function depthwiseForward(x: Tensor, weight: Tensor, bias: Tensor | null, g: ConvGeometry, y: Tensor): void {
  const form = depthwise[at(g.stride, 0) - 1]?.[bias ? 1 : 0] as Kernel;
  for (const span of directPasses(g, deviceOf(y).limits)) {
    const { params, groups } = tiled(form, span.count, g.inputs, g.input, g.output, g.output);
    run(form, { x: images(x, span), weight, bias, y: images(y, span) }, params, groups, workOf(g, span.count));
  }
}

/** Writes the transposed convolution of y with weight into x. */
export function depthwiseTransposed(y: Tensor, weight: Tensor, bias: Tensor | null, g: ConvGeometry, x: Tensor): void {
  const stride = at(g.stride, 0);
  const form = depthwiseTranspose[stride - 1]?.[bias ? 1 : 0] as Kernel;
  for (const span of directPasses(g, deviceOf(x).limits)) {
    const [from, to] = [images(y, span), images(x, span)];
    // With stride 1 the kernel is the forward one, from y to x.
    const tensors = stride === 1 ? { x: from, y: to } : { x: to, y: from };
    const { params, groups } = tiled(form, span.count, g.inputs, g.input, g.output, g.input);
    run(form, { ...tensors, weight, bias }, params, groups, workOf(g, span.count));
  }
}

/** Partial sums [parts, C, 1, 3, 3] of the weight gradient, one tensor for each pass. */
export function depthwiseWeightGradient(x: Tensor, dy: Tensor, g: ConvGeometry): Tensor[] {
  const form = depthwiseWeights[at(g.stride, 0) - 1] as Kernel;
  const strips = Math.ceil(at(g.output, 1) / form.const('COLUMNS'));
  return directPasses(g, deviceOf(x).limits).map((span) => {
    const parts = span.count * strips;
    const dw = empty([parts, g.inputs * 9]);
    const params = { parts, strips, channels: g.inputs, input: g.input, output: g.output };
    const groups = Math.ceil((parts * g.inputs) / form.const('LANES'));
    run(form, { x: images(x, span), dy: images(dy, span), dw }, params, groups, workOf(g, span.count));
    return dw;
  });
}

/** The work of each pass, for the profiler. */
function workOf(g: ConvGeometry, count: number): Work {
  return { flops: 2 * 9 * count * g.inputs * area(g.output) };
}

/** Parameters and workgroups of a kernel that covers planes of the size `covered` with tiles. */
function tiled(form: Kernel, images: number, channels: number, input: Shape, output: Shape, covered: Shape) {
  const tiles = [
    Math.ceil(at(covered, 0) / form.const('ROWS')),
    Math.ceil(at(covered, 1) / form.const('COLUMNS')),
  ] as const;
  const planes = images * channels;
  const groups = Math.ceil((planes * tiles[0] * tiles[1]) / form.const('LANES'));
  return { params: { planes, channels, input, output, tiles }, groups };
}
