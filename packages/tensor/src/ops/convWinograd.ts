// 3x3 convolutions with stride 1 by Winograd's minimal filtering F(m x m, 3 x 3), Lavin and Gray (2016): windows of m + 2
// points go into a domain where the convolution is a product for each of the (m + 2)^2 points, and come back. F(4 x 4) has
// 4 times fewer multiplications than the definition, F(2 x 2) 2.25 times; the weight gradient is the same, transposed.
import gatherText from '@mien/shaders/conv/winogradGather.wgsl';
import scatterText from '@mien/shaders/conv/winogradScatter.wgsl';
import type { Alternative } from '../runtime/alternatives.ts';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import type { Limits } from '../runtime/limits.ts';
import { run } from '../runtime/run.ts';
import type { Memory } from '../runtime/storage.ts';
import { empty, type Tensor } from '../tensor.ts';
import { area, at, type ConvGeometry } from './convGeometry.ts';
import { fewestImages, images, workspacePasses } from './convPasses.ts';
import type { Shape } from './geometry.ts';
import { roundUp4 } from './matmul.ts';
import { gemm } from './matmulGemm.ts';

/** Outputs of a window, down and across. */
type M = 2 | 4;

/** Bytes of one tensor in the domain that a pass makes: it and its product should stay in a cache. */
const workspaceBytes = 16 << 20;
/** Products that a weight gradient should have at least, to keep an adapter busy. */
const enoughProducts = 128;

/** Numbers that the way back can store at once. */
const widths = [1, 2, 4] as const;

const forms = (M: M) => {
  const POINTS = M + 2;
  const input = { M, POINTS, MATRIX: 'INPUT', SIZE: POINTS };
  const weight = { M, POINTS, MATRIX: 'WEIGHT', SIZE: 3 };
  const slope = { M, POINTS, MATRIX: 'OUTPUT', SIZE: M };
  return {
    input: kernel(scatterText, input),
    inputChannelsLast: kernel(scatterText, { ...input, CHANNELS_LAST: true }),
    weight: kernel(scatterText, weight),
    weightFlipped: kernel(scatterText, { ...weight, CHANNELS_LAST: true, FLIPPED: true }),
    slope: kernel(scatterText, { ...slope, CHANNELS_LAST: true }),
    output: widths.map((WIDTH) => [false, true].map((BIAS) => kernel(gatherText, { ...slope, WIDTH, BIAS }))),
    weightGradient: [1, 4].map((WIDTH) => kernel(gatherText, { ...weight, CHANNELS_LAST: true, WIDTH })),
  };
};
const byM = { 2: forms(2), 4: forms(4) };

/** Planes that are cut into windows: x, dy, y or the weights, whose rows are images of one window. */
interface Windows {
  readonly channels: number;
  readonly plane: Shape;
  readonly tiles: Shape;
  /** Over all images. */
  readonly windows: number;
}

function windowsOf(m: M, count: number, channels: number, plane: Shape, output: Shape): Windows {
  const tiles = output.map((size) => Math.ceil(size / m));
  return { channels, plane, tiles, windows: count * area(tiles) };
}

function weightWindows(g: ConvGeometry): Windows {
  return { channels: g.inputs, plane: [3, 3], tiles: [1, 1], windows: g.outputs };
}

/** A tensor in the domain: for each point `parts` matrices [rows, columns], columns a multiple of 4. */
interface Domain {
  readonly values: Tensor;
  readonly points: number;
  readonly parts: number;
  readonly rows: number;
  readonly columns: number;
  /** Elements from one matrix to the next. */
  readonly stride: number;
}

/**
 * Matrices lie a little more than their numbers apart: a thread touches those of all points, and where their distance is a
 * large power of two they would all want the same few lines of a cache.
 */
function domain(points: number, parts: number, rows: number, columns: number): Domain {
  const page = 1024;
  const stride = Math.ceil((rows * columns) / page) * page + 32;
  return { values: empty([points * parts, stride]), points, parts, rows, columns, stride };
}

