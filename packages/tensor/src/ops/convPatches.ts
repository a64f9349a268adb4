// Convolutions as matrix products over patches (im2col; Chellapilla, Puri and Simard, 2006), one for each group, in passes of
// as many images as a workspace holds: an algorithm of conv2d, its transpose and its weight gradient.
import col2imText from '@mien/shaders/conv/col2im.wgsl';
import im2colText from '@mien/shaders/conv/im2col.wgsl';
import { kernel } from '../runtime/kernel.ts';
import type { Limits } from '../runtime/limits.ts';
import { deviceOf, type Memory } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import type { Span } from '../runtime/split.ts';
import { empty, type Tensor } from '../tensor.ts';
import { at, type ConvGeometry, patchParams, pointwise, taps } from './convGeometry.ts';
import { enoughThreads, fewestImages, images, planeBytes, workspacePasses } from './convPasses.ts';
import type { KernelEpilogue } from './epilogue.ts';
import { area } from './geometry.ts';
import { gemm } from './matmulGemm.ts';
import { packed, roundUp4 } from './matmulPack.ts';
import { longestChain } from './matmulProduct.ts';

const im2col = { tapMajor: kernel(im2colText), pixelMajor: kernel(im2colText, { PIXEL_MAJOR: true }) };
const col2im = [false, true].map((STRIDED) => ({
  plain: kernel(col2imText, { STRIDED }),
  biased: kernel(col2imText, { STRIDED, BIAS: true }),
}));

/** Bytes of patches that one pass stores, unless the fewest images that it can have need more. */
const workspaceBytes = 64 << 20;

/** The most bytes that an image has in any tensor of a pass, patches and packed operands with their padding included. */
function largestBytes(g: ConvGeometry): number {
  return Math.max(...planeBytes(g), 4 * roundUp4(Math.max(taps(g), g.outputs)) * roundUp4(area(g.output)));
}

/**
 * Whether the patches of the fewest images that a pass can have can be bound. Groups of fewer channels than a vec4 would leave
 * most of a product's tiles empty.
 */
export function patchesFit(g: ConvGeometry, limits: Limits): boolean {
  const apart = g.groups === 1 || Math.min(g.inputs, g.outputs) / g.groups >= 4;
  return apart && fewestImages(g, limits) * largestBytes(g) <= limits.maxStorageBufferBindingSize;
}

/** Images of each pass over patches: as many as the workspace holds. */
function passes(g: ConvGeometry, limits: Limits): readonly Span[] {
  return workspacePasses(g, largestBytes(g), workspaceBytes, limits);
}

/** Patches of `x` for a convolution g: [taps, columns], or [columns, taps padded to 4] with `pixelMajor`. */
function patchesOf(x: Memory, g: ConvGeometry, count: number, columns: number, pixelMajor: boolean): Tensor {
  const rows = pixelMajor ? roundUp4(taps(g)) : taps(g);
  const patches = empty(pixelMajor ? [columns, rows] : [rows, columns]);
  const form = pixelMajor ? im2col.pixelMajor : im2col.tapMajor;
  const channels = Math.ceil(rows / (taps(g) / g.inputs));
  const groups = Math.ceil((channels * (columns / 4)) / form.const('LANES'));
  run(form, { x, patches }, { ...patchParams(g), images: count, rows, columns }, groups);
  return patches;
}

/** Writes the convolution of x with weight, with an epilogue, into y. */
export function patchesForward(x: Tensor, weight: Tensor, epilogue: KernelEpilogue, g: ConvGeometry, y: Tensor): void {
  const [depth, plane] = [taps(g) / g.groups, area(g.output)];
  const [inputs, outputs] = [g.inputs / g.groups, g.outputs / g.groups];
  const spans = passes(g, deviceOf(y).limits);
  // For several passes the weight is packed once; a single product packs it itself where it has to.
  const a =
    spans.length > 1
      ? {
          memory: packed(weight, g.groups, depth, outputs, true),
          width: roundUp4(outputs),
          batch: depth * roundUp4(outputs),
        }
      : { memory: weight, width: outputs, step: 1, plane: 1, image: depth, batch: depth * outputs };
  for (const span of spans) {
    const inPlace = pointwise(g) && plane % 4 === 0;
    const pixels = span.count * plane;
    const columns = roundUp4(pixels);
    const b = inPlace ? images(x, span) : patchesOf(images(x, span), g, span.count, columns, false);
    const layout = inPlace
      ? { step: plane, plane, image: g.inputs * plane, batch: inputs * plane }
      : { batch: depth * columns };
    gemm({
      a,
      b: { memory: b, width: columns, ...layout },
      c: { memory: images(y, span), step: plane, plane, image: g.outputs * plane, batch: outputs * plane },
      ...epilogue,
      biasBatch: g.groups > 1 ? outputs : 0,
      rows: outputs,
      columns: pixels,
      depth,
      batches: g.groups,
    });
  }
}

