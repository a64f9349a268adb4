// 2-d convolution, its transpose and its weight gradient: each the others' gradient. Arithmetic of shapes: Dumoulin and
// Visin (2016). Each has a list of ways; here are the product over patches (Chellapilla, Puri and Simard, 2006), one for each
// group, in passes of as many images as a workspace holds, and the direct one, for what nothing else fits.
import col2imText from '@mien/shaders/conv/col2im.wgsl';
import conv2dDirect from '@mien/shaders/conv/conv2dDirect.wgsl';
import convTranspose2dDirect from '@mien/shaders/conv/convTranspose2dDirect.wgsl';
import im2colText from '@mien/shaders/conv/im2col.wgsl';
import weightGradientDirect from '@mien/shaders/conv/weightGradientDirect.wgsl';
import { record } from '../autograd.ts';
import { expectDtype } from '../dtype.ts';
import { alternatives } from '../runtime/alternatives.ts';
import { kernel } from '../runtime/kernel.ts';
import type { Limits } from '../runtime/limits.ts';
import { run } from '../runtime/run.ts';
import { scope } from '../runtime/scope.ts';
import type { Span } from '../runtime/split.ts';
import type { Memory } from '../runtime/storage.ts';
import { assign, empty, type Tensor } from '../tensor.ts';
import { reluGradient } from './binary.ts';
import {
  depthwiseForward,
  depthwiseTransposed,
  depthwiseWeightGradient,
  eachChannelByItself,
} from './convDepthwise.ts';
import { isPicture, pictureForward, pictureWeightGradient } from './convFewChannels.ts';
import {
  area,
  at,
  type Conv2dOptions,
  type ConvGeometry,
  type ConvTranspose2dOptions,
  conv2dGeometry,
  convTranspose2dGeometry,
  directParams,
  patchParams,
  pointwise,
  taps,
} from './convGeometry.ts';
import { directPasses, fewestImages, images, planeBytes, workspacePasses } from './convPasses.ts';
import {
  subgroupFits,
  subgroupForward,
  subgroupForwardPays,
  subgroupTransposed,
  subgroupTransposedPays,
  subgroupWeightGradient,
  subgroupWeightGradientPays,
} from './convSubgroup.ts';
import { forwardTrials, transposeTrials, weightGradientTrials } from './convTrials.ts';
import { winogradForward, winogradTransposed, winogradWays, winogradWeightGradient } from './convWinograd.ts';
import {
  workgroupFits,
  workgroupForward,
  workgroupPays,
  workgroupTransposed,
  workgroupWeightGradient,
} from './convWorkgroup.ts';
import type { ActivationOptions, Epilogue } from './epilogue.ts';
import { gemm } from './matmulGemm.ts';
import { packed, roundUp4 } from './matmulPack.ts';
import { normalizeInto, planesOf } from './norm.ts';
import { sum } from './reduce.ts';
import { reluInto } from './unary.ts';

const im2col = { tapMajor: kernel(im2colText), pixelMajor: kernel(im2colText, { PIXEL_MAJOR: true }) };
const col2im = [false, true].map((STRIDED) => ({
  plain: kernel(col2imText, { STRIDED }),
  biased: kernel(col2imText, { STRIDED, BIAS: true }),
}));
const direct = { plain: kernel(conv2dDirect), biased: kernel(conv2dDirect, { BIAS: true }) };
const directTranspose = { plain: kernel(convTranspose2dDirect), biased: kernel(convTranspose2dDirect, { BIAS: true }) };
const directWeights = kernel(weightGradientDirect);

/** Bytes of patches that one pass makes, unless those of the fewest images that it can have are more. */
const workspaceBytes = 64 << 20;
/** Invocations from which on an adapter is busy. */
const enoughThreads = 4096;

/** The most bytes that an image has in any tensor of a pass, patches and packed operands with their padding included. */
function largestBytes(g: ConvGeometry): number {
  return Math.max(...planeBytes(g), 4 * roundUp4(Math.max(taps(g), g.outputs)) * roundUp4(area(g.output)));
}

/**
 * Whether it is a product over patches, one for each group, of which the fewest images that a pass can have can be bound. Groups
 * of fewer channels than a vec4 would leave most of a product's tiles empty.
 */
