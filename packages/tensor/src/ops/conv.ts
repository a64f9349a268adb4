// 2-d convolution, its transpose and its weight gradient, which are each other's gradients. Shape arithmetic: Dumoulin and Visin
// (2016). `list` names their algorithms; each is in a file of its own.
import { expectBoolean, expectOptions } from '../arguments.ts';
import { record } from '../autograd.ts';
import { expectDtype } from '../dtype.ts';
import { type Algorithm, declareAlgorithms } from '../runtime/algorithms.ts';
import { type Limits, lacksSubgroups } from '../runtime/limits.ts';
import { deviceOf } from '../runtime/memoryRange.ts';
import { scope } from '../runtime/scope.ts';
import { viewOf } from '../runtime/tensorBase.ts';
import { assign, empty, type Tensor } from '../tensor.ts';
import { reluGradient } from './binary.ts';
import { depthwiseForward, depthwiseTransposed, depthwiseWeightGradient, isDepthwise } from './convDepthwise.ts';
import { directForward, directTransposed, directWeightGradient } from './convDirect.ts';
import { fewChannelsForward, fewChannelsWeightGradient, hasFewChannels } from './convFewChannels.ts';
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
import type { WeightGradient, WithBias, WithEpilogue } from './convPlaces.ts';
import {
  isSubgroupForwardPreferred,
  isSubgroupTransposedPreferred,
  isSubgroupWeightGradientPreferred,
  subgroupFits,
  subgroupForward,
  subgroupTransposed,
  subgroupWeightGradient,
} from './convSubgroup.ts';
import { forwardTuning, transposedTuning, weightGradientTuning } from './convTuning.ts';
import {
  isWinogradPreferred,
  type M,
  winogradFits,
  winogradForward,
  winogradTransposed,
  winogradWeightGradient,
} from './convWinograd.ts';
import {
  isWorkgroupPreferred,
  workgroupFits,
  workgroupForward,
  workgroupTransposed,
  workgroupWeightGradient,
} from './convWorkgroup.ts';
import type { Epilogue, KernelEpilogue } from './epilogue.ts';
import { longestChain } from './matmulProduct.ts';
import { normalizeInto, planesOf } from './norm.ts';
import { sum } from './reduce.ts';
import { reluInto } from './unary.ts';

/** Turns a convolution that can add a bias into one that applies the rest of an epilogue in a second pass. */
function thenEpilogue(convolve: WithBias): WithEpilogue {
  return (x, weight, epilogue, g, y) => {
    const { bias = null, statistics = null, adds = false, relu = false } = epilogue;
    if (!statistics && !relu) return convolve(x, weight, bias, g, y);
    const [raw, before] = [empty(y.shape), adds ? empty(y.shape) : null];
    if (before) assign(before, y);
    convolve(x, weight, bias, g, raw);
    if (statistics) normalizeInto(y, raw, planesOf(raw), statistics, before, relu);
    else reluInto(y, raw);
  };
}

type OfShape = (g: ConvGeometry, limits: Limits) => boolean;

/** How an algorithm runs one of the three passes. */
interface Pass<Run> {
  readonly run: Run;
  readonly isPreferred?: OfShape;
  /** The algorithm's `fits`, if absent. */
  readonly fits?: OfShape;
}

/** An algorithm of the convolution and of its gradients: by the input, its transpose, and by the weight. */
interface ConvAlgorithm {
  readonly name: string;
  readonly lacks?: (limits: Limits) => string | null;
  readonly fits: OfShape;
  /** Whether results of forward and transposed may have any number of terms; else one chain of additions sums them. */
  readonly anyLength?: boolean;
  readonly forward: Pass<WithEpilogue>;
  readonly transposed?: Pass<WithBias>;
  readonly weightGradient: Pass<WeightGradient>;
}

function winograd(m: M): ConvAlgorithm {
  const isPreferred: OfShape = (g, limits) => isWinogradPreferred(m, g, limits);
  return {
    name: `winograd${m}`,
    fits: (g, limits) => winogradFits(m, g, limits),
    forward: { run: winogradForward(m), isPreferred },
    transposed: { run: winogradTransposed(m), isPreferred },
    weightGradient: { run: winogradWeightGradient(m), isPreferred },
  };
}

