// Convolutions as matrix products over patches that are nowhere in memory (Chetlur et al., 2014, cuDNN): tiles of the product
// read x where its windows lie. One way of doing conv2d, its transpose and its weight gradient.
import lowerRowsText from '@mien/shaders/conv/lowerRows.wgsl';
import rowsSubgroup from '@mien/shaders/conv/rowsSubgroup.wgsl';
import weightGradientSubgroup from '@mien/shaders/conv/weightGradientSubgroup.wgsl';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import type { Limits } from '../runtime/limits.ts';
import { run } from '../runtime/run.ts';
import type { Span } from '../runtime/split.ts';
import type { Params } from '../runtime/wgsl.ts';
import { empty, type Tensor } from '../tensor.ts';
import { area, at, type ConvGeometry, taps } from './convGeometry.ts';
import { fewestImages, images, workspacePasses } from './convPasses.ts';
import type { Shape } from './geometry.ts';
import { packed, roundUp4 } from './matmulPack.ts';

/** Lanes of the subgroups that the kernels are written for. */
const lanes = 8;
const flags = [false, true] as const;

/** By quads of rows and of columns that a lane takes (1 or 2), by bias, and by whether results can be stored as vec4. */
const lowerRows = kernel(lowerRowsText);
const products = [1, 2].map((ROW_QUADS) =>
  flags.map((BIAS) => flags.map((ALIGNED) => kernel(rowsSubgroup, { ROW_QUADS, BIAS, ALIGNED }))),
);
const weightGradients = [1, 2].map((ROW_QUADS) =>
  [1, 2].map((COLUMN_QUADS) => kernel(weightGradientSubgroup, { ROW_QUADS, COLUMN_QUADS })),
);

/** Bytes of one copy with channels last that a pass makes. */
const workspaceBytes = 64 << 20;

/** How many quads a lane takes of `size`: two, unless tiles of two compute much more than there is. */
function quadsOf(size: number): 1 | 2 {
  const computed = (quads: number): number => Math.ceil(size / (4 * lanes * quads)) * quads;
  return computed(2) > 1.2 * computed(1) ? 1 : 2;
}

/** The most bytes that an image has in any tensor of a pass. */
function largestBytes(g: ConvGeometry): number {
  const last = (channels: number, plane: Shape): number => g.groups * roundUp4(channels / g.groups) * area(plane);
  const lowered = (channels: number, [down, across]: Classes, plane: Shape): number => {
    const steps = Math.max(...across.map(({ taps, places }) => Math.max(1, taps) * (places + 3)));
    return channels * steps * linesOf(down, at(plane, 0)).lines;
  };
  return (
    4 *
    Math.max(
      last(g.inputs, g.input),
      last(g.outputs, g.output),
      lowered(g.inputs, forwardClasses(g), g.input),
      lowered(g.outputs, transposedClasses(g), g.output),
    )
  );
}

/** Whether the adapter has the subgroups, and the fewest images that a pass can have can be bound. */
export function implicitFits(g: ConvGeometry, limits: Limits): boolean {
  const bytes = fewestImages(g, limits) * largestBytes(g);
  return limits.subgroupSize === lanes && bytes <= limits.maxStorageBufferBindingSize;
}

function passes(g: ConvGeometry, limits: Limits): readonly Span[] {
  return workspacePasses(g, largestBytes(g), workspaceBytes, limits);
}

/** The images of a pass with the channels of each group last: [images, groups, plane, channels], channels a multiple of 4. */
function channelsLast(x: Tensor, span: Span, groups: number): Tensor {
  const [, channels, ...plane] = x.shape as readonly [number, number, number, number];
  return packed(images(x, span), span.count * groups, area(plane), channels / groups, true);
}

