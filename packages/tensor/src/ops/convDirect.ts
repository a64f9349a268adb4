// Convolutions with one invocation per result, for shapes that no other algorithm supports: an algorithm of conv2d, its
// transpose and its weight gradient.
import conv2dDirect from '@mien/shaders/conv/conv2dDirect.wgsl';
import convTranspose2dDirect from '@mien/shaders/conv/convTranspose2dDirect.wgsl';
import weightGradientDirect from '@mien/shaders/conv/weightGradientDirect.wgsl';
import type { Kernel } from '../runtime/kernel.ts';
import { deviceOf, type Memory } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import type { Span } from '../runtime/split.ts';
import { empty, type Tensor } from '../tensor.ts';
import { type ConvGeometry, directParams, forwardTerms, taps, transposedTerms } from './convGeometry.ts';
import { directPasses, enoughThreads, images } from './convPasses.ts';
import { area } from './geometry.ts';
import { byLength, formFor } from './longSum.ts';

const direct = { plain: byLength(conv2dDirect), biased: byLength(conv2dDirect, { BIAS: true }) };
const directTranspose = {
  plain: byLength(convTranspose2dDirect),
  biased: byLength(convTranspose2dDirect, { BIAS: true }),
};
const directWeights = byLength(weightGradientDirect);

/** Writes the convolution of x with weight into y. */
export function directForward(x: Tensor, weight: Tensor, bias: Tensor | null, g: ConvGeometry, y: Tensor): void {
  const form = formFor(bias ? direct.biased : direct.plain, forwardTerms(g));
  for (const span of directPasses(g, deviceOf(y).limits)) {
    oneEach(form, { x: images(x, span), weight, bias, y: images(y, span) }, g, span, g.outputs * area(g.output));
  }
}

/** Writes the transposed convolution of y with weight into x. */
export function directTransposed(y: Tensor, weight: Tensor, bias: Tensor | null, g: ConvGeometry, x: Tensor): void {
  const form = formFor(bias ? directTranspose.biased : directTranspose.plain, transposedTerms(g));
  for (const span of directPasses(g, deviceOf(x).limits)) {
    oneEach(form, { y: images(y, span), weight, bias, x: images(x, span) }, g, span, g.inputs * area(g.input));
  }
}

/** One invocation for each of the `results` that an image has. */
function oneEach(
  form: Kernel,
  tensors: Readonly<Record<string, Memory | null>>,
  g: ConvGeometry,
  { count }: Span,
  results: number,
): void {
  run(form, tensors, { ...directParams(g), images: count }, Math.ceil((count * results) / form.const('LANES')));
}

/** Partial sums [parts, K, C / groups, R, S] of the weight gradient. */
export function directWeightGradient(x: Tensor, dy: Tensor, g: ConvGeometry): Tensor[] {
  return directPasses(g, deviceOf(x).limits).map((span) => {
    const size = (g.outputs * taps(g)) / g.groups;
    const chunk = Math.ceil(span.count / Math.min(span.count, Math.ceil(enoughThreads / size)));
    const parts = Math.ceil(span.count / chunk);
    const dw = empty([parts, size]);
    const params = { ...directParams(g), images: span.count, parts, chunk };
    const form = formFor(directWeights, chunk * area(g.output));
    const groups = Math.ceil((parts * size) / form.const('LANES'));
    run(form, { x: images(x, span), dy: images(dy, span), dw }, params, groups);
    return dw;
  });
}
