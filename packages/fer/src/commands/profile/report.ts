// The result of `profileTraining`, and the names and times of its rows.
import type { Peak, ProfileRow } from '@mien/tensor';
import type { ModelName } from '../../models/catalog.ts';

/** The cost of a training step. Times are in seconds. */
export interface ProfileReport {
  readonly adapter: string;
  readonly model: ModelName;
  readonly batchSize: number;
  /** Median time of steps without profiling, from their start to the readback of the loss. */
  readonly stepSeconds: number;
  /** The part of it that JavaScript takes before it waits for the device. */
  readonly hostSeconds: number;
  /** Command buffers per step. */
  readonly submits: number;
  /** Total time of all kernels and copies of the profiled step. */
  readonly kernelSeconds: number;
  /** Whether the times are the device's timestamps; otherwise each includes a submit and a wait. */
  readonly stamps: boolean;
  readonly peak: Peak;
  readonly rows: readonly ProfileRow[];
}

/** A row's kernel, its work before the values that specialize it: `gemm 64x512x64 <BIAS=true>`. */
export function nameOf({ kernel, work }: Pick<ProfileRow, 'kernel' | 'work'>): string {
  if (work === '') return kernel;
  const [name, ...values] = kernel.split('<');
  return [`${name} ${work}`, ...values].join(' <');
}

/** `12.3 ms`, or `1.23 s`. */
export function milliseconds(seconds: number): string {
  return seconds >= 1 ? `${seconds.toFixed(2)} s` : `${(1000 * seconds).toFixed(seconds < 0.1 ? 2 : 1)} ms`;
}
