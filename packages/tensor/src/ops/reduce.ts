// Reductions over any dimensions. Long sums are computed in parts: their error grows with the length of a part and the number of
// parts, not with the number of values.

import argReduceText from '@mien/shaders/reduce/argReduce.wgsl';
import reduceColumns from '@mien/shaders/reduce/reduceColumns.wgsl';
import reduceRows from '@mien/shaders/reduce/reduceRows.wgsl';
import { expectBoolean, expectNumber, expectOptions } from '../arguments.ts';
import { noGrad, record } from '../autograd.ts';
import { type DType, expectDtype, wgslType } from '../dtype.ts';
import { ValueError } from '../errors.ts';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import { deviceOf, type Memory, storageOf, workspace } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import { scope } from '../runtime/scope.ts';
import { canSplitRows, part, splitRows } from '../runtime/split.ts';
import { newEmpty, viewOf, type Workspace } from '../runtime/tensorBase.ts';
import type { KernelValues } from '../runtime/wgsl.ts';
import type { Tensor } from '../tensor.ts';
import { normalizeDim, normalizeDims, type Shape, show, sizeOf } from './geometry.ts';
import { cat, expand, reshape, slice } from './shape.ts';
import { where } from './where.ts';

/** Dimensions to reduce: one, several, or all of them when absent. */
export type Dims = number | Shape | undefined;

export interface ReduceOptions {
  /** Keep reduced dimensions with size 1. Default false. */
  readonly keepDim?: boolean;
}

/** Kernels for rows of any size and for multiples of 4; likewise for numbers of columns. */
interface BySize {
  readonly any: Kernel;
  readonly quads: Kernel;
}

interface Reduction {
  readonly rows: BySize;
  /** For adapters with narrow subgroups: 6x on lavapipe. */
  readonly narrowRows: BySize;
  readonly columns: BySize;
}

type Elements = 'f32' | 'i32' | 'u32';

function reduction(operation: string): Readonly<Record<Elements, Reduction>> {
  const rows = (element: Elements, values: KernelValues): BySize => {
    const own = { OP: operation, element, FLOAT: element === 'f32', ...values };
    return {
      any: kernel(reduceRows, { ...own, value: element }),
      quads: kernel(reduceRows, { ...own, value: `vec4<${element}>`, valueBits: 'vec4<u32>', WIDTH: 4 }),
    };
  };
  const of = (element: Elements): Reduction => ({
    rows: rows(element, {}),
    narrowRows: rows(element, { LANES: 8 }),
    columns: {
      any: kernel(reduceColumns, { OP: operation, element, FLOAT: element === 'f32' }),
      quads: kernel(reduceColumns, {
        OP: operation,
        element: `vec4<${element}>`,
        elementBits: 'vec4<u32>',
        FLOAT: element === 'f32',
      }),
    },
  });
  return { f32: of('f32'), i32: of('i32'), u32: of('u32') };
}

const sums = reduction('SUM');
const maxima = reduction('MAX');
const minima = reduction('MIN');

/** Values that one invocation sums. */
const chunkOfColumn = 1024;
const chunkOfRow = 16384;
/** Columns that keep the adapter busy without a division into parts. */
const enoughColumns = 4096;

