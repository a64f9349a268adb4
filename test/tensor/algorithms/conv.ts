// Generators of cases that fit each algorithm of convolutions.
import type { Conv2dOptions } from '@mien/tensor';
import type { Values } from '@mien/tensor/reference';
import { valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import type { CasesOf, Edges, Spec } from './laws.ts';

type Pair = readonly [number, number];

/** A convolution; `inputs` and `outputs` are the channels of all groups. */
export interface ConvSpec extends Spec {
  readonly images: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly groups: number;
  readonly input: Pair;
  readonly window: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
}

/** Height and width of the result. */
export function outputOf({ input, window, stride, padding, dilation }: ConvSpec): Pair {
  const along = (i: 0 | 1): number =>
    Math.floor((input[i] + 2 * padding[i] - dilation[i] * (window[i] - 1) - 1) / stride[i]) + 1;
  return [along(0), along(1)];
}

/** The options of `conv2d`. */
export function optionsOf({ stride, padding, dilation, groups }: ConvSpec): Conv2dOptions {
  return { stride, padding, dilation, groups };
}

/** The output padding with which the transpose restores `input`. */
export function outputPaddingOf(spec: ConvSpec): Pair {
  const { input, window, stride, padding, dilation } = spec;
  const output = outputOf(spec);
  const along = (i: 0 | 1): number =>
    input[i] - ((output[i] - 1) * stride[i] - 2 * padding[i] + dilation[i] * (window[i] - 1) + 1);
  return [along(0), along(1)];
}

/** The tensors of a convolution and of its gradients. */
export interface ConvCase {
  readonly spec: ConvSpec;
  readonly x: Values;
  readonly weight: Values;
  /** For the convolution. */
  readonly bias: Values;
  /** For the transpose. */
  readonly inputBias: Values;
  readonly dy: Values;
}

/** Values for a convolution. */
export function convValues(spec: ConvSpec): fc.Arbitrary<ConvCase> {
  const { images, inputs, outputs, groups, input, window } = spec;
  return fc.record({
    spec: fc.constant(spec),
    x: valuesOf([images, inputs, ...input]),
    weight: valuesOf([outputs, inputs / groups, ...window]),
    bias: valuesOf([outputs]),
    inputBias: valuesOf([inputs]),
    dy: valuesOf([images, outputs, ...outputOf(spec)]),
  });
}

/** Whether finite differences of the reference are fast. */
export function isSmall(spec: ConvSpec): boolean {
  const [height, width] = spec.input;
  const [down, across] = outputOf(spec);
  const products =
    ((spec.images * down * across * spec.inputs) / spec.groups) * spec.outputs * spec.window[0] * spec.window[1];
  return spec.limits === undefined && spec.images * spec.inputs * height * width < 1500 && products < 60_000;
}

const usual = {
  images: 1,
  groups: 1,
  window: [3, 3],
  stride: [1, 1],
  padding: [1, 1],
  dilation: [1, 1],
} as const satisfies Partial<ConvSpec>;

/** A 3x3 convolution of stride 1 and padding 1, with changes. */
function conv(inputs: number, outputs: number, input: Pair, rest: Partial<ConvSpec> = {}): ConvSpec {
  return { ...usual, inputs, outputs, input, ...rest };
}

const size = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max });
const plane = (min: number, max: number): fc.Arbitrary<Pair> => fc.tuple(size(min, max), size(min, max));
const square = (n: number): Pair => [n, n];
/** Bindings that hold a few images. */
/** Grids in y and z, with idle workgroups. */
const gridsOfTen = { maxComputeWorkgroupsPerDimension: 10 };
const passes = { limits: { maxStorageBufferBindingSize: 1 << 14 } };

