// Convolutions as matrix products without patches, on adapters with subgroups of 8. The convolution and its transpose gather
// along rows only (Cho and Brand, 2017, MEC): a third of the patches of a 3x3 window. The weight gradient reads both tensors
// with their channels last, without patches (Chetlur et al., 2014, cuDNN).
import implicitSubgroup from '@mien/shaders/conv/implicitSubgroup.wgsl';
import lowerRowsText from '@mien/shaders/conv/lowerRows.wgsl';
import weightGradientSubgroup from '@mien/shaders/conv/weightGradientSubgroup.wgsl';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import { type Limits, kernelLanes as lanes } from '../runtime/limits.ts';
import { deviceOf, type Memory } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import type { Span } from '../runtime/split.ts';
import type { Workspace } from '../runtime/tensorBase.ts';
import { empty, type Tensor } from '../tensor.ts';
import { at, type ConvGeometry, pointwise, taps } from './convGeometry.ts';
import { fewestImages, images, workspacePasses } from './convPasses.ts';
import {
  type Classes,
  forwardBy,
  forwardClasses,
  type Places,
  placeParams,
  productWork,
  type Side,
  transposedBy,
  transposedClasses,
  type WithBias,
  weightBytes,
} from './convPlaces.ts';
import { area, type Shape } from './geometry.ts';
import { packed, roundUp4 } from './matmulPack.ts';
import { longestChain, quadsOf } from './matmulProduct.ts';

const flags = [false, true] as const;

const lowerRows = kernel(lowerRowsText);
/** By quads of rows that a lane takes (1 or 2), by bias, and by whether results can be stored as vec4. */
const products = [1, 2].map((ROW_QUADS) =>
  flags.map((BIAS) => flags.map((ALIGNED) => kernel(implicitSubgroup, { ROW_QUADS, BIAS, ALIGNED }))),
);
/** By quads of rows and of columns that a lane takes. */
const weightGradients = [1, 2].map((ROW_QUADS) =>
  [1, 2].map((COLUMN_QUADS) => kernel(weightGradientSubgroup, { ROW_QUADS, COLUMN_QUADS })),
);

/** Bytes of one rearranged tensor of a pass. */
const workspaceBytes = 64 << 20;
/** Tiles that a weight gradient should have at least, and pixels that one sums up at least. */
const enough = { tiles: 16, depth: 512 };

/** How much more tiles of two vec4 may compute than tiles of one. */
const mostWaste = 1.2;

/** Numbers of an image that a pass lowers for a class of places across. */
function loweredOf(channels: number, plane: Shape, down: readonly Places[], across: Places): number {
  return channels * across.taps * linesOf(down, at(plane, 0)).lines * (across.places + 3);
}

/** The most bytes that an image has in any tensor of a pass. */
function largestBytes(g: ConvGeometry): number {
  const last = (channels: number, plane: Shape): number => g.groups * roundUp4(channels / g.groups) * area(plane);
  const lowered = (channels: number, plane: Shape, [down, across]: Classes): readonly number[] =>
    across.map((each) => loweredOf(channels, plane, down, each));
  return (
    4 *
    Math.max(
      last(g.inputs, g.input),
      last(g.outputs, g.output),
      ...lowered(g.inputs, g.input, forwardClasses(g)),
      ...lowered(g.outputs, g.output, transposedClasses(g)),
    )
  );
}

/** Whether the fewest images that a pass can have can be bound. */
export function subgroupFits(g: ConvGeometry, limits: Limits): boolean {
  const bytes = Math.max(weightBytes(g), fewestImages(g, limits) * largestBytes(g));
  return bytes <= limits.maxStorageBufferBindingSize;
}

/** Whether it is preferred forward: where the window is so much wider than its stride that patches would be many more. */
export function isSubgroupForwardPreferred(g: ConvGeometry): boolean {
  const [down, [across]] = forwardClasses(g);
  const lowered = loweredOf(g.inputs, g.input, down, across as Places);
  return g.inputs / g.groups >= 4 && 2 * lowered <= taps(g) * area(g.output);
}

/** Whether it is preferred for the transpose: unless packing the weights costs more than the product. */
export function isSubgroupTransposedPreferred(g: ConvGeometry): boolean {
  return !pointwise(g) && g.inputs / g.groups >= 4 && 2 * g.images * area(g.output) >= g.outputs / g.groups;
}

/** Whether it is preferred for the weight gradient. */
export function isSubgroupWeightGradientPreferred(g: ConvGeometry): boolean {
  return area(g.window) > 1 && g.inputs / g.groups >= 4;
}