/** x as [outer, length, inner], reduced over length: [outer, inner]. */
function reduceOnce(name: string, op: Reduction, x: Tensor, outer: number, length: number, inner: number): Tensor {
  const limits = deviceOf(x).limits;
  if (outer === 1 && x.bytes > limits.maxStorageBufferBindingSize) {
    const spans = splitRows(name, length, [4 * inner], limits);
    const partial = spans.map(({ start, count }) => {
      const y = newEmpty(x, [1, inner]);
      reduceParts(op, part(x, 4 * start * inner, 4 * count * inner), y, 1, count, inner, x.dtype);
      return y;
    });
    return reduceOnce(name, op, cat(partial, 0), 1, spans.length, inner);
  }
  const rowBytes = [4 * length * inner, 4 * inner];
  if (outer > 1 && x.bytes > limits.maxStorageBufferBindingSize && !canSplitRows(rowBytes, limits)) {
    const rows = viewOf(x, [outer, length, inner]);
    const reduced = Array.from({ length: outer }, (_, i) => {
      const row = slice(rows, 0, i, i + 1);
      const y = reduceOnce(name, op, row, 1, length, inner);
      row.dispose();
      return y;
    });
    return cat(reduced, 0);
  }
  const y = newEmpty(x, [outer, inner]);
  for (const { start, count } of splitRows(name, outer, rowBytes, limits)) {
    const source = part(x, 4 * start * length * inner, 4 * count * length * inner);
    reduceParts(op, source, part(y, 4 * start * inner, 4 * count * inner), count, length, inner, x.dtype);
  }
  return y;
}

function reduceParts(
  op: Reduction,
  x: Memory,
  y: Memory,
  outer: number,
  length: number,
  inner: number,
  dtype: DType,
): void {
  const parts = inner === 1 ? partsOfRow(outer, length) : partsOfColumn(outer * inner, length);
  const width = inner === 1 && length % 4 === 0 ? 4 : 1;
  const values = length / width;
  const chunk = Math.ceil(values / parts);
  const used = Math.ceil(values / chunk);
  const into = used === 1 ? y : workspace(deviceOf(x), [outer, used, inner], dtype);
  if (inner === 1) {
    const rows = deviceOf(x).narrow ? op.narrowRows : op.rows;
    const form = width === 4 ? rows.quads : rows.any;
    run(form, { x, y: into }, { rows: outer, columns: values, parts: used, chunk }, outer * used);
  } else {
    // Four columns are one vec4 where rows are multiples of 4.
    const [form, across] = inner % 4 === 0 ? [op.columns.quads, inner / 4] : [op.columns.any, inner];
    const groups = Math.ceil((outer * used * across) / form.const('LANES'));
    run(form, { x, y: into }, { outer, length, inner: across, parts: used, chunk }, groups);
  }
  if (into !== y) {
    reduceParts(op, into, y, outer, used, inner, dtype);
    (into as Workspace).dispose();
  }
}

function partsOfRow(rows: number, length: number): number {
  return rows >= 64 ? Math.ceil(length / chunkOfRow) : Math.ceil(length / Math.min(chunkOfRow, 4096));
}

function partsOfColumn(columns: number, length: number): number {
  const wanted = Math.min(Math.ceil(enoughColumns / columns), Math.ceil(length / 32));
  return Math.max(wanted, Math.ceil(length / chunkOfColumn));
}

/** Reduces `dims` in runs of neighboring dimensions, the last run first. */
function reduce(
  name: string,
  ops: Readonly<Record<Elements, Reduction>>,
  x: Tensor,
  dims: readonly number[],
  keepDim: boolean,
): Tensor {
  return scope(() => reduceRuns(name, ops[wgslType[x.dtype]], x, dims, keepDim));
}

function reduceRuns(name: string, op: Reduction, x: Tensor, dims: readonly number[], keepDim: boolean): Tensor {
  const sizes = [...x.shape];
  let y = x.detach();
  for (let last = dims.length - 1; last >= 0; ) {
    let first = last;
    while (first > 0 && dims[first - 1] === (dims[first] as number) - 1) first--;
    const [from, to] = [dims[first] as number, dims[last] as number];
    const outer = sizeOf(sizes.slice(0, from));
    const length = sizeOf(sizes.slice(from, to + 1));
    const inner = sizeOf(sizes.slice(to + 1));
    if (length > 1) y = reduceOnce(name, op, y, outer, length, inner);
    sizes.fill(1, from, to + 1);
    last = first - 1;
  }
  const shape = keepDim ? sizes : sizes.filter((_, dim) => !dims.includes(dim));
  // A result never shares the memory of x, which an optimizer may change in place.
  return storageOf(y) === storageOf(x) ? expand(viewOf(y, shape), shape) : viewOf(y, shape);
}

