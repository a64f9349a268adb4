// Work whose tensors are larger than one binding is done in parts: flat ranges, or rows of the leading dimension.
import { LimitError } from '../errors.ts';
import { type Limits, partAlignment } from './limits.ts';
import { deviceOf, type Memory, type MemoryRange, memoryRange, storageOf } from './memoryRange.ts';

/** `bytes` of `memory` from `offset`. */
export function part(memory: Memory, offset: number, bytes: number): MemoryRange {
  return memoryRange(storageOf(memory), memory.byteOffset + offset, bytes, memory.dtype);
}

/** A part of a tensor that can be bound although what is wanted of it begins anywhere. */
export interface Window {
  readonly memory: Memory;
  /** The element of the tensor that it begins with. */
  readonly start: number;
  /** How many it holds. */
  readonly count: number;
}

/** The least window over the elements from `first` up to `end`. */
export function windowOver(tensor: Memory, first: number, end: number): Window {
  const unit = partAlignment(deviceOf(tensor).limits) / 4;
  const start = Math.floor(first / unit) * unit;
  return { memory: part(tensor, 4 * start, 4 * (end - start)), start, count: end - start };
}

/** Windows over the elements from `first` up to `end`, as large as can be bound, one after the other. */
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

/** One part of a tensor: its first element or row, and how many. */
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
      `${name}: ${unit} rows of ${largest} bytes are more than this adapter binds (${most}); use smaller rows`,
    );
  }
  return spansOf(rows, count);
}

/** Whether as few rows as a part can have can be bound. */
export function canSplitRows(rowBytes: readonly number[], limits: Limits): boolean {
  return unitOf(rowBytes, limits) * Math.max(...rowBytes) <= limits.maxStorageBufferBindingSize;
}

/** The least rows after which every tensor can be bound again: parts start at multiples of it. */
export function unitOf(rowBytes: readonly number[], limits: Limits): number {
  const alignment = partAlignment(limits);
  return rowBytes.reduce(
    (unit, bytes) => leastCommonMultiple(unit, alignment / greatestCommonDivisor(alignment, bytes)),
    1,
  );
}

/** Parts of `count` rows, the last of what is left. */
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