const fewChannels: CasesOf<ConvSpec> = {
  any: fc
    .record({
      images: size(1, 2),
      inputs: fc.constantFrom(1, 3),
      outputs: size(1, 10),
      input: plane(1, 19),
      stride: fc.constantFrom(square(1), square(2)),
    })
    .map(({ inputs, outputs, input, ...rest }) => conv(inputs, outputs, input, rest)),
  edges: {
    smallest: conv(1, 1, [1, 1]),
    largest: conv(3, 64, [44, 44]),
    odd: conv(3, 5, [9, 15], { stride: [2, 2], images: 3 }),
    prime: conv(1, 7, [13, 17], { images: 2 }),
    'ragged tile': conv(3, 9, [5, 6]),
    'rows of a multiple of 4': conv(3, 8, [7, 8]),
    'rows of a multiple of 4 with stride 2': conv(1, 8, [8, 16], { stride: [2, 2] }),
    'passes of images': conv(3, 2, [16, 16], { images: 9, ...passes }),
  },
};

const winograd = (m: 2 | 4): CasesOf<ConvSpec> => ({
  any: fc
    .record({
      images: size(1, 3),
      inputs: fc.constantFrom(1, 3, 4, 5, 8, 17),
      outputs: fc.constantFrom(1, 2, 5, 8, 16),
      input: plane(1, 13),
      padding: fc.constantFrom<Pair>([1, 1], [2, 1], [1, 3], [2, 2]),
    })
    .map(({ inputs, outputs, input, ...rest }) => conv(inputs, outputs, input, rest)),
  edges: {
    smallest: conv(1, 1, [1, 1]),
    largest: conv(65, 67, [m + 1, m + 1], { images: 2 }),
    odd: conv(3, 5, [7, 9], { images: 3 }),
    prime: conv(17, 13, [5, 11]),
    'ragged tile': conv(4, 4, [2 * m + 1, 2 * m + 3]),
    'full tiles': conv(4, 8, [2 * m, 4 * m], { images: 2 }),
    'no padding': conv(4, 8, [3, 7], { padding: [0, 0] }),
    'padding of a window': conv(2, 3, [4, 5], { padding: [3, 2] }),
    'passes of images': conv(4, 4, [8, 8], { images: 24, limits: { maxStorageBufferBindingSize: 1 << 16 } }),
  },
});

/** Any window, stride, padding and dilation, with at least `least` channels per group. */
function anyConv(
  channels: readonly (readonly [groups: number, inputs: number, outputs: number])[],
): fc.Arbitrary<ConvSpec> {
  return fc
    .record({
      images: size(1, 3),
      channels: fc.constantFrom(...channels),
      input: fc.tuple(size(5, 9), size(5, 12)),
      window: fc.constantFrom<Pair>([1, 1], [3, 3], [2, 3], [3, 1]),
      stride: fc.constantFrom<Pair>([1, 1], [2, 2], [3, 3], [1, 2]),
      padding: fc.constantFrom<Pair>([0, 0], [1, 1], [2, 2], [2, 0]),
      dilation: fc.constantFrom<Pair>([1, 1], [1, 1], [2, 2], [1, 2]),
    })
    .map(({ channels: [groups, inputs, outputs], input, ...rest }) =>
      conv(groups * inputs, groups * outputs, input, { ...rest, groups }),
    );
}

/** Groups, and channels per group. */
const someChannels = [
  [1, 1, 5],
  [1, 3, 4],
  [1, 5, 9],
  [1, 16, 17],
  [4, 1, 1],
  [3, 1, 2],
  [2, 3, 2],
  [2, 4, 8],
  [3, 5, 6],
] as const;

const anyEdges: Edges<ConvSpec> = {
  smallest: conv(1, 1, [1, 1], { window: [1, 1], padding: [0, 0] }),
  largest: conv(24, 70, [8, 10], { stride: [2, 2], images: 2 }),
  odd: conv(3, 5, [7, 9], { images: 3, window: [5, 3], padding: [2, 1] }),
  prime: conv(13, 17, [5, 11], { stride: [1, 2] }),
  'ragged tile': conv(9, 33, [6, 11]),
  'a window of the plane': conv(2, 3, [4, 5], { window: [4, 5], padding: [0, 0] }),
  'stride over the window': conv(4, 5, [9, 10], { window: [2, 2], stride: [3, 3], padding: [0, 0] }),
  'dilation with padding': conv(4, 6, [9, 7], { dilation: [2, 2], padding: [2, 2] }),
  '1x1 on rows of a multiple of 4': conv(8, 12, [4, 4], { window: [1, 1], padding: [0, 0], images: 2 }),
  '1x1 with stride 2': conv(16, 9, [6, 6], { window: [1, 1], stride: [2, 2], padding: [0, 0] }),
  groups: conv(12, 18, [5, 6], { groups: 3, images: 2 }),
  'groups of two by two tiles, in grids of ten': conv(16, 136, [9, 9], { groups: 2, limits: gridsOfTen }),
  'passes of images': conv(4, 8, [8, 8], { images: 9, ...passes }),
};

