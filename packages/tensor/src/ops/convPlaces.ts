// Which places of a result meet which taps, for the ways that gather what they multiply: a convolution's all meet all; its
// transpose's are as many classes as the stride has remainders, each a convolution of its own without strides.
import type { Params } from '../runtime/wgsl.ts';
import type { Work } from '../runtime/work.ts';
import type { Tensor } from '../tensor.ts';
import { area, at, type ConvGeometry, taps } from './convGeometry.ts';
import type { Shape } from './geometry.ts';
import { packed, roundUp4 } from './matmulPack.ts';

/**
 * Places of a result in one dimension that meet the same taps. Place i lies at i resultPace + resultStart; its step t meets tap
 * firstTap + t tapStep and reads at i pace + start + t reach, where that is inside.
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

/** The transpose's: place h of x meets tap r where h + padding - r dilation is a multiple of the stride, so a class for each remainder. */
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

/** Of both dimensions: each of one meets each of the other. */
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

/** The tensor on one side of a convolution. */
export interface Side {
  readonly tensor: Tensor;
  readonly channels: number;
  readonly plane: Shape;
}

/** What the profiler tells of a product for each group of channels. */
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
  weight: Tensor,
  bias: Tensor | null,
  from: Side,
  to: Side,
  classes: Classes,
) => void;

/** A way of writing a convolution's result, or its transpose's, from the tensor on the other side. */
export type Way = (from: Tensor, weight: Tensor, bias: Tensor | null, g: ConvGeometry, to: Tensor) => void;

/** The convolution of x with weight, into y: its places are one class. */
export function forwardBy(multiply: Multiply): Way {
  return (x, weight, bias, g, y) => {
    const ready = packed(weight, g.groups, taps(g) / g.groups, g.outputs / g.groups, true);
    const from = { tensor: x, channels: g.inputs, plane: g.input };
    const to = { tensor: y, channels: g.outputs, plane: g.output };
    multiply(g, ready, bias, from, to, forwardClasses(g));
  };
}

/** The transposed convolution of y with weight, into x. */
export function transposedBy(multiply: Multiply): Way {
  return (y, weight, bias, g, x) => {
    const ready = packed(weight, g.outputs, area(g.window), g.inputs / g.groups, true);
    const from = { tensor: y, channels: g.outputs, plane: g.output };
    const to = { tensor: x, channels: g.inputs, plane: g.input };
    multiply(g, ready, bias, from, to, transposedClasses(g));
  };
}