/** Broadcasts dy back over the reduced dimensions. */
function broadcastBack(dy: Tensor, shape: Shape, dims: readonly number[]): Tensor {
  return expand(
    reshape(
      dy,
      shape.map((size, dim) => (dims.includes(dim) ? 1 : size)),
    ),
    shape,
  );
}

const reduceOptions = ['keepDim'];
const varianceOptions = ['keepDim', 'correction'];

/** The option `keepDim`. Throws ValueError for options other than `names`. */
function keepDimOf(name: string, options: ReduceOptions, names: readonly string[] = reduceOptions): boolean {
  expectOptions(name, options, names);
  const { keepDim = false } = options;
  expectBoolean(name, 'keepDim', keepDim);
  return keepDim;
}

/** The sum over `dims`; for bool, the number of true values. */
export function sum(x: Tensor, dims?: Dims, options: ReduceOptions = {}): Tensor {
  const keepDim = keepDimOf('sum', options);
  const over = normalizeDims('sum', dims, x.rank);
  const terms = x.dtype === 'bool' ? x.to('int32') : x;
  const shape = x.shape;
  return record(
    'sum',
    reduce('sum', sums, terms, over, keepDim),
    { x: terms },
    {
      saves: {},
      backward: (dy) => ({ x: broadcastBack(dy, shape, over) }),
    },
  );
}

/** The mean over `dims`, of float32. */
export function mean(x: Tensor, dims?: Dims, options: ReduceOptions = {}): Tensor {
  expectDtype('mean', 'x', x, 'float32');
  const keepDim = keepDimOf('mean', options);
  const over = normalizeDims('mean', dims, x.rank);
  return scope(() => sum(x, over, { keepDim }).div(sizeOf(over.map((dim) => x.shape[dim] as number))));
}

/** The largest value over `dims`, NaN if there is one. Equal largest values share the gradient (`torch.amax`). */
export function max(x: Tensor, dims?: Dims, options: ReduceOptions = {}): Tensor {
  return extreme('max', maxima, x, dims, options);
}

/** The smallest value over `dims`, NaN if there is one. Equal smallest values share the gradient (`torch.amin`). */
export function min(x: Tensor, dims?: Dims, options: ReduceOptions = {}): Tensor {
  return extreme('min', minima, x, dims, options);
}

function extreme(
  name: string,
  ops: Readonly<Record<Elements, Reduction>>,
  x: Tensor,
  dims: Dims,
  options: ReduceOptions,
): Tensor {
  const keepDim = keepDimOf(name, options);
  const over = normalizeDims(name, dims, x.rank);
  const y = reduce(name, ops, x, over, keepDim);
  return record(
    name,
    y,
    { x },
    {
      saves: { x, y },
      backward: (dy, saved) => {
        const chosen = saved.x.eq(broadcastBack(saved.y.detach(), saved.x.shape, over)).to('float32');
        const share = chosen.div(broadcastBack(sum(chosen, over), saved.x.shape, over));
        return { x: broadcastBack(dy, saved.x.shape, over).mul(share) };
      },
    },
  );
}

/** Options of `variance` and `std`. */
export interface VarianceOptions extends ReduceOptions {
  /** The divisor is the count minus this: 1 for the unbiased variance, 0 for the population's. Default 1. */
  readonly correction?: number;
}

/**
 * The variance over `dims`, of float32, in two passes, corrected for the rounding of the mean: a mean that is off by e adds n e^2
 * to the sum of squared deviations, and (sum of deviations)^2 / n is subtracted for it (Chan, Golub and LeVeque, 1983). Throws ValueError where the count does not exceed the correction.
 */
