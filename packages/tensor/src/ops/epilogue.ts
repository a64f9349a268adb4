// What operations apply to their results as they store them. lib/epilogue.wgsl implements it for all kernels.
import type { Memory } from '../runtime/memoryRange.ts';
import type { Tensor } from '../tensor.ts';

/** What kernels apply to the results of each channel, in this order. */
export interface KernelEpilogue {
  /** Added: [channels]. */
  readonly bias?: Tensor | null;
  /** Mean, inverse deviation, scale and shift of each channel, instead of a bias: [channels, 4]. Results are normalized by them. */
  readonly statistics?: Tensor | null;
  /** Whether the values that the result overwrites are added after the normalization. */
  readonly adds?: boolean;
  /** Whether max(., 0) is applied last. */
  readonly relu?: boolean;
}

/** The values of the kernels' const FINISH, in their order there. */
export const finishes = ['NOTHING', 'BIAS', 'NORM', 'NORM_SUM'] as const;

/** The index in `finishes` of an epilogue. */
export function finishOf({ bias, statistics, adds = false }: KernelEpilogue): 0 | 1 | 2 | 3 {
  if (statistics) return adds ? 3 : 2;
  return bias ? 1 : 0;
}

/** The bindings that every kernel with an epilogue has. */
export function epilogueBindings({
  bias = null,
  statistics = null,
}: KernelEpilogue): Record<'bias' | 'statistics', Memory | null> {
  return { bias, statistics };
}