/** In the order of choice, the simplest last. */
const list: readonly ConvAlgorithm[] = [
  {
    name: 'fewChannels',
    fits: hasFewChannels,
    forward: { run: thenEpilogue(fewChannelsForward) },
    weightGradient: { run: fewChannelsWeightGradient },
  },
  winograd(4),
  winograd(2),
  {
    name: 'subgroup',
    lacks: lacksSubgroups,
    fits: subgroupFits,
    forward: { run: thenEpilogue(subgroupForward), isPreferred: isSubgroupForwardPreferred },
    transposed: { run: subgroupTransposed, isPreferred: isSubgroupTransposedPreferred },
    weightGradient: { run: subgroupWeightGradient, isPreferred: isSubgroupWeightGradientPreferred },
  },
  {
    name: 'workgroup',
    fits: workgroupFits,
    forward: { run: thenEpilogue(workgroupForward), isPreferred: isWorkgroupPreferred },
    transposed: { run: workgroupTransposed, isPreferred: isWorkgroupPreferred },
    weightGradient: { run: workgroupWeightGradient, isPreferred: isWorkgroupPreferred },
  },
  {
    name: 'gemm',
    fits: patchesFit,
    forward: { run: patchesForward },
    transposed: { run: patchesTransposed },
    weightGradient: { run: patchesWeightGradient, fits: patchesWeightGradientFits },
  },
  {
    name: 'depthwise',
    fits: isDepthwise,
    anyLength: true,
    forward: { run: thenEpilogue(depthwiseForward) },
    transposed: { run: depthwiseTransposed },
    weightGradient: { run: depthwiseWeightGradient },
  },
  {
    name: 'direct',
    fits: () => true,
    anyLength: true,
    forward: { run: thenEpilogue(directForward) },
    transposed: { run: directTransposed },
    weightGradient: { run: directWeightGradient },
  },
];

/** The algorithms of one pass; `terms` is the number of products that a result sums. */
function algorithmsOfPass<Run>(
  passOf: (algorithm: ConvAlgorithm) => Pass<Run> | undefined,
  terms: (g: ConvGeometry) => number,
): readonly Algorithm<ConvGeometry, Run>[] {
  return list.flatMap((algorithm) => {
    const pass = passOf(algorithm);
    if (!pass) return [];
    const { name, lacks, anyLength = false } = algorithm;
    const { run, isPreferred, fits = algorithm.fits } = pass;
    const inChain: OfShape = (g, limits) => terms(g) <= longestChain && fits(g, limits);
    return [
      { name, fits: anyLength ? fits : inChain, run, ...(lacks && { lacks }), ...(isPreferred && { isPreferred }) },
    ];
  });
}

const forward = declareAlgorithms(
  'conv2d',
  forwardTuning,
  algorithmsOfPass(({ forward }) => forward, forwardTerms),
);
const transpose = declareAlgorithms(
  'convTranspose2d',
  transposedTuning,
  algorithmsOfPass(({ transposed }) => transposed, transposedTerms),
);
const weightGradients = declareAlgorithms(
  'conv2dWeightGradient',
  weightGradientTuning,
  // The passes split the sum over pixels themselves.
  algorithmsOfPass(
    ({ weightGradient }) => weightGradient,
    () => 0,
  ),
);

const conv2dOptions = [...convolutionOptions, 'relu'];
const convTranspose2dOptions = [...convolutionOptions, 'outputPadding'];

/**
 * The cross-correlation of x [N, C, H, W] with weight [K, C / groups, R, S], plus bias [K]: [N, K, P, Q]. With `relu`, max(., 0).
 * Throws ShapeError naming the shapes.
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null = null,
  options: Conv2dOptions & Pick<Epilogue, 'relu'> = {},
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

/** Writes the convolution of x with weight, with an epilogue, into y. */
export function convolveInto(y: Tensor, x: Tensor, weight: Tensor, epilogue: KernelEpilogue, g: ConvGeometry): void {
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
      backward: (dyOut, saved, needs) => {
        const dy = saved.y ? reluGradient(dyOut, saved.y) : dyOut;
        return {
          // The weight's first: the input's gradient is the largest and should not exist beside the weight's workspace.
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
    const partials = weightGradients.run(g, deviceOf(x).limits, (run) => run(x, dy, g));
    const totals = partials.map((partial) =>
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
