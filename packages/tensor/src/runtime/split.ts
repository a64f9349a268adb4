// Splits work whose tensors are larger than one binding into flat ranges, or into rows of the leading dimension.
import { LimitError } from '../errors.ts';
import { type Limits, partAlignment } from './limits.ts';
import { deviceOf, type Memory, type MemoryRange, memoryRange, storageOf } from './memoryRange.ts';

/** `bytes` of `memory` from `offset`. */
export function part(memory: Memory, offset: number, bytes: number): MemoryRange {
  return memoryRange(storageOf(memory), memory.byteOffset + offset, bytes, memory.dtype);
}

/** An aligned part of a tensor that contains some of its elements. */
export interface Window {
  readonly memory: Memory;
  /** The index of its first element in the tensor. */
  readonly start: number;
  /** The number of its elements. */
  readonly count: number;
}

/** The smallest window over the elements from `first` to `end`, exclusive. */
export function windowOver(tensor: Memory, first: number, end: number): Window {
  const unit = partAlignment(deviceOf(tensor).limits) / 4;
  const start = Math.floor(first / unit) * unit;
  return { memory: part(tensor, 4 * start, 4 * (end - start)), start, count: end - start };
}

/** Consecutive windows over the elements from `first` to `end`, exclusive, each as large as a binding may be. */
export function windowsOver(tensor: Memory, first: number, end: number): readonly Window[] {
  const { limits } = deviceOf(tensor);
  const unit = partAlignment(limits) / 4;
  const most = Math.floor(limits.maxStorageBufferBindingSize / (4 * unit)) * unit;
  const windows: Window[] = [];
  for (let start = Math.floor(first / unit) * unit; start < end; start += most) {
    windows.push(windowOver(tensor, start, Math.min(start + most, end)));
  }
  return windows;
}

/** One part of a tensor: its first element or row, and their number. */
export interface Span {
  readonly start: number;
  readonly count: number;
}

/** Splits `count` elements of four bytes so that each part can be bound. */
export function splitElements(count: number, limits: Limits): readonly Span[] {
  return splitRows('elementwise', count, [4], limits);
}

/** Splits `rows` so that every part of every tensor can be bound: `rowBytes` lists the bytes of a row of each tensor. */
export function splitRows(name: string, rows: number, rowBytes: readonly number[], limits: Limits): readonly Span[] {
  const most = limits.maxStorageBufferBindingSize;
  const largest = Math.max(...rowBytes);
  if (rows * largest <= most) return [{ start: 0, count: rows }];
  const unit = unitOf(rowBytes, limits);
  const count = Math.floor(most / largest / unit) * unit;
  if (count === 0) {
    throw new LimitError(
      `${name}: ${unit} rows of ${largest} bytes exceed this adapter's binding limit of ${most}; use smaller rows`,
    );
  }
  return spansOf(rows, count);
}

/** Whether the smallest possible part can be bound. */
export function canSplitRows(rowBytes: readonly number[], limits: Limits): boolean {
  return unitOf(rowBytes, limits) * Math.max(...rowBytes) <= limits.maxStorageBufferBindingSize;
}

/** The smallest number of rows at whose multiples every tensor can be bound: parts start there. */
export function unitOf(rowBytes: readonly number[], limits: Limits): number {
  const alignment = partAlignment(limits);
  return rowBytes.reduce(
    (unit, bytes) => leastCommonMultiple(unit, alignment / greatestCommonDivisor(alignment, bytes)),
    1,
  );
}

/** Parts of `count` rows; the last one has the rest. */
export function spansOf(rows: number, count: number): readonly Span[] {
  const spans: Span[] = [];
  for (let start = 0; start < rows; start += count) spans.push({ start, count: Math.min(count, rows - start) });
  return spans;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function leastCommonMultiple(a: number, b: number): number {
  return (a / greatestCommonDivisor(a, b)) * b;
}