function overPatches(g: ConvGeometry, limits: Limits): boolean {
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

/** Writes the convolution of x with weight, finished by the epilogue, into y. */
type Forward = (x: Tensor, weight: Tensor, epilogue: Epilogue, g: ConvGeometry, y: Tensor) => void;
/** A way that adds a bias and no more. */
type Biased = (x: Tensor, weight: Tensor, bias: Tensor | null, g: ConvGeometry, y: Tensor) => void;

/** A way that adds a bias, with a pass of its own for the rest of an epilogue. */
function finishedAfter(way: Biased): Forward {
  return (x, weight, epilogue, g, y) => {
    const { bias = null, statistics = null, adds = false, relu = false } = epilogue;
    if (!statistics && !relu) return way(x, weight, bias, g, y);
    const [raw, before] = [empty(y.shape), adds ? empty(y.shape) : null];
    if (before) assign(before, y);
    way(x, weight, bias, g, raw);
    if (statistics) normalizeInto(y, raw, planesOf(raw), statistics, before, relu);
    else reluInto(y, raw);
  };
}

const chooseForward = alternatives<ConvGeometry, Forward>('conv2d', forwardTrials, [
  { name: 'fewChannels', fits: isPicture, run: finishedAfter(pictureForward) },
  ...winogradWays(winogradForward),
  { name: 'subgroup', fits: subgroupFits, pays: subgroupForwardPays, run: finishedAfter(subgroupForward) },
  { name: 'workgroup', fits: workgroupFits, pays: workgroupPays, run: finishedAfter(workgroupForward) },
  {
    name: 'gemm',
    fits: overPatches,
    run: (x, weight, epilogue, g, y) => {
      const [depth, plane] = [taps(g) / g.groups, area(g.output)];
      const [inputs, outputs] = [g.inputs / g.groups, g.outputs / g.groups];
      const spans = passes(g, y.storage.device.limits);
      // A single product packs the weight by itself where it cannot read it as it lies.
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
    },
  },
  { name: 'depthwise', fits: eachChannelByItself, run: finishedAfter(depthwiseForward) },
  {
    name: 'direct',
    fits: () => true,
    run: finishedAfter((x, weight, bias, g, y) => {
      const form = bias ? direct.biased : direct.plain;
      for (const span of directPasses(g, y.storage.device.limits)) {
        const threads = span.count * g.outputs * area(g.output);
        const params = { ...directParams(g), images: span.count };
        run(
          form,
          { x: images(x, span), weight, bias, y: images(y, span) },
          params,
          Math.ceil(threads / form.const('LANES')),
        );
      }
    }),
  },
]);

const chooseTranspose = alternatives<ConvGeometry, Biased>('convTranspose2d', transposeTrials, [
  ...winogradWays(winogradTransposed),
  { name: 'subgroup', fits: subgroupFits, pays: subgroupTransposedPays, run: subgroupTransposed },
  { name: 'workgroup', fits: workgroupFits, pays: workgroupPays, run: workgroupTransposed },
  {
    name: 'gemm',
    fits: overPatches,
    run: (y, weight, bias, g, x) => {
      const [rows, plane] = [taps(g) / g.groups, area(g.output)];
      const depth = g.outputs / g.groups;
      const a = rows % 4 === 0 ? weight : packed(weight, g.groups, depth, rows, false);
      const forms = col2im[Number(g.stride.some((step) => step > 1))] as (typeof col2im)[number];
      const form = bias ? forms.biased : forms.plain;
      for (const span of passes(g, x.storage.device.limits)) {
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
    },
  },
  { name: 'depthwise', fits: eachChannelByItself, run: depthwiseTransposed },
  {
    name: 'direct',
    fits: () => true,
    run: (y, weight, bias, g, x) => {
      const form = bias ? directTranspose.biased : directTranspose.plain;
      for (const span of directPasses(g, x.storage.device.limits)) {
        const threads = span.count * g.inputs * area(g.input);
        const params = { ...directParams(g), images: span.count };
        run(
          form,
          { y: images(y, span), weight, bias, x: images(x, span) },
          params,
          Math.ceil(threads / form.const('LANES')),
        );
      }
    },
  },
]);

/** Gives partial sums [parts, K, C / groups, R, S] of the weight gradient. */
type WeightGradient = (x: Tensor, dy: Tensor, g: ConvGeometry) => Tensor[];

const chooseWeightGradient = alternatives<ConvGeometry, WeightGradient>('conv2dWeightGradient', weightGradientTrials, [
  { name: 'fewChannels', fits: isPicture, run: pictureWeightGradient },
  ...winogradWays(winogradWeightGradient),
  { name: 'subgroup', fits: subgroupFits, pays: subgroupWeightGradientPays, run: subgroupWeightGradient },
  { name: 'workgroup', fits: workgroupFits, pays: workgroupPays, run: workgroupWeightGradient },
  {
    name: 'gemm',
    // Groups lie side by side in the rows of both operands, where each has to start with a vec4.
    fits: (g, limits) =>
      overPatches(g, limits) &&
      (g.groups === 1 || ((g.outputs / g.groups) % 4 === 0 && (taps(g) / g.groups) % 4 === 0)),
    run: (x, dy, g) =>
      passes(g, x.storage.device.limits).map((span) => {
        const [rows, columns] = [g.outputs / g.groups, taps(g) / g.groups];
        const pixels = span.count * area(g.output);
        // The sum over pixels is cut into parts that other invocations do; groups are parts enough.
        const wanted = Math.ceil(enoughThreads / (Math.ceil(rows / 8) * Math.ceil(columns / 8)));
        const splits = g.groups > 1 ? 1 : Math.max(1, Math.min(wanted, Math.floor(pixels / 128)));
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
      }),
  },
  { name: 'depthwise', fits: eachChannelByItself, run: depthwiseWeightGradient },
  {
    name: 'direct',
    fits: () => true,
    run: (x, dy, g) =>
      directPasses(g, x.storage.device.limits).map((span) => {
        const size = (g.outputs * taps(g)) / g.groups;
        const chunk = Math.ceil(span.count / Math.min(span.count, Math.ceil(enoughThreads / size)));
        const parts = Math.ceil(span.count / chunk);
        const dw = empty([parts, size]);
        const params = { ...directParams(g), images: span.count, parts, chunk };
        const groups = Math.ceil((parts * size) / directWeights.const('LANES'));
        run(directWeights, { x: images(x, span), dy: images(dy, span), dw }, params, groups);
        return dw;
      }),
  },
]);

/** The output pixels of g as a 1x1 convolution over them: patches of it are dy itself in another order. */
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

/**
 * Cross-correlates x [N, C, H, W] with weight [K, C / groups, R, S] and adds bias [K]: [N, K, P, Q]; with relu max(., 0) of that.
 * Throws ShapeError naming the shapes.
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  { relu = false, ...options }: Conv2dOptions & ActivationOptions = {},
): Tensor {
  return convolve(x, weight, bias, geometryOf(x, weight, bias, options), relu);
}

/** The geometry of `conv2d` of these tensors. Throws as that does. */
export function geometryOf(x: Tensor, weight: Tensor, bias: Tensor | null, options: Conv2dOptions): ConvGeometry {
  for (const [name, tensor] of Object.entries({ x, weight, bias: bias ?? x }))
    expectDtype('conv2d', name, tensor, 'float32');
  return conv2dGeometry(x.shape, weight.shape, bias?.shape ?? null, options);
}

/** Writes the convolution of x with weight, finished by the epilogue, into y. */
export function convolveInto(y: Tensor, x: Tensor, weight: Tensor, epilogue: Epilogue, g: ConvGeometry): void {
  scope(() => chooseForward(g, y.storage.device.limits).run(x, weight, epilogue, g, y));
}

/**
 * The transpose of `conv2d`: x [N, C, H, W] with weight [C, K / groups, R, S], plus bias [K]: [N, K, (H - 1) stride - 2 padding
 * + dilation (R - 1) + outputPadding + 1, ...]. Throws ShapeError naming the shapes.
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: ConvTranspose2dOptions = {},
): Tensor {
  for (const [name, tensor] of Object.entries({ x, weight, bias: bias ?? x }))
    expectDtype('convTranspose2d', name, tensor, 'float32');
  return transposed(x, weight, bias, convTranspose2dGeometry(x.shape, weight.shape, bias?.shape ?? null, options));
}

function convolve(x: Tensor, weight: Tensor, bias: Tensor | null, g: ConvGeometry, relu = false): Tensor {
  const y = empty([g.images, g.outputs, ...g.output]);
  convolveInto(y, x, weight, { bias, relu }, g);
  return record(
    'conv2d',
    y,
    { x, weight, bias },
    {
      saves: { x, weight, y: relu ? y : null },
      backward: (dyFinished, saved, needs) => {
        const dy = saved.y ? reluGradient(dyFinished, saved.y) : dyFinished;
        return {
          // The weights' first: the input's gradient is the largest, and need not lie beside their workspace.
          weight: needs.weight && weightGradient(saved.x, dy, g),
          bias: needs.bias && sum(dy, [0, 2, 3]),
          x: needs.x && transposed(dy, saved.weight, null, g),
        };
      },
    },
  );
}

function transposed(y: Tensor, weight: Tensor, bias: Tensor | null, g: ConvGeometry): Tensor {
  const x = empty([g.images, g.inputs, ...g.input]);
  scope(() => chooseTranspose(g, x.storage.device.limits).run(y, weight, bias, g, x));
  return record(
    'convTranspose2d',
    x,
    { y, weight, bias },
    {
      saves: { y, weight },
      backward: (dx, saved, needs) => ({
        y: needs.y && convolve(dx, saved.weight, null, g),
        weight: needs.weight && weightGradient(dx, saved.y, g),
        bias: needs.bias && sum(dx, [0, 2, 3]),
      }),
    },
  );
}

function weightGradient(x: Tensor, dy: Tensor, g: ConvGeometry): Tensor {
  const dw = scope(() => {
    const found = chooseWeightGradient(g, x.storage.device.limits).run(x, dy, g);
    const totals = found.map((partial) =>
      partial.shape[0] === 1 ? partial.reshape(partial.shape.slice(1)) : sum(partial, 0),
    );
    const total = totals.reduce((sum, next) => sum.add(next));
    return total.viewed([g.outputs, g.inputs / g.groups, ...g.window]);
  });
  return record(
    'conv2dWeightGradient',
    dw,
    { x, dy },
    {
      saves: { x, dy },
      backward: (ddw, saved, needs) => ({
        x: needs.x && transposed(saved.dy, ddw, null, g),
        dy: needs.dy && convolve(saved.x, ddw, null, g),
      }),
    },
  );
}
