// The shape rules of convolutions: pure functions that throw.
import { expectInteger, expectOptions, expectPair } from '../arguments.ts';
import { ShapeError, ValueError } from '../errors.ts';
import type { Params } from '../runtime/wgsl.ts';
import { area, type Shape, type Size2d, show } from './geometry.ts';

export interface Conv2dOptions {
  /** Steps between windows. Default 1. */
  readonly stride?: Size2d;
  /** Zeros around each image, on both sides. Default 0. */
  readonly padding?: Size2d;
  /** Steps between the elements of a window. Default 1. */
  readonly dilation?: Size2d;
  /** Groups of channels that are convolved independently. Default 1. */
  readonly groups?: number;
}

/** The names of Conv2dOptions. */
export const convolutionOptions: readonly string[] = ['stride', 'padding', 'dilation', 'groups'];

export interface ConvTranspose2dOptions extends Conv2dOptions {
  /** Rows and columns added at the end; less than the stride or the dilation. Default 0. */
  readonly outputPadding?: Size2d;
}

/** A convolution from [images, inputs, ...input] to [images, outputs, ...output]; its transpose has the same geometry. */
export interface ConvGeometry {
  readonly images: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly groups: number;
  readonly input: Shape;
  readonly output: Shape;
  readonly window: Shape;
  readonly stride: Shape;
  readonly padding: Shape;
  readonly dilation: Shape;
}

/** Elements of one patch: inputs times the window. */
export function taps(g: ConvGeometry): number {
  return g.inputs * area(g.window);
}

/** The most products that one element of a convolution's result sums. */
export function forwardTerms(g: ConvGeometry): number {
  return taps(g) / g.groups;
}

/** The most products that one element of its transpose's result sums. */
export function transposedTerms(g: ConvGeometry): number {
  return (g.outputs / g.groups) * area(g.window);
}

/** Whether every output pixel reads only the input pixel at its place. */
export function pointwise(g: ConvGeometry): boolean {
  return area(g.window) === 1 && g.padding.every((p) => p === 0) && g.stride.every((s) => s === 1);
}

/** The parameters that patch kernels share. */
export function patchParams({ inputs, input, output, window, stride, padding, dilation }: ConvGeometry): Params {
  return { channels: inputs, input, output, window, stride, padding, dilation };
}

/** The parameters that direct kernels share. */
export function directParams({
  inputs,
  outputs,
  groups,
  input,
  output,
  window,
  stride,
  padding,
  dilation,
}: ConvGeometry): Params {
  return { inputs, outputs, groups, input, output, window, stride, padding, dilation };
}

/** The geometry of `conv2d`. Throws ShapeError naming the shapes, ValueError for options. */
export function conv2dGeometry(x: Shape, weight: Shape, bias: Shape | null, options: Conv2dOptions): ConvGeometry {
  const name = 'conv2d';
  const { stride, padding, dilation, groups } = numbers(name, options);
  const [images, inputs, ...input] = expectRank4(name, 'x', 'N, C, H, W', x);
  const [outputs, channels, ...window] = expectRank4(name, 'weight', 'K, C / groups, R, S', weight);
  if (channels * groups !== inputs) {
    throw new ShapeError(
      `${name}: expected x with ${channels * groups} channels for weight ${show(weight)}, got ${inputs} (x ${show(x)}); check groups or the previous layer`,
    );
  }
  if (outputs % groups !== 0)
    throw new ShapeError(
      `${name}: expected output channels divisible by groups ${groups}, got ${outputs} (weight ${show(weight)})`,
    );
  expectBias(name, bias, outputs);
  const output = input.map(
    (size, i) =>
      Math.floor((size + 2 * at(padding, i) - at(dilation, i) * (at(window, i) - 1) - 1) / at(stride, i)) + 1,
  );
  if (!output.every((size) => size > 0)) {
    throw new ShapeError(
      `${name}: windows of ${show(window)} do not fit into ${show(input)} with padding ${show(padding)} (x ${show(x)})`,
    );
  }
  return { images, inputs, outputs, groups, input, output, window, stride, padding, dilation };
}

