// 3x3 convolutions with stride 1 by Winograd's minimal filtering F(m x m, 3 x 3), Lavin and Gray (2016): windows of m + 2
// points are transformed into a domain where the convolution is a product for each of the (m + 2)^2 points, and back. F(4 x 4)
// has 4 times fewer multiplications than the definition, F(2 x 2) 2.25 times; the weight gradient is the same, transposed.
// Rounding: a result sums (m + 2)^2 C products where the definition has 9 C, and F(4 x 4) first scales numbers by up to 8. Laws
// allow the error of that many terms; with the 9 C terms of the definition F(4 x 4) was observed at 1.05 of the bound.
import gatherText from '@mien/shaders/conv/winogradGather.wgsl';
import scatterText from '@mien/shaders/conv/winogradScatter.wgsl';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import { isNarrow, type Limits } from '../runtime/limits.ts';
import { deviceOf, type Memory } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import type { Span } from '../runtime/split.ts';
import { empty, type Tensor } from '../tensor.ts';
import { at, type ConvGeometry } from './convGeometry.ts';
import { fewestImages, images, workspacePasses } from './convPasses.ts';
import type { Side, WeightGradient, WithBias, WithEpilogue } from './convPlaces.ts';
import { epilogueBindings, finishes, finishOf, type KernelEpilogue } from './epilogue.ts';
import { area, type Shape } from './geometry.ts';
import { gemm } from './matmulGemm.ts';
import { roundUp4 } from './matmulPack.ts';
import { longestChain, type Operand } from './matmulProduct.ts';

/** Outputs of a window, down and across. */
export type M = 2 | 4;

/** Bytes of one tensor in the domain of a pass: it and its product should fit into a cache. */
const workspaceBytes = 16 << 20;
/** Products that a weight gradient should have at least, to keep an adapter busy. */
const enoughProducts = 128;

/** Numbers that the inverse transform can store at once. */
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
    output: widths.map((WIDTH) => finishes.map((FINISH) => kernel(gatherText, { ...slope, WIDTH, FINISH }))),
    weightGradient: [1, 4].map((WIDTH) => kernel(gatherText, { ...weight, CHANNELS_LAST: true, WIDTH })),
  };
};
const byM = { 2: forms(2), 4: forms(4) };

/** Planes that are cut into windows: x, dy, y or the weights, each of which is an image of one window. */
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
  /** Consecutive numbers of a row: the part of it that a tile of a product reads. */
  readonly block: number;
  /** Elements from a row of a block to the next. */
  readonly step: number;
}

/** The most columns of a block, and rows and columns of a tile of a product. */
const tile = 64;

/** The columns of a block. */
function blockOf(columns: number): number {
  return Math.min(tile, columns);
}

/**
 * [blocks, rows, points, parts, block], so that all points of a window are close in memory; a stream per point would be slow.
 * A row is longer by one block, because strides of powers of two conflict in caches.
 */
function domain(points: number, parts: number, rows: number, columns: number): Domain {
  const block = blockOf(columns);
  const step = (points * parts + 1) * block;
  return { values: empty([Math.ceil(columns / block), rows, step]), points, parts, rows, columns, block, step };
}

/** A domain's matrices as an operand of a product, or as its result. */
function operand({ values, rows, columns, block, step }: Domain): Operand {
  return { memory: values, width: columns, step, plane: block, image: rows * step, batch: block };
}

/** The windows of x, `pace` apart, in the domain as [rows, width]: channels by windows or windows by channels, by the kernel. */
function scatter(
  form: Kernel,
  x: Memory,
  of: Windows,
  [rows, width]: readonly [number, number],
  pace: number,
  padding: Shape,
): Domain {
  const z = domain(form.const('POINTS') ** 2, 1, rows, roundUp4(width));
  const groups = Math.ceil((rows * z.columns) / 4 / form.const('LANES'));
  const params = { ...of, rows, columns: z.columns, block: z.block / 4, step: z.step / 4, pace, padding };
  run(form, { x, z: z.values }, params, groups);
  return z;
}