/** Places of a result in one dimension that meet the same taps, as lib/implicit.wgsl has them. */
interface Places {
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

type Classes = readonly [down: readonly Places[], across: readonly Places[]];

function forwardClasses(g: ConvGeometry): Classes {
  return [forwardPlaces(g, 0), forwardPlaces(g, 1)];
}

function transposedClasses(g: ConvGeometry): Classes {
  return [transposedPlaces(g, 0), transposedPlaces(g, 1)];
}

interface Side {
  readonly tensor: Tensor;
  readonly channels: number;
  readonly plane: Shape;
}

/** What the steps of classes of places that differ in rows only need of x: see lowerRows.wgsl. */
interface Lowered {
  readonly values: Tensor;
  readonly top: number;
  readonly lines: number;
  readonly columns: number;
}

/** Rows that the steps down meet, first and last. */
function reached({ places, taps, pace, start, reach }: Places): [number, number] {
  const ends = [start, start + (taps - 1) * reach];
  return [Math.min(...ends), Math.max(...ends) + (places - 1) * pace];
}

/** Rows of zeros above, and rows in all, that `down` needs of planes of `height` rows. */
function linesOf(down: readonly Places[], height: number): { readonly top: number; readonly lines: number } {
  const rows = down.filter(({ taps }) => taps > 0).map(reached);
  const top = Math.max(0, ...rows.map(([first]) => -first));
  return { top, lines: top + Math.max(height, ...rows.map(([, last]) => last + 1)) };
}

function lower(x: Side, span: Span, down: readonly Places[], across: Places): Lowered {
  const { top, lines } = linesOf(down, at(x.plane, 0));
  const columns = roundUp4(span.count * across.places);
  const steps = Math.max(1, across.taps);
  const values = empty([x.channels, steps, lines, columns]);
  const { pace, start, reach, places } = across;
  const params = {
    ...{ images: span.count, channels: x.channels, input: x.plane, top, rows: lines },
    ...{ steps, places, columns, pace, start, reach },
  };
  const groups = Math.ceil((x.channels * lines * columns) / 4 / lowerRows.const('LANES'));
  run(lowerRows, { x: images(x.tensor, span), lowered: values }, params, groups);
  return { values, top, lines, columns };
}

/** Writes the products of `from` with `weight` [groups, depth, R, S, rows] at all classes of places into `to`. */
function multiply(
  g: ConvGeometry,
  weight: Tensor,
  bias: Tensor | null,
  from: Side,
  to: Side,
  [allDown, allAcross]: Classes,
): void {
  const [rows, depth] = [to.channels / g.groups, from.channels / g.groups];
  const rowQuads = quadsOf(rows);
  for (const span of passes(g, to.tensor.storage.device.limits)) {
    const result = images(to.tensor, span);
    for (const across of allAcross) {
      const { values: lowered, top, lines, columns } = lower(from, span, allDown, across);
      const aligned = across.resultPace === 1 && across.places % 4 === 0;
      const form = products[rowQuads - 1]?.[Number(bias !== null)]?.[Number(aligned)] as Kernel;
      const outputs = aligned ? { y: null, yQuads: result } : { y: result, yQuads: null };
      for (const down of allDown) {
        const both = (name: keyof Places): Shape => [down[name], across[name]];
        const params: Params = {
          ...{ images: span.count, groups: g.groups, rows, width: roundUp4(rows), depth, window: g.window },
          ...{ lines, columns, places: both('places'), result: to.plane },
          ...{ resultPace: both('resultPace'), resultStart: both('resultStart') },
          ...{ taps: both('taps'), firstTap: both('firstTap'), tapStep: both('tapStep') },
          ...{ pace: down.pace, start: down.start + top, reach: down.reach },
        };
        const tiles = Math.ceil(rows / (4 * lanes * rowQuads)) * Math.ceil((down.places * columns) / (4 * lanes * 2));
        run(form, { weight, lowered, bias, ...outputs }, params, g.groups * tiles, {
          name: productName(g, rows, span.count * down.places * across.places, depth * down.taps * across.taps),
          flops: 2 * g.groups * rows * span.count * area(both('places')) * depth * area(both('taps')),
        });
      }
      lowered.dispose();
    }
  }
}

function productName({ groups }: ConvGeometry, rows: number, columns: number, depth: number): string {
  return `${groups > 1 ? `${groups} x ` : ''}${rows}x${columns}x${depth}`;
}

/** Writes the convolution of x with weight into y. */
export function implicitForward(x: Tensor, weight: Tensor, bias: Tensor | null, g: ConvGeometry, y: Tensor): void {
  const ready = packed(weight, g.groups, taps(g) / g.groups, g.outputs / g.groups, true);
  const from = { tensor: x, channels: g.inputs, plane: g.input };
  const to = { tensor: y, channels: g.outputs, plane: g.output };
  multiply(g, ready, bias, from, to, forwardClasses(g));
}

/** Writes the transposed convolution of y with weight into x. */
export function implicitTransposed(y: Tensor, weight: Tensor, bias: Tensor | null, g: ConvGeometry, x: Tensor): void {
  const ready = packed(weight, g.outputs, area(g.window), g.inputs / g.groups, true);
  const from = { tensor: y, channels: g.outputs, plane: g.output };
  const to = { tensor: x, channels: g.inputs, plane: g.input };
  multiply(g, ready, bias, from, to, transposedClasses(g));
}

/** Partial sums [parts, K, C / groups, R, S] of the weight gradient, one tensor for each pass. */
export function implicitWeightGradient(x: Tensor, dy: Tensor, g: ConvGeometry): Tensor[] {
  const [rows, depth] = [g.outputs / g.groups, g.inputs / g.groups];
  const columns = area(g.window) * roundUp4(depth);
  const [rowQuads, columnQuads] = [quadsOf(rows), quadsOf(columns)];
  const form = weightGradients[rowQuads - 1]?.[columnQuads - 1] as Kernel;
  const tiles = g.groups * Math.ceil(rows / (4 * lanes * rowQuads)) * Math.ceil(columns / (4 * lanes * columnQuads));
  return passes(g, x.storage.device.limits).map((span) => {
    const lines = span.count * at(g.output, 0);
    const wanted = Math.min(Math.ceil(enoughTiles / tiles), Math.floor((span.count * area(g.output)) / enoughDepth));
    const chunk = Math.ceil(lines / Math.max(1, Math.min(wanted, lines)));
    const parts = Math.ceil(lines / chunk);
    const slopes = channelsLast(dy, span, g.groups);
    const values = channelsLast(x, span, g.groups);
    const dw = empty([parts, g.outputs, depth, ...g.window]);
    const params = {
      ...{
        groups: g.groups,
        rows,
        rowQuads: roundUp4(rows) / 4,
        depth,
        quads: roundUp4(depth) / 4,
        lines,
        parts,
        chunk,
      },
      ...{ input: g.input, output: g.output, window: g.window },
      ...{ stride: g.stride, padding: g.padding, dilation: g.dilation },
    };
    const pixels = span.count * area(g.output);
    const work = {
      name: `${g.groups > 1 ? `${g.groups} x ` : ''}${rows}x${area(g.window) * depth}x${pixels}`,
      flops: 2 * g.groups * rows * area(g.window) * depth * pixels,
    };
    run(form, { dy: slopes, x: values, dw }, params, parts * tiles, work);
    slopes.dispose();
    values.dispose();
    return dw;
  });
}

/** Tiles that a weight gradient should have at least, and pixels that one sums up at least. */
const enoughTiles = 16;
const enoughDepth = 512;
