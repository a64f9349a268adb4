// What operations apply to their results as they store them. lib/epilogue.wgsl implements it for all kernels.
import type { Memory } from '../runtime/memoryRange.ts';
import type { Tensor } from '../tensor.ts';

/** Work on a result y in the same pass: relu(norm(y) + residual), each part optional. */
export interface Epilogue {
  /** A batch normalization by running statistics. */
  readonly norm?: BatchNormParameters;
  /** Added after the normalization; has the result's shape. */
  readonly residual?: Tensor | null;
  /** Whether max(., 0) is applied last. Default false. */
  readonly relu?: boolean;
}

/** Parameters and options of `batchNorm`. */
export interface BatchNormParameters extends Pick<Epilogue, 'residual' | 'relu'> {
  /** The scale by channel [C]; ones when null. */
  readonly weight: Tensor | null;
  /** The shift by channel [C]; zeros when null. */
  readonly bias: Tensor | null;
  /** [C]. Training updates it in place by the batch's mean, evaluation normalizes by it. May be null in training. */
  readonly runningMean: Tensor | null;
  /** [C]. Training updates it in place by the batch's unbiased variance. May be null in training. */
  readonly runningVar: Tensor | null;
  /** Normalize by this batch's statistics rather than by the running ones. */
  readonly training: boolean;
  /** Weight of the newest batch in the running statistics. Default 0.1. */
  readonly momentum?: number;
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

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

/** The same with memory of any kind, as kernels bind it. */
export interface BoundEpilogue extends Omit<KernelEpilogue, 'bias'> {
  readonly bias?: Memory | null;
}

/** The values of the kernels' const FINISH, in their order there. */
export const finishes = ['NOTHING', 'BIAS', 'NORM', 'NORM_SUM'] as const;

/** The index in `finishes` of an epilogue. */
export function finishOf({ bias, statistics, adds = false }: BoundEpilogue): 0 | 1 | 2 | 3 {
  if (statistics) return adds ? 3 : 2;
  return bias ? 1 : 0;
}

/** The bindings that every kernel with an epilogue has. */
export function epilogueBindings({
  bias = null,
  statistics = null,
}: BoundEpilogue): Record<'bias' | 'statistics', Memory | null> {
  return { bias, statistics };
}
