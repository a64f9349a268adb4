// Indices sorted by merging, equal ones in their order: each result of a sum by index then finds its terms by bisection instead of
// reading every index.
import mergeRunsText from '@mien/shaders/gather/mergeRuns.wgsl';
import sortBlocksText from '@mien/shaders/gather/sortBlocks.wgsl';
import { kernel } from '../runtime/kernel.ts';
import { deviceOf } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import { newEmpty } from '../runtime/tensorBase.ts';
import type { Tensor } from '../tensor.ts';

const sortBlocks = kernel(sortBlocksText);
const mergeRuns = kernel(mergeRunsText);

/** x as [outer, length, inner] and the index as [outer or 1, count, inner or 1]. */
export interface Picking {
  readonly outer: number;
  readonly length: number;
  readonly inner: number;
  readonly count: number;
  readonly indexOuter: number;
  readonly indexInner: number;
}

/** The sorted indices of each column, [indexOuter, indexInner, count], and their places in it. */
export interface SortedIndex {
  readonly keys: Tensor;
  readonly order: Tensor;
}

/** Comparisons that one dispatch costs. */
const dispatchCost = 1 << 18;

/** Whether sorting the index costs less than reading all of it for each of the sums, and every binding fits. */
export function isSortingCheaper(g: Picking, ...tensors: readonly Tensor[]): boolean {
  const results = g.outer * g.length * g.inner;
  const indices = g.indexOuter * g.count * g.indexInner;
  const block = sortBlocks.const('LANES');
  const merges = Math.max(0, Math.ceil(Math.log2(g.count / block)));
  const [first] = tensors as [Tensor];
  const most = deviceOf(first).limits.maxStorageBufferBindingSize;
  if (!tensors.every(({ bytes }) => bytes <= most)) return false;
  const bisection = Math.log2(g.count + 1);
  const sorted = indices * (Math.min(block, g.count) + merges * bisection) + 2 * results * bisection;
  return results * g.count > 2 * (sorted + g.outer * g.count * g.inner + (1 + merges) * dispatchCost);
}

/** Sorts the columns of an index. */
export function sortedIndex(index: Tensor, { indexOuter, indexInner, count }: Picking): SortedIndex {
  const columns = indexOuter * indexInner;
  const list = (): Tensor => newEmpty(index, [columns, count], 'uint32');
  const make = (): SortedIndex => ({ keys: list(), order: list() });
  let sorted = make();
  const block = sortBlocks.const('LANES');
  const blocks = Math.ceil(count / block);
  run(sortBlocks, { index, ...sorted }, { columns, count, indexInner, blocks }, columns * blocks);
  const groups = Math.ceil((columns * count) / mergeRuns.const('LANES'));
  for (let length = block; length < count; length *= 2) {
    const merged = make();
    const bindings = { ...sorted, mergedKeys: merged.keys, mergedOrder: merged.order };
    run(mergeRuns, bindings, { size: columns * count, count, run: length }, groups);
    for (const each of Object.values(sorted)) each.dispose();
    sorted = merged;
  }
  return sorted;
}
