// 2-d convolution, its transpose and its weight gradient: each the others' gradient. Arithmetic of shapes: Dumoulin and
// Visin (2016). Each has a list of ways, which files of their own hold.
import { expectBoolean, expectOptions } from '../arguments.ts';
import { record } from '../autograd.ts';
import { expectDtype } from '../dtype.ts';
import { type Alternative, alternatives } from '../runtime/alternatives.ts';
import { lacksSubgroups } from '../runtime/limits.ts';
import { deviceOf } from '../runtime/memoryRange.ts';
import { scope } from '../runtime/scope.ts';
import { viewOf } from '../runtime/tensorBase.ts';
import { assign, empty, type Tensor } from '../tensor.ts';
import { reluGradient } from './binary.ts';
import {
  depthwiseForward,
  depthwiseTransposed,
  depthwiseWeightGradient,
  eachChannelByItself,
} from './convDepthwise.ts';
import { directForward, directTransposed, directWeightGradient } from './convDirect.ts';
import { isPicture, pictureForward, pictureWeightGradient } from './convFewChannels.ts';
import {
  type Conv2dOptions,
  type ConvGeometry,
  type ConvTranspose2dOptions,
  conv2dGeometry,
  convolutionOptions,
  convTranspose2dGeometry,
  forwardTerms,
  transposedTerms,
} from './convGeometry.ts';
import {
  patchesFit,
  patchesForward,
  patchesTransposed,
  patchesWeightGradient,
  patchesWeightGradientFits,
} from './convPatches.ts';
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
import { longestChain } from './matmulProduct.ts';
import { normalizeInto, planesOf } from './norm.ts';
import { sum } from './reduce.ts';
import { reluInto } from './unary.ts';

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

/** Algorithms that add up all terms of a result in one chain, for as many as that may have. */
function inOneChain<Run>(
  terms: (g: ConvGeometry) => number,
  list: readonly Alternative<ConvGeometry, Run>[],
): readonly Alternative<ConvGeometry, Run>[] {
  return list.map((each) => ({ ...each, fits: (g, limits) => terms(g) <= longestChain && each.fits(g, limits) }));
}

const forward = alternatives<ConvGeometry, Forward>('conv2d', forwardTrials, [
  ...inOneChain<Forward>(forwardTerms, [
    { name: 'fewChannels', fits: isPicture, run: finishedAfter(pictureForward) },
    ...winogradWays(winogradForward),
    {
      name: 'subgroup',
      lacks: lacksSubgroups,
      fits: subgroupFits,
      pays: subgroupForwardPays,
      run: finishedAfter(subgroupForward),
    },
    { name: 'workgroup', fits: workgroupFits, pays: workgroupPays, run: finishedAfter(workgroupForward) },
    { name: 'gemm', fits: patchesFit, run: patchesForward },
  ]),
  { name: 'depthwise', fits: eachChannelByItself, run: finishedAfter(depthwiseForward) },
  { name: 'direct', fits: () => true, run: finishedAfter(directForward) },
]);

const transpose = alternatives<ConvGeometry, Biased>('convTranspose2d', transposeTrials, [
  ...inOneChain<Biased>(transposedTerms, [
    ...winogradWays(winogradTransposed),
    {
      name: 'subgroup',
      lacks: lacksSubgroups,
      fits: subgroupFits,
      pays: subgroupTransposedPays,
      run: subgroupTransposed,
    },
    { name: 'workgroup', fits: workgroupFits, pays: workgroupPays, run: workgroupTransposed },
    { name: 'gemm', fits: patchesFit, run: patchesTransposed },
  ]),
  { name: 'depthwise', fits: eachChannelByItself, run: depthwiseTransposed },
  { name: 'direct', fits: () => true, run: directTransposed },
]);

/** Gives partial sums [parts, K, C / groups, R, S] of the weight gradient. */
type WeightGradient = (x: Tensor, dy: Tensor, g: ConvGeometry) => Tensor[];

const weightGradients = alternatives<ConvGeometry, WeightGradient>('conv2dWeightGradient', weightGradientTrials, [
  { name: 'fewChannels', fits: isPicture, run: pictureWeightGradient },
  ...winogradWays(winogradWeightGradient),
  {
    name: 'subgroup',
    lacks: lacksSubgroups,
    fits: subgroupFits,
    pays: subgroupWeightGradientPays,
    run: subgroupWeightGradient,
  },
  { name: 'workgroup', fits: workgroupFits, pays: workgroupPays, run: workgroupWeightGradient },
  { name: 'gemm', fits: patchesWeightGradientFits, run: patchesWeightGradient },
  { name: 'depthwise', fits: eachChannelByItself, run: depthwiseWeightGradient },
  { name: 'direct', fits: () => true, run: directWeightGradient },
]);

const conv2dOptions = [...convolutionOptions, 'relu'];
const convTranspose2dOptions = [...convolutionOptions, 'outputPadding'];

/**
 * Cross-correlates x [N, C, H, W] with weight [K, C / groups, R, S] and adds bias [K]: [N, K, P, Q]; with relu max(., 0) of that.
 * Throws ShapeError naming the shapes.
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: Conv2dOptions & ActivationOptions = {},
): Tensor {
  expectOptions('conv2d', options, conv2dOptions);
  const { relu = false } = options;
  expectBoolean('conv2d', 'relu', relu);
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
  scope(() => forward.run(g, deviceOf(y).limits, (run) => run(x, weight, epilogue, g, y)));
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
  expectOptions('convTranspose2d', options, convTranspose2dOptions);
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
  scope(() => transpose.run(g, deviceOf(x).limits, (run) => run(y, weight, bias, g, x)));
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
    const found = weightGradients.run(g, deviceOf(x).limits, (run) => run(x, dy, g));
    const totals = found.map((partial) =>
      partial.shape[0] === 1 ? partial.reshape(partial.shape.slice(1)) : sum(partial, 0),
    );
    const total = totals.reduce((sum, next) => sum.add(next));
    return viewOf(total, [g.outputs, g.inputs / g.groups, ...g.window]);
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
