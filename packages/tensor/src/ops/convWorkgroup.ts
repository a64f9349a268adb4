// Convolutions as matrix products over patches that are never stored (implicit GEMM; Chetlur et al., 2014, cuDNN): workgroups
// load the windows that their tiles need into workgroup memory. For adapters on which that is fast.
import implicitWorkgroup from '@mien/shaders/conv/implicitWorkgroup.wgsl';
import weightGradientWorkgroup from '@mien/shaders/conv/weightGradientWorkgroup.wgsl';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import { isNarrow, type Limits } from '../runtime/limits.ts';
import { deviceOf, type Memory } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import { empty, type Tensor } from '../tensor.ts';
import { type ConvGeometry, pointwise } from './convGeometry.ts';
import { directPasses, images } from './convPasses.ts';
import {
  type Classes,
  forwardBy,
  placeParams,
  productWork,
  type Side,
  transposedBy,
  type WithBias,
  weightBytes,
} from './convPlaces.ts';
import { area, type Shape } from './geometry.ts';
import { roundUp4 } from './matmulPack.ts';
import { longestChain } from './matmulProduct.ts';

/** By bias. */
const products = [false, true].map((BIAS) => kernel(implicitWorkgroup, { BIAS }));
const weightGradient = kernel(weightGradientWorkgroup);
/** Workgroups that keep a GPU busy, and the least pixels that one should sum. */
const enough = { groups: 512, depth: 256 };

/** Whether the weights can be bound in the order of a product. */
export function workgroupFits(g: ConvGeometry, limits: Limits): boolean {
  return weightBytes(g) <= limits.maxStorageBufferBindingSize;
}

/** Whether it is preferred: where barriers are cheap on the adapter and tiles are not mostly empty. */
export function isWorkgroupPreferred(g: ConvGeometry, limits: Limits): boolean {
  return !isNarrow(limits) && !pointwise(g) && Math.min(g.outputs, g.inputs * area(g.window)) / g.groups >= 16;
}

/** Writes the products of `from` with `weight` [groups, depth, R, S, rows] at all classes of places into `to`. */
function multiply(
  g: ConvGeometry,
  weight: Memory,
  bias: Tensor | null,
  from: Side,
  to: Side,
  [allDown, allAcross]: Classes,
): void {
  const [rows, depth] = [to.channels / g.groups, from.channels / g.groups];
  const form = products[Number(bias !== null)] as Kernel;
  for (const span of directPasses(g, deviceOf(to.tensor).limits)) {
    const tensors = { weight, x: images(from.tensor, span), bias, y: images(to.tensor, span) };
    for (const [down, across] of allDown.flatMap((down) => allAcross.map((across) => [down, across] as const))) {
      const pair = (name: 'pace' | 'start' | 'reach'): Shape => [down[name], across[name]];
      const params = {
        ...placeParams(down, across),
        ...{ images: span.count, groups: g.groups, rows, width: roundUp4(rows), depth, window: g.window },
        ...{ input: from.plane, result: to.plane, pace: pair('pace'), start: pair('start'), reach: pair('reach') },
      };
      const columns = span.count * down.places * across.places;
      const tiles = Math.ceil(rows / form.const('ROWS')) * Math.ceil(columns / form.const('COLUMNS'));
      const work = productWork(g, rows, columns, depth * down.taps * across.taps);
      run(form, tensors, params, g.groups * tiles, work);
    }
  }
}

/** Writes the convolution of x with weight into y. */
export const workgroupForward: WithBias = forwardBy(multiply);

/** Writes the transposed convolution of y with weight into x. */
export const workgroupTransposed: WithBias = transposedBy(multiply);

/** Partial sums [parts, K, C / groups, R, S] of the weight gradient, one tensor for each pass. */
export function workgroupWeightGradient(x: Tensor, dy: Tensor, g: ConvGeometry): Tensor[] {
  const form = weightGradient;
  const [rows, depth] = [g.outputs / g.groups, g.inputs / g.groups];
  const columns = depth * area(g.window);
  const tiles = g.groups * Math.ceil(rows / form.const('ROWS')) * Math.ceil(columns / form.const('COLUMNS'));
  return directPasses(g, deviceOf(x).limits).map((span) => {
    const pixels = span.count * area(g.output);
    const wanted = Math.min(Math.ceil(enough.groups / tiles), Math.floor(pixels / enough.depth));
    const chunk = Math.min(Math.ceil(pixels / Math.max(1, wanted)), longestChain);
    const parts = Math.ceil(pixels / chunk);
    const dw = empty([parts, g.outputs, depth, ...g.window]);
    const params = {
      ...{ groups: g.groups, rows, depth, pixels, parts, chunk },
      ...{ input: g.input, output: g.output, window: g.window },
      ...{ stride: g.stride, padding: g.padding, dilation: g.dilation },
    };
    const work = productWork(g, rows, columns, pixels);
    run(form, { dy: images(dy, span), x: images(x, span), dw }, params, parts * tiles, work);
    return dw;
  });
}
