// Which places of a result use which taps, for algorithms that gather their operands. In a convolution all places use all
// taps. In its transpose they fall into one class for each remainder of the stride, each a convolution without strides.

import type { Memory } from '../runtime/memoryRange.ts';
import type { Params } from '../runtime/wgsl.ts';
import type { Work } from '../runtime/work.ts';
import type { Tensor } from '../tensor.ts';
import { at, type ConvGeometry, taps } from './convGeometry.ts';
import type { KernelEpilogue } from './epilogue.ts';
import { area, type Shape } from './geometry.ts';
import { packed, roundUp4 } from './matmulPack.ts';

/**
 * Places of a result in one dimension that use the same taps. Place i is at i resultPace + resultStart; its step t uses tap
 * firstTap + t tapStep and reads at i pace + start + t reach, if that is inside.
 */
export interface Places {
  readonly places: number;
  readonly resultPace: number;
  readonly resultStart: number;
  readonly taps: number;
  readonly firstTap: number;
  readonly tapStep: number;
  readonly pace: number;
  readonly start: number;
  readonly reach: number;
}

function forwardPlaces(g: ConvGeometry, i: number): readonly Places[] {
  return [
    {
      ...{ places: at(g.output, i), resultPace: 1, resultStart: 0 },
      ...{ taps: at(g.window, i), firstTap: 0, tapStep: 1 },
      ...{ pace: at(g.stride, i), start: -at(g.padding, i), reach: at(g.dilation, i) },
    },
  ];
}

/** In the transpose, place h of x uses tap r where h + padding - r dilation is a multiple of the stride: a class per remainder. */
function transposedPlaces(g: ConvGeometry, i: number): readonly Places[] {
  const [stride, dilation, window] = [at(g.stride, i), at(g.dilation, i), at(g.window, i)];
  return Array.from({ length: Math.min(stride, at(g.input, i)) }, (_, resultStart) => {
    const shifted = resultStart + at(g.padding, i);
    const met = Array.from({ length: window }, (_, r) => r).filter((r) => (shifted - r * dilation) % stride === 0);
    const [firstTap = 0, second = firstTap + 1] = met;
    const tapStep = second - firstTap;
    return {
      ...{ places: Math.ceil((at(g.input, i) - resultStart) / stride), resultPace: stride, resultStart },
      ...{ taps: met.length, firstTap, tapStep },
      ...{ pace: 1, start: (shifted - firstTap * dilation) / stride, reach: (-tapStep * dilation) / stride },
    };
  });
}

/** The places of both dimensions, of which all pairs occur. */
export type Classes = readonly [down: readonly Places[], across: readonly Places[]];

/** The places of a convolution: one class. */
export function forwardClasses(g: ConvGeometry): Classes {
  return [forwardPlaces(g, 0), forwardPlaces(g, 1)];
}

/** The places of its transpose. */
export function transposedClasses(g: ConvGeometry): Classes {
  return [transposedPlaces(g, 0), transposedPlaces(g, 1)];
}

/** The params of a pair of classes, as the kernels name them: down and across. */
export function placeParams(down: Places, across: Places): Params {
  const both = (name: keyof Places): Shape => [down[name], across[name]];
  return {
    ...{ places: both('places'), resultPace: both('resultPace'), resultStart: both('resultStart') },
    ...{ taps: both('taps'), firstTap: both('firstTap'), tapStep: both('tapStep') },
  };
}

/** The tensor at one side of a convolution. */
export interface Side {
  readonly tensor: Tensor;
  readonly channels: number;
  readonly plane: Shape;
}

/** The work of a product for each group of channels, for the profiler. */
export function productWork({ groups }: ConvGeometry, rows: number, columns: number, depth: number): Work {
  const name = `${groups > 1 ? `${groups} x ` : ''}${rows}x${columns}x${depth}`;
  return { name, flops: 2 * groups * rows * columns * depth };
}

/** Bytes of the weights in the order of a product: rows of the result last, padded. */
export function weightBytes({ inputs, outputs, groups, window }: ConvGeometry): number {
  const [depth, rows] = [inputs / groups, outputs / groups];
  return 4 * groups * area(window) * Math.max(depth * roundUp4(rows), rows * roundUp4(depth));
}

/** Writes the products of `from` with `weight` [groups, depth, R, S, rows] at all classes of places into `to`. */
export type Multiply = (
  g: ConvGeometry,
  weight: Memory,
  bias: Tensor | null,
  from: Side,
  to: Side,
  classes: Classes,
) => void;

/** Writes a convolution of `from` with weight, or its transpose, into `to`; `End` is what is applied to the result. */
export type Convolve<End> = (from: Tensor, weight: Tensor, end: End, g: ConvGeometry, to: Tensor) => void;
/** A convolution that can add a bias. */
export type WithBias = Convolve<Tensor | null>;
/** A convolution that can apply a whole epilogue. */
export type WithEpilogue = Convolve<KernelEpilogue>;
/** Partial sums [parts, K, C / groups, R, S] of the weight gradient, of which the caller adds the parts. */
export type WeightGradient = (x: Tensor, dy: Tensor, g: ConvGeometry) => Tensor[];

/** The convolution of x with weight, into y: its places are one class. */
export function forwardBy(multiply: Multiply): WithBias {
  return (x, weight, bias, g, y) => {
    const ready = packed(weight, g.groups, taps(g) / g.groups, g.outputs / g.groups, true);
    const from = { tensor: x, channels: g.inputs, plane: g.input };
    const to = { tensor: y, channels: g.outputs, plane: g.output };
    multiply(g, ready, bias, from, to, forwardClasses(g));
  };
}

/** The transposed convolution of y with weight, into x. */
export function transposedBy(multiply: Multiply): WithBias {
  return (y, weight, bias, g, x) => {
    const ready = packed(weight, g.outputs, area(g.window), g.inputs / g.groups, true);
    const from = { tensor: y, channels: g.outputs, plane: g.output };
    const to = { tensor: x, channels: g.inputs, plane: g.input };
    multiply(g, ready, bias, from, to, transposedClasses(g));
  };
}