/** The geometry of `convTranspose2d`: of the convolution that it transposes. Throws as `conv2dGeometry`. */
export function convTranspose2dGeometry(
  x: Shape,
  weight: Shape,
  bias: Shape | null,
  options: ConvTranspose2dOptions,
): ConvGeometry {
  const name = 'convTranspose2d';
  const { stride, padding, dilation, groups, outputPadding } = transposedNumbers(name, options);
  const [images, outputs, ...output] = expectRank4(name, 'x', 'N, C, H, W', x);
  const [channels, perGroup, ...window] = expectRank4(name, 'weight', 'C, K / groups, R, S', weight);
  if (channels !== outputs) {
    throw new ShapeError(
      `${name}: expected x with ${channels} channels for weight ${show(weight)}, got ${outputs} (x ${show(x)}); check the previous layer`,
    );
  }
  if (outputs % groups !== 0)
    throw new ShapeError(
      `${name}: expected input channels divisible by groups ${groups}, got ${outputs} (x ${show(x)})`,
    );
  expectBias(name, bias, perGroup * groups);
  const input = output.map(
    (size, i) =>
      (size - 1) * at(stride, i) -
      2 * at(padding, i) +
      at(dilation, i) * (at(window, i) - 1) +
      at(outputPadding, i) +
      1,
  );
  if (!input.every((size) => size > 0)) {
    throw new ShapeError(
      `${name}: padding ${show(padding)} removes the entire output (x ${show(x)}, weight ${show(weight)}); use less padding`,
    );
  }
  return { images, inputs: perGroup * groups, outputs, groups, input, output, window, stride, padding, dilation };
}

/** The element at `i`, which must exist. */
export function at(values: Shape, i: number): number {
  return values[i] as number;
}

/** The options of a convolution as numbers. Throws ValueError for options out of range. */
function numbers(
  name: string,
  options: Conv2dOptions,
): { stride: Shape; padding: Shape; dilation: Shape; groups: number } {
  expectOptions(name, options);
  const { groups = 1 } = options;
  expectInteger(name, 'groups', groups);
  return {
    stride: expectPair(name, 'stride', options.stride ?? 1, 1),
    padding: expectPair(name, 'padding', options.padding ?? 0, 0),
    dilation: expectPair(name, 'dilation', options.dilation ?? 1, 1),
    groups,
  };
}

/** The options of a transposed convolution as numbers. Throws ValueError for options out of range. */
function transposedNumbers(
  name: string,
  options: ConvTranspose2dOptions,
): ReturnType<typeof numbers> & { outputPadding: Shape } {
  const common = numbers(name, options);
  const outputPadding = expectPair(name, 'outputPadding', options.outputPadding ?? 0, 0);
  if (outputPadding.some((extra, i) => extra >= Math.max(at(common.stride, i), at(common.dilation, i)))) {
    throw new ValueError(
      `${name}: outputPadding ${show(outputPadding)} must be below stride ${show(common.stride)} or dilation ${show(common.dilation)}`,
    );
  }
  return { ...common, outputPadding };
}

/** Checks the arguments of a convolution layer and returns the size of its window. Throws ValueError where the convolution would. */
export function expectConvolution(
  name: string,
  channels: { readonly inChannels: number; readonly outChannels: number },
  kernelSize: Size2d,
  options: ConvTranspose2dOptions,
): readonly [number, number] {
  const { groups } = transposedNumbers(name, options);
  for (const [what, count] of Object.entries(channels)) {
    expectInteger(name, what, count);
    if (count % groups !== 0) throw new ValueError(`${name}: ${what} ${count} must be a multiple of groups ${groups}`);
  }
  return expectPair(name, 'kernelSize', kernelSize, 1);
}

function expectRank4(
  name: string,
  argument: string,
  layout: string,
  shape: Shape,
): readonly [number, number, number, number] {
  if (shape.length !== 4)
    throw new ShapeError(`${name}: expected ${argument} of shape [${layout}], got ${show(shape)}`);
  return shape as readonly [number, number, number, number];
}

function expectBias(name: string, bias: Shape | null, channels: number): void {
  if (!bias || (bias.length === 1 && bias[0] === channels)) return;
  throw new ShapeError(
    `${name}: expected bias of shape [${channels}], one value per output channel, got ${show(bias)}`,
  );
}