/** Writes the transposed convolution of y with weight into x. */
export function patchesTransposed(y: Tensor, weight: Tensor, bias: Tensor | null, g: ConvGeometry, x: Tensor): void {
  const [rows, plane] = [taps(g) / g.groups, area(g.output)];
  const depth = g.outputs / g.groups;
  const a = rows % 4 === 0 ? weight : packed(weight, g.groups, depth, rows, false);
  const forms = col2im[Number(g.stride.some((step) => step > 1))] as (typeof col2im)[number];
  const form = bias ? forms.biased : forms.plain;
  for (const span of passes(g, deviceOf(x).limits)) {
    const pixels = span.count * plane;
    const columns = roundUp4(pixels);
    const inPlace = plane % 4 === 0;
    const b = inPlace ? images(y, span) : patchesOf(images(y, span), asPixels(g), span.count, columns, false);
    const layout = inPlace
      ? { step: plane, plane, image: g.outputs * plane, batch: depth * plane }
      : { batch: depth * columns };
    const common = {
      a: { memory: a, width: roundUp4(rows), batch: depth * roundUp4(rows) },
      b: { memory: b, width: columns, ...layout },
      rows,
      columns: pixels,
      depth,
      batches: g.groups,
    };
    if (pointwise(g)) {
      const c = { memory: images(x, span), step: plane, plane, image: g.inputs * plane, batch: rows * plane };
      gemm({ ...common, c, bias, biasBatch: rows });
      continue;
    }
    const patches = empty([taps(g), columns]);
    gemm({ ...common, c: { memory: patches, step: columns, plane: columns, batch: rows * columns } });
    const threads = span.count * g.inputs * area(g.input);
    const tapStep = g.stride.map((step, i) => (at(g.dilation, i) === 1 ? step : 1));
    const params = { ...patchParams(g), images: span.count, tapStep, columns };
    run(form, { patches, bias, x: images(x, span) }, params, Math.ceil(threads / form.const('LANES')));
  }
}

/** Likewise for the weight gradient, where groups are adjacent in the rows of both operands and each has to start with a vec4. */
export function patchesWeightGradientFits(g: ConvGeometry, limits: Limits): boolean {
  const apart = g.groups === 1 || ((g.outputs / g.groups) % 4 === 0 && (taps(g) / g.groups) % 4 === 0);
  return apart && patchesFit(g, limits);
}

/** Partial sums [parts, K, C / groups, R, S] of the weight gradient. */
export function patchesWeightGradient(x: Tensor, dy: Tensor, g: ConvGeometry): Tensor[] {
  return passes(g, deviceOf(x).limits).map((span) => {
    const [rows, columns] = [g.outputs / g.groups, taps(g) / g.groups];
    const pixels = span.count * area(g.output);
    // The sum over pixels is split among invocations; several groups are parallel enough without that.
    const wanted = Math.ceil(enoughThreads / (Math.ceil(rows / 8) * Math.ceil(columns / 8)));
    const least = Math.ceil(pixels / longestChain);
    const splits = g.groups > 1 ? 1 : Math.max(least, Math.min(wanted, Math.floor(pixels / 128)));
    const a = packed(images(dy, span), span.count, area(g.output), g.outputs, true);
    const b = pointwise(g)
      ? packed(images(x, span), span.count, area(g.output), g.inputs, true)
      : patchesOf(images(x, span), g, span.count, roundUp4(pixels), true);
    const c = empty([splits, g.outputs, columns]);
    const [aStep, bStep] = [roundUp4(g.outputs), roundUp4(taps(g))];
    gemm({
      a: { memory: a, width: roundUp4(rows), step: aStep, plane: aStep, batch: rows },
      b: { memory: b, width: roundUp4(columns), step: bStep, plane: bStep, batch: columns },
      c: { memory: c, batch: rows * columns },
      rows,
      columns,
      depth: pixels,
      batches: g.groups,
      splits,
    });
    return c;
  });
}

/** The output pixels of g as a 1x1 convolution over them, whose patches are dy in another order. */
function asPixels(g: ConvGeometry): ConvGeometry {
  return {
    ...g,
    inputs: g.outputs,
    input: g.output,
    window: [1, 1],
    stride: [1, 1],
    padding: [0, 0],
    dilation: [1, 1],
  };
}
