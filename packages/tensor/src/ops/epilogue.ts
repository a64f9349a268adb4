// What products and convolutions do to their results as they store them: lib/epilogue.wgsl, for all kernels alike.
import type { Memory } from '../runtime/memoryRange.ts';
import type { Tensor } from '../tensor.ts';

/** What an operation can do to its result in the same pass. */
export interface ActivationOptions {
  /** Whether the result is max(., 0). Default false. */
  readonly relu?: boolean;
}

/** What is done to the results of each channel, in this order; nothing, where all is absent. */
export interface Epilogue {
  /** [channels]: added. */
  readonly bias?: Tensor | null;
  /** [channels] of (mean, inverse deviation, scale, shift), in place of a bias: results are normalized by them. */
  readonly statistics?: Tensor | null;
  /** Whether what stands where results go is added to what was normalized. */
  readonly adds?: boolean;
  /** Whether max(., 0) is taken at last. */
  readonly relu?: boolean;
}

/** The kinds that kernels know, in their order there. */
export const finishes = ['NOTHING', 'BIAS', 'NORM', 'NORM_SUM'] as const;

/** The place of an epilogue's kind in `finishes`. */
export function finishOf({ bias, statistics, adds = false }: Epilogue): 0 | 1 | 2 | 3 {
  if (statistics) return adds ? 3 : 2;
  return bias ? 1 : 0;
}

/** The bindings that every kernel with an epilogue has. */
export function epilogueBindings({
  bias = null,
  statistics = null,
}: Epilogue): Record<'bias' | 'statistics', Memory | null> {
  return { bias, statistics };
}
