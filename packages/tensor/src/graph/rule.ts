// How an operation is differentiated, as `record` takes it.
import type { Tensor } from '../tensor.ts';

/** Tensors by the operation's own names for them; null for optional ones that are absent. */
export type Tensors = Readonly<Record<string, Tensor | null>>;

/** The gradients a backward function returns; what is not needed may be null, false or absent. */
export type Gradients<I> = { readonly [K in keyof I]?: Tensor | null | false };

/** How an operation is differentiated. */
export interface Rule<I extends Tensors, S extends Tensors> {
  /** Everything that backward keeps alive. */
  readonly saves: S;
  /**
   * From the gradient of the output to the gradients of the inputs, each of its input's shape. Written with operations.
   * Reading a saved tensor that was changed in place throws GradientError; those that are not read may change.
   */
  readonly backward: (dy: Tensor, saved: S, needs: { readonly [K in keyof I]: boolean }) => Gradients<I>;
  /**
   * Computes the output again from what was saved, where that is cheap: operations that save the output keep no copy, and
   * backward computes it when they read it. Chen et al., Training Deep Nets with Sublinear Memory Cost (2016).
   */
  readonly recompute?: ((saved: S) => Tensor) | null;
}
