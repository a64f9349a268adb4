// The description of a matrix product that its algorithms share.
import { kernelLanes, type Limits } from '../runtime/limits.ts';
import { deviceOf, type Memory } from '../runtime/memoryRange.ts';
import type { Work } from '../runtime/work.ts';
import type { BoundEpilogue } from './epilogue.ts';

/**
 * An operand of `gemm`, k-major: lib/gemm.wgsl defines its sizes. One that is stored transposed has rows of step
 * 1 and planes of 1; algorithms that cannot read that, or a width that is no multiple of 4, pack it first.
 */
export interface Operand {
  readonly memory: Memory;
  /** Numbers in a row. */
  readonly width: number;
  /** Elements from one row to the next. Default: the width. */
  readonly step?: number;
  /** Consecutive numbers of a row. Default: the width. */
  readonly plane?: number;
  /** Elements from one plane of a row to the next. */
  readonly image?: number;
  /** Elements from one matrix to the next; 0 repeats one matrix. Default 0. */
  readonly batch?: number;
}

/**
 * The most products that one chain of additions sums: the error of a result is at most this times 2^-24 of the sum of
 * magnitudes. Longer depths are split, and `sum` adds the splits.
 */
export const longestChain: number = 2 ** 16;

/** The result of `gemm`: planes of columns, as in an operand; without `step` and `plane` rows of all columns. */
export interface Result extends Omit<Operand, 'width'> {}

/**
 * The arguments of `gemm`: for every batch and split, c [rows, columns] = a [depth, rows] times b [depth, columns], with an
 * epilogue. Statistics are by row; they and relu require a single split.
 */
export interface Product extends BoundEpilogue {
  readonly a: Operand;
  readonly b: Operand;
  readonly c: Result;
  /** Whether rows or columns are the channels of the epilogue. Default `row`. */
  readonly biasBy?: 'row' | 'column';
  /** Channels from one matrix to the next; 0 repeats them. Default 0. */
  readonly biasBatch?: number;
  /** Whether operands may be rounded to f16 first; sums are f32. Default false. */
  readonly half?: boolean;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** Number of matrices. Default 1. */
  readonly batches?: number;
  /** Equal parts of the depth, each with a separate result; the caller adds them. Default 1. */
  readonly splits?: number;
}

/** How one algorithm runs a product. */
export interface ProductAlgorithm {
  readonly run: (product: Product) => void;
  /** Workgroups without splits. */
  readonly groups: (product: Product) => number;
}

/** The work of a product, for the profiler. */
export function workOf({ batches = 1, rows, columns, depth }: Product): Work {
  const name = `${batches > 1 ? `${batches} x ` : ''}${rows}x${columns}x${depth}`;
  return { name, flops: 2 * batches * rows * columns * depth };
}

/** Channels from row to row and from column to column. */
export function biasSteps({ biasBy = 'row' }: Product): { biasRow: number; biasColumn: number } {
  return { biasRow: Number(biasBy === 'row'), biasColumn: Number(biasBy === 'column') };
}

/** Whether an operand is stored [width, depth]. */
export function isTransposed({ step, plane }: Operand): boolean {
  return step === 1 && plane === 1;
}

/** The limits of the adapter that a product runs on. */
export function productLimits({ c }: Product): Limits {
  return deviceOf(c.memory).limits;
}

/**
 * How many vec4 of `size` a lane takes in kernels with subgroups: two, unless tiles of two compute more than `mostWaste` times
 * what tiles of one do.
 */
export function quadsOf(size: number, mostWaste: number): 1 | 2 {
  const computed = (quads: number): number => Math.ceil(size / (4 * kernelLanes * quads)) * quads;
  return computed(2) > mostWaste * computed(1) ? 1 : 2;
}