function passes(g: ConvGeometry, limits: Limits): readonly Span[] {
  return workspacePasses(g, largestBytes(g), workspaceBytes, limits);
}

/** The images of a pass with the channels of each group last: [images, groups, plane, channels], channels a multiple of 4. */
function channelsLast(x: Tensor, span: Span, groups: number): Workspace {
  const [, channels, ...plane] = x.shape as readonly [number, number, number, number];
  return packed(images(x, span), span.count * groups, area(plane), channels / groups, true);
}

/** The values of x that classes of places with the same columns need: see lowerRows.wgsl. */
interface Lowered {
  /** Null where no tap is used. */
  readonly values: Tensor | null;
  readonly top: number;
  readonly lines: number;
  readonly columns: number;
}

/** The first and the last row that the steps down read. */
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
  const { places, taps: steps, pace, start, reach } = across;
  if (steps === 0) return { values: null, top, lines, columns };
  const values = empty([x.channels, steps, lines, columns]);
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
  weight: Memory,
  bias: Tensor | null,
  from: Side,
  to: Side,
  [allDown, allAcross]: Classes,
): void {
  const [rows, depth] = [to.channels / g.groups, from.channels / g.groups];
  const rowQuads = quadsOf(rows, mostWaste);
  for (const span of passes(g, deviceOf(to.tensor).limits)) {
    const result = images(to.tensor, span);
    for (const across of allAcross) {
      const { values: lowered, top, lines, columns } = lower(from, span, allDown, across);
      const aligned = across.resultPace === 1 && across.places % 4 === 0;
      const form = products[rowQuads - 1]?.[Number(bias !== null)]?.[Number(aligned)] as Kernel;
      const outputs = aligned ? { y: null, yQuads: result } : { y: result, yQuads: null };
      for (const down of allDown) {
        const params = {
          ...placeParams(down, across),
          ...{ images: span.count, groups: g.groups, rows, width: roundUp4(rows), depth, window: g.window },
          ...{ lines, columns, result: to.plane, pace: down.pace, start: down.start + top, reach: down.reach },
        };
        const tiles = Math.ceil(rows / (4 * lanes * rowQuads)) * Math.ceil((down.places * columns) / (4 * lanes * 2));
        const work = productWork(g, rows, span.count * down.places * across.places, depth * down.taps * across.taps);
        run(form, { weight, lowered, bias, ...outputs }, params, g.groups * tiles, work);
      }
      lowered?.dispose();
    }
  }
}

/** Writes the convolution of x with weight into y. */
export const subgroupForward: WithBias = forwardBy(multiply);

/** Writes the transposed convolution of y with weight into x. */
export const subgroupTransposed: WithBias = transposedBy(multiply);

/** Partial sums [parts, K, C / groups, R, S] of the weight gradient, one tensor for each pass. */
export function subgroupWeightGradient(x: Tensor, dy: Tensor, g: ConvGeometry): Tensor[] {
  const [rows, depth] = [g.outputs / g.groups, g.inputs / g.groups];
  const columns = area(g.window) * roundUp4(depth);
  const [rowQuads, columnQuads] = [quadsOf(rows, mostWaste), quadsOf(columns, mostWaste)];
  const form = weightGradients[rowQuads - 1]?.[columnQuads - 1] as Kernel;
  const tiles = g.groups * Math.ceil(rows / (4 * lanes * rowQuads)) * Math.ceil(columns / (4 * lanes * columnQuads));
  return passes(g, deviceOf(x).limits).map((span) => {
    const lines = span.count * at(g.output, 0);
    const wanted = Math.min(Math.ceil(enough.tiles / tiles), Math.floor((span.count * area(g.output)) / enough.depth));
    const least = Math.ceil((span.count * area(g.output)) / longestChain);
    const chunk = Math.ceil(lines / Math.max(1, Math.min(Math.max(wanted, least), lines)));
    const parts = Math.ceil(lines / chunk);
    const slopes = channelsLast(dy, span, g.groups);
    const values = channelsLast(x, span, g.groups);
    const dw = empty([parts, g.outputs, depth, ...g.window]);
    const params = {
      ...{ groups: g.groups, rows, rowQuads: roundUp4(rows) / 4, depth, quads: roundUp4(depth) / 4 },
      ...{ lines, parts, chunk },
      ...{ input: g.input, output: g.output, window: g.window },
      ...{ stride: g.stride, padding: g.padding, dilation: g.dilation },
    };
    const pixels = span.count * area(g.output);
    const work = productWork(g, rows, area(g.window) * depth, pixels);
    run(form, { dy: slopes, x: values, dw }, params, parts * tiles, work);
    slopes.dispose();
    values.dispose();
    return dw;
  });
}
