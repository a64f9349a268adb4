// What `npm run try` needs of each way to compute the same thing.
import type { Tensor } from '@mien/tensor';
import type { Values } from '@mien/tensor/reference';

/** One way to compute. `run` encodes it once; the caller disposes of what it gives. */
export interface Variant {
  readonly name: string;
  /** Its answer, where its bound is another than the trial's. */
  readonly expected?: Values;
  readonly run: () => Promise<Tensor>;
}

/** A problem, its answer in float64 with the bound of its error, and the ways to compute it. */
export interface Trial {
  readonly name: string;
  readonly flops: number;
  readonly expected: Values;
  readonly variants: readonly Variant[];
}
