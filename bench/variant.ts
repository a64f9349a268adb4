// What `npm run try` needs of each way to compute the same thing.
import type { Tensor } from '@mien/tensor';
import type { Values } from '@mien/tensor/reference';
import type { NearOptions } from '@mien/tensor/testing';

/** One way to compute. `run` encodes it once; the caller disposes of what it gives. */
export interface Variant extends Pick<NearOptions, 'operands'> {
  readonly name: string;
  readonly run: () => Promise<Tensor>;
}

/** A problem, its answer in float64, and the ways to compute it. */
export interface Trial {
  readonly name: string;
  readonly flops: number;
  readonly expected: Values;
  /** Products summed into one result, from which the tolerance follows. */
  readonly terms: number;
  readonly variants: readonly Variant[];
}
