// Problems of `npm run try`, each with the variants that compute it.
import type { Tensor } from '@mien/tensor';
import type { Values } from '@mien/tensor/reference';

/** One variant. `run` encodes it once; the caller disposes of its result. */
export interface Variant {
  readonly name: string;
  /** Its answer, where its error bound differs from the problem's. */
  readonly expected?: Values;
  readonly run: () => Promise<Tensor>;
}

/** A problem, its answer in float64 with its error bound, and the variants that compute it. */
export interface Problem {
  readonly name: string;
  readonly flops: number;
  readonly expected: Values;
  readonly variants: readonly Variant[];
}