export function variance(x: Tensor, dims?: Dims, options: VarianceOptions = {}): Tensor {
  return varianceOf('variance', x, dims, options);
}

/**
 * The standard deviation over `dims`, of float32: the root of `variance`. The gradient is 0 where it is 0, as in PyTorch. Throws
 * ValueError where the count does not exceed the correction.
 */
export function std(x: Tensor, dims?: Dims, options: VarianceOptions = {}): Tensor {
  return scope(() => {
    const variance = varianceOf('std', x, dims, options);
    // Rounding may leave the variance of equal values slightly below 0.
    const y = noGrad(() => variance.relu().sqrt());
    return record(
      'std',
      y,
      { variance },
      {
        saves: { y },
        backward: (dy, saved) => {
          const isZero = saved.y.eq(0);
          return { variance: where(isZero, 0, dy.div(where(isZero, 1, saved.y)).mul(0.5)) };
        },
      },
    );
  });
}

function varianceOf(name: string, x: Tensor, dims: Dims, options: VarianceOptions): Tensor {
  const keepDim = keepDimOf(name, options, varianceOptions);
  const { correction = 1 } = options;
  expectNumber(name, 'correction', correction);
  expectDtype(name, 'x', x, 'float32');
  const over = normalizeDims(name, dims, x.rank);
  const count = sizeOf(over.map((dim) => x.shape[dim] as number));
  if (!(count > correction)) {
    throw new ValueError(
      `${name}: expected more values than the correction ${correction}, got ${count} (x ${show(x.shape)}); reduce more dimensions or pass a smaller correction`,
    );
  }
  return scope(() => {
    // The result does not depend on the exact value of this mean, so it needs no gradient.
    const deviation = x.sub(noGrad(() => mean(x, over, { keepDim: true })));
    const excess = sum(deviation, over, { keepDim }).square().div(count);
    return sum(deviation.square(), over, { keepDim })
      .sub(excess)
      .div(count - correction);
  });
}

const argKernels = Object.fromEntries(
  (['f32', 'i32', 'u32'] as const).flatMap((element) =>
    [true, false].map((largest) => [
      `${element} ${largest}`,
      kernel(argReduceText, { element, FLOAT: element === 'f32', LARGEST: largest }),
    ]),
  ),
);

/** The int32 index of the first largest value along `dim`, or in the flattened tensor. */
export function argmax(x: Tensor, dim?: number, options: ReduceOptions = {}): Tensor {
  return argReduce('argmax', x, dim, true, options);
}

/** The int32 index of the first smallest value along `dim`, or in the flattened tensor. */
export function argmin(x: Tensor, dim?: number, options: ReduceOptions = {}): Tensor {
  return argReduce('argmin', x, dim, false, options);
}

function argReduce(name: string, x: Tensor, dim: number | undefined, largest: boolean, options: ReduceOptions): Tensor {
  const keepDim = keepDimOf(name, options);
  const along = dim === undefined ? null : normalizeDim(name, dim, x.rank);
  const outer = along === null ? 1 : sizeOf(x.shape.slice(0, along));
  const length = along === null ? x.size : (x.shape[along] as number);
  const inner = along === null ? 1 : sizeOf(x.shape.slice(along + 1));
  const shape = x.shape.map((size, d) => (along === null || d === along ? 1 : size));
  const y = newEmpty(x, keepDim ? shape : shape.filter((_, d) => along !== null && d !== along), 'int32');
  const form = argKernels[`${wgslType[x.dtype]} ${largest}`] as Kernel;
  for (const { start, count } of splitRows(name, outer, [4 * length * inner, 4 * inner], deviceOf(x).limits)) {
    const source = part(x, 4 * start * length * inner, 4 * count * length * inner);
    const target = part(y, 4 * start * inner, 4 * count * inner);
    run(
      form,
      { x: source, y: target },
      { outer: count, length, inner },
      Math.ceil((count * inner) / form.const('LANES')),
    );
  }
  return y;
}