const everyConv: CasesOf<ConvSpec> = { any: anyConv(someChannels), edges: anyEdges };

/** Groups of at least 4 channels, or a single group. */
const patches: CasesOf<ConvSpec> = {
  any: anyConv(someChannels.filter(([groups, inputs, outputs]) => groups === 1 || Math.min(inputs, outputs) >= 4)),
  edges: {
    ...anyEdges,
    'groups of 4': conv(8, 8, [5, 6], { groups: 2, images: 2 }),
    'passes of images': conv(2, 4, [8, 8], { images: 9, ...passes }),
  },
};

/** Groups whose rows are aligned to vec4 in both operands. */
const patchesWeightGradient: CasesOf<ConvSpec> = {
  any: anyConv([...someChannels.filter(([groups]) => groups === 1), [2, 4, 8], [2, 4, 4], [3, 8, 4]]),
  edges: {
    ...patches.edges,
    groups: conv(12, 24, [5, 6], { groups: 3, images: 2 }),
    'parts of the sum': conv(2, 3, [16, 17], { images: 2 }),
  },
};

const depthwise: CasesOf<ConvSpec> = {
  any: fc
    .record({
      images: size(1, 3),
      channels: size(1, 7),
      input: fc.tuple(size(1, 19), size(1, 13)),
      stride: fc.constantFrom(square(1), square(2)),
    })
    .map(({ channels, input, ...rest }) => conv(channels, channels, input, { ...rest, groups: channels })),
  edges: {
    smallest: conv(1, 1, [1, 1]),
    largest: conv(64, 64, [22, 22], { groups: 64 }),
    odd: conv(3, 3, [9, 15], { groups: 3, stride: [2, 2], images: 3 }),
    prime: conv(7, 7, [13, 17], { groups: 7 }),
    'ragged tile': conv(5, 5, [5, 6], { groups: 5, images: 2 }),
    'rows of a multiple of 4': conv(4, 4, [8, 8], { groups: 4 }),
    'even plane with stride 2': conv(2, 2, [8, 12], { groups: 2, stride: [2, 2] }),
    'passes of images': conv(4, 4, [8, 8], { groups: 4, images: 19, ...passes }),
  },
};

/** Sums that are split over images and over windows; a separate law checks the number of parts. */
const winogradWeightGradient = (m: 2 | 4): CasesOf<ConvSpec> => ({
  any: winograd(m).any,
  edges: {
    ...winograd(m).edges,
    'parts of the sum': conv(3, 5, m === 2 ? [32, 33] : [46, 47], { images: m === 2 ? 2 : 4 }),
    'passes of parts': conv(2, 3, m === 2 ? [32, 32] : [64, 64], {
      images: 5,
      limits: { maxStorageBufferBindingSize: m === 2 ? 1 << 18 : 1 << 19 },
    }),
  },
});

/** The cases of `conv2d`, by algorithm. */
export const forwardCases: Readonly<Record<string, CasesOf<ConvSpec>>> = {
  fewChannels,
  winograd4: winograd(4),
  winograd2: winograd(2),
  subgroup: everyConv,
  workgroup: everyConv,
  gemm: patches,
  depthwise,
  direct: everyConv,
};

const { fewChannels: _, ...transposable } = forwardCases;

/** The cases of its transpose. */
export const transposeCases: Readonly<Record<string, CasesOf<ConvSpec>>> = transposable;

/** The cases of its weight gradient. */
export const weightGradientCases: Readonly<Record<string, CasesOf<ConvSpec>>> = {
  ...forwardCases,
  winograd4: winogradWeightGradient(4),
  winograd2: winogradWeightGradient(2),
  gemm: patchesWeightGradient,
};