/** Transforms windows back from the domain, adds their parts, applies the epilogue and writes y. */
function gather(form: Kernel, z: Domain, epilogue: KernelEpilogue, y: Memory, of: Windows): void {
  const { parts, rows, columns, block, step } = z;
  const groups = Math.ceil((rows * columns) / 4 / form.const('LANES'));
  const width = form.const('WIDTH');
  const output = { y: width === 1 ? y : null, yPairs: width === 2 ? y : null, yQuads: width === 4 ? y : null };
  const relu = Number(epilogue.relu ?? false);
  const params = { ...of, rows, columns, parts, block: block / 4, step: step / 4, relu };
  run(form, { z: z.values, ...epilogueBindings(epilogue), ...output }, params, groups);
}

/** The kernel of the inverse transform that stores the most numbers at once for windows of m in rows of y. */
function outputForm(m: M, epilogue: KernelEpilogue, plane: Shape): Kernel {
  const width = widths.findLastIndex((width) => width <= m && at(plane, 1) % width === 0);
  return byM[m].output[width]?.[finishOf(epilogue)] as Kernel;
}

/** a [depth, rows] times b [depth, columns] for each point, the depth in `parts` parts. */
function products(a: Domain, b: Domain, rows: number, parts: number): Domain {
  const { points, rows: depth } = a;
  const { columns } = b;
  const c = domain(points, parts, rows, columns);
  gemm({ a: operand(a), b: operand(b), c: operand(c), rows, columns, depth, batches: points, splits: parts });
  return c;
}

/** Bytes of an image in the largest tensor of a pass whose windows cover `plane`, without the padding of the last block. */
function imageBytes(m: M, g: ConvGeometry, plane: Shape): number {
  return area(plane.map((size) => Math.ceil(size / m))) * blockBytes(m, g);
}

/** Bytes of one window in all channels. */
function blockBytes(m: M, { inputs, outputs }: ConvGeometry): number {
  const channels = roundUp4(Math.max(inputs, outputs));
  const block = blockOf(channels);
  return 4 * ((m + 2) ** 2 + 1) * Math.ceil(channels / block) * block;
}

/** Images of each pass whose windows cover `plane`. */
function passes(m: M, g: ConvGeometry, plane: Shape, limits: Limits): readonly Span[] {
  const most = limits.maxStorageBufferBindingSize - tile * blockBytes(m, g);
  return workspacePasses(g, imageBytes(m, g, plane), Math.min(workspaceBytes, most), limits);
}

/** Writes the convolution of the planes `from`, with zeros around them, with weights in the domain into the planes `to`. */
function convolve(m: M, g: ConvGeometry, u: Domain, end: KernelEpilogue, from: Side, padding: Shape, to: Side): void {
  for (const span of passes(m, g, to.plane, deviceOf(to.tensor).limits)) {
    const windows = windowsOf(m, span.count, from.channels, from.plane, to.plane);
    const v = scatter(byM[m].input, images(from.tensor, span), windows, [from.channels, windows.windows], m, padding);
    const z = products(u, v, to.channels, 1);
    const outputs = { ...windows, channels: to.channels, plane: to.plane };
    gather(outputForm(m, end, to.plane), z, end, images(to.tensor, span), outputs);
    for (const each of [v, z]) each.values.dispose();
  }
}

/** Writes the convolution of x with weight, with an epilogue, into y. */
export function winogradForward(m: M): WithEpilogue {
  return (x, weight, epilogue, g, y) => {
    const u = scatter(byM[m].weight, weight, weightWindows(g), [g.inputs, g.outputs], 0, [0, 0]);
    const from = { tensor: x, channels: g.inputs, plane: g.input };
    convolve(m, g, u, epilogue, from, g.padding, { tensor: y, channels: g.outputs, plane: g.output });
  };
}

