// Networks in two parts, as Grad-CAM needs them.
import { type Layer, Sequential } from '@mien/nn';
import type { Tensor } from '@mien/tensor';

/** A network in two parts: `head(body(x))` are its logits [N, classes], `body(x)` its last feature map [N, C, P, Q]. */
export interface CutNetwork {
  readonly body: (x: Tensor) => Tensor;
  readonly head: (map: Tensor) => Tensor;
}

/** The layers applied one after the other. */
export function chain(...layers: readonly Layer[]): (x: Tensor) => Tensor {
  const all = new Sequential(...layers);
  return (x) => all.forward(x);
}