/** The windows of x as `parts` times `rows` by `width`: channels by windows, or windows by channels, as the form has it. */
function scatter(
  form: Kernel,
  x: Memory,
  of: Windows,
  [rows, width, parts = 1]: readonly [number, number, number?],
  step: number,
  padding: Shape,
): Domain {
  const z = domain(form.const('POINTS') ** 2, parts, rows, roundUp4(width));
  const groups = Math.ceil((parts * rows * z.columns) / 4 / form.const('LANES'));
  const params = { ...of, rows, parts, columns: z.columns, stride: z.stride / 4, step, padding };
  run(form, { x, z: z.values }, params, groups);
  return z;
}

/** Writes the windows of y from the domain, where they stand as the form has it; parts are added. */
function gather(form: Kernel, z: Domain, bias: Memory | null, y: Memory, of: Windows): void {
  const { parts, rows, columns, stride } = z;
  const groups = Math.ceil((rows * columns) / 4 / form.const('LANES'));
  const width = form.const('WIDTH');
  const output = { y: width === 1 ? y : null, yPairs: width === 2 ? y : null, yQuads: width === 4 ? y : null };
  run(form, { z: z.values, bias, ...output }, { ...of, rows, columns, parts, stride: stride / 4 }, groups);
}

/** The form of the way back that stores as much at once as windows of m in rows of y allow. */
function outputForm(m: M, bias: Tensor | null, plane: Shape): Kernel {
  const width = widths.findLastIndex((width) => width <= m && at(plane, 1) % width === 0);
  return byM[m].output[width]?.[Number(bias !== null)] as Kernel;
}

/** a [depth, rows] times b [depth, columns], matrix by matrix. */
function products(a: Domain, b: Domain, rows: number): Domain {
  const { points, parts, rows: depth, columns: aRows } = a;
  const { columns } = b;
  const c = domain(points, parts, rows, columns);
  const strides = { aBatch: a.stride, bBatch: b.stride, cBatch: c.stride };
  const sizes = { rows, columns, depth, aRows, bColumns: columns, batches: points * parts };
  gemm({ a: a.values, b: b.values, c: c.values, bias: null, ...sizes, ...strides });
  return c;
}

/** Bytes of an image in the larger of the two tensors of a pass. */
function imageBytes(m: M, channels: number, output: Shape): number {
  return 4 * (m + 2) ** 2 * channels * roundUp4(area(output.map((size) => Math.ceil(size / m))));
}

/** Writes the convolution of x with weight into y. */
export function winogradForward(m: M) {
  return (x: Tensor, weight: Tensor, bias: Tensor | null, g: ConvGeometry, y: Tensor): void => {
    const form = byM[m];
    const u = scatter(form.weight, weight, weightWindows(g), [g.inputs, g.outputs], 0, [0, 0]);
    for (const span of workspacePasses(g, largest(m, g, g.output), workspaceBytes, y.storage.device.limits)) {
      const inputs = windowsOf(m, span.count, g.inputs, g.input, g.output);
      const v = scatter(form.input, images(x, span), inputs, [g.inputs, inputs.windows], m, g.padding);
      const z = products(u, v, g.outputs);
      const outputs = { ...inputs, channels: g.outputs, plane: g.output };
      gather(outputForm(m, bias, g.output), z, bias, images(y, span), outputs);
      for (const each of [v, z]) each.values.dispose();
    }
  };
}

/** Writes the transposed convolution of y with weight into x: the convolution with the flipped windows. */
export function winogradTransposed(m: M) {
  return (y: Tensor, weight: Tensor, bias: Tensor | null, g: ConvGeometry, x: Tensor): void => {
    const form = byM[m];
    const u = scatter(form.weightFlipped, weight, weightWindows(g), [g.outputs, g.inputs], 0, [0, 0]);
    const padding = g.padding.map((zeros) => 2 - zeros);
    for (const span of workspacePasses(g, largest(m, g, g.input), workspaceBytes, x.storage.device.limits)) {
      const outputs = windowsOf(m, span.count, g.outputs, g.output, g.input);
      const v = scatter(form.input, images(y, span), outputs, [g.outputs, outputs.windows], m, padding);
      const z = products(u, v, g.inputs);
      const inputs = { ...outputs, channels: g.inputs, plane: g.input };
      gather(outputForm(m, bias, g.input), z, bias, images(x, span), inputs);
      for (const each of [v, z]) each.values.dispose();
    }
  };
}