/** Writes the transposed convolution of y with weight into x: the convolution with the flipped windows. */
export function winogradTransposed(m: M): WithBias {
  return (y, weight, bias, g, x) => {
    const u = scatter(byM[m].weightFlipped, weight, weightWindows(g), [g.outputs, g.inputs], 0, [0, 0]);
    const padding = g.padding.map((zeros) => 2 - zeros);
    const from = { tensor: y, channels: g.outputs, plane: g.output };
    convolve(m, g, u, { bias }, from, padding, { tensor: x, channels: g.inputs, plane: g.input });
  };
}

/** The weight gradients [1, K, C, 3, 3] of passes, to be added. */
export function winogradWeightGradient(m: M): WeightGradient {
  return (x, dy, g) => {
    const form = byM[m];
    return passes(m, g, g.output, deviceOf(x).limits).map((span) => {
      const inputs = windowsOf(m, span.count, g.inputs, g.input, g.output);
      const tiles = Math.ceil(g.inputs / tile) * Math.ceil(g.outputs / tile) * (m + 2) ** 2;
      const wanted = Math.min(Math.floor(enoughProducts / tiles), Math.floor(inputs.windows / 256));
      const parts = Math.max(Math.ceil(inputs.windows / longestChain), wanted);
      const v = scatter(form.inputChannelsLast, images(x, span), inputs, [inputs.windows, g.inputs], m, g.padding);
      const outputs = { ...inputs, channels: g.outputs, plane: g.output };
      const slopes = scatter(form.slope, images(dy, span), outputs, [inputs.windows, g.outputs], m, [0, 0]);
      const z = products(slopes, v, g.outputs, parts);
      const dw = empty([1, g.outputs, g.inputs, 3, 3]);
      gather(form.weightGradient[Number(g.inputs % 4 === 0)] as Kernel, z, {}, dw, weightWindows(g));
      for (const each of [v, slopes, z]) each.values.dispose();
      return dw;
    });
  };
}

/** Multiply-adds that cost as much as transforming a number into the domain or back, or writing it into patches. */
const numberCost = 40;
/** Multiply-adds that cost as much as copying a number into another order. */
const copyCost = 10;

/** The cost of F(m x m) in multiply-adds: products, and numbers of the input, output and weights in the domain. */
function domainCost(m: M, { images, inputs, outputs, output }: ConvGeometry): number {
  const windows = images * area(output.map((size) => Math.ceil(size / m)));
  const numbers = windows * (inputs + outputs) + inputs * outputs;
  return (m + 2) ** 2 * (windows * inputs * outputs + numberCost * numbers);
}

/** The cost of the product over patches. */
function patchesCost({ images, inputs, outputs, output }: ConvGeometry): number {
  const pixels = images * area(output);
  return 9 * inputs * (pixels * outputs + numberCost * pixels + copyCost * outputs);
}

/** Whether F(m x m) is preferred: where it costs less than the other size and than patches. */
export function isWinogradPreferred(m: M, g: ConvGeometry, limits: Limits): boolean {
  // A processor with subgroups of 4 lanes (SwiftShader) keeps windows in memory instead of registers.
  if (isNarrow(limits) && limits.subgroupSize === 4) return false;
  return domainCost(m, g) < Math.min(domainCost(m === 4 ? 2 : 4, g), patchesCost(g));
}

/** Whether it is a 3x3 convolution with stride 1 of which the fewest images that a pass can have can be bound. */
export function winogradFits(m: M, g: ConvGeometry, limits: Limits): boolean {
  const three = (sizes: Shape, wanted: number): boolean => sizes.every((size) => size === wanted);
  if (g.groups !== 1 || !three(g.window, 3) || !three(g.stride, 1) || !three(g.dilation, 1)) return false;
  const largestPlane = area(g.output) > area(g.input) ? g.output : g.input;
  const weights = roundUp4(Math.max(g.inputs, g.outputs)) * blockBytes(m, g);
  const pass = fewestImages(g, limits) * imageBytes(m, g, largestPlane) + tile * blockBytes(m, g);
  return Math.max(weights, pass) <= limits.maxStorageBufferBindingSize;
}
