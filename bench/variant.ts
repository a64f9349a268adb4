// What `npm run try` needs of each way to compute the same thing.
import type { Tensor } from '@mien/tensor';
import type { Values } from '@mien/tensor/reference';

/** One way to compute: a kernel with its tile sizes. */
export interface Variant {
  readonly name: string;
  /** Tile sizes and other consts worth seeing. */
  readonly consts: Readonly<Record<string, number>>;
  readonly run: () => Tensor;
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