/** The weight gradients [1, K, C, 3, 3] of passes, to be added. */
export function winogradWeightGradient(m: M) {
  return (x: Tensor, dy: Tensor, g: ConvGeometry): Tensor[] => {
    const form = byM[m];
    const passes = workspacePasses(g, largest(m, g, g.output), workspaceBytes, x.storage.device.limits);
    return passes.map((span) => {
      const inputs = windowsOf(m, span.count, g.inputs, g.input, g.output);
      const tiles = Math.ceil(g.inputs / 64) * Math.ceil(g.outputs / 64) * (m + 2) ** 2;
      const parts = Math.max(1, Math.min(Math.floor(enoughProducts / tiles), Math.floor(inputs.windows / 256)));
      const depth = Math.ceil(inputs.windows / parts);
      const v = scatter(form.inputChannelsLast, images(x, span), inputs, [depth, g.inputs, parts], m, g.padding);
      const outputs = { ...inputs, channels: g.outputs, plane: g.output };
      const slopes = scatter(form.slope, images(dy, span), outputs, [depth, g.outputs, parts], m, [0, 0]);
      const z = products(slopes, v, g.outputs);
      const dw = empty([1, g.outputs, g.inputs, 3, 3]);
      gather(form.weightGradient[Number(g.inputs % 4 === 0)] as Kernel, z, null, dw, weightWindows(g));
      for (const each of [v, slopes, z]) each.values.dispose();
      return dw;
    });
  };
}

function largest(m: M, g: ConvGeometry, output: Shape): number {
  return imageBytes(m, Math.max(g.inputs, g.outputs), output);
}

/** Multiplications of F(m x m), in units of the channels' product. */
function multiplications(m: M, [height, width]: Shape): number {
  return (m + 2) ** 2 * Math.ceil((height as number) / m) * Math.ceil((width as number) / m);
}

/** F(4 x 4) and F(2 x 2) as ways of an operation, for the shapes that Winograd's filtering is made for. */
export function winogradWays<Run>(way: (m: M) => Run): readonly Alternative<ConvGeometry, Run>[] {
  return ([4, 2] as const).map((m) => ({
    name: `winograd${m}`,
    fits: (g, limits) => fits(m, g, limits),
    pays: (g, { subgroupSize }) => {
      // SwiftShader, with its subgroups of 4, keeps the windows in memory, lane by lane.
      if (subgroupSize === 4 || Math.min(g.inputs, g.outputs) < 16) return false;
      const direct = 9 * area(g.output);
      const other = m === 4 ? 2 : 4;
      return (
        multiplications(m, g.output) * 1.5 <= direct &&
        multiplications(m, g.output) <= multiplications(other, g.output)
      );
    },
    run: way(m),
  }));
}

function fits(m: M, g: ConvGeometry, limits: Limits): boolean {
  const three = (sizes: Shape, wanted: number): boolean => sizes.every((size) => size === wanted);
  if (g.groups !== 1 || !three(g.window, 3) || !three(g.stride, 1) || !three(g.dilation, 1)) return false;
  const largestPlane = area(g.output) > area(g.input) ? g.output : g.input;
  const weights = 4 * (m + 2) ** 2 * roundUp4(g.inputs) * roundUp4(g.outputs);
  const pass = fewestImages(g, limits) * largest(m, g, largestPlane);
  return Math.max(weights, pass) <= limits.maxStorageBufferBindingSize && at(g.padding, 0) >= 0;
}
