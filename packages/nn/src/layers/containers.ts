// Layers that shape or chain others.
import { scope, type Tensor } from '@mien/tensor';
import { type Layer, Module } from '../module.ts';

/**
 * Runs its layers one after another; they are its fields 0, 1, 2, ... Without layers, the identity. What a layer makes is
 * given back after the next one, as far as no gradient needs it: a layer that wants its output for later takes keep(y).
 */
export class Sequential extends Module {
  readonly [index: number]: Layer;
  readonly length: number;

  constructor(...layers: readonly Layer[]) {
    super();
    this.length = layers.length;
    Object.assign(this, layers);
  }

  forward(x: Tensor): Tensor {
    return this.#after(this.length, x);
  }

  /** x after the first `count` layers. */
  #after(count: number, x: Tensor): Tensor {
    return count === 0 ? x : scope(() => (this[count - 1] as Layer).forward(this.#after(count - 1, x)));
  }

  *[Symbol.iterator](): IterableIterator<Layer> {
    for (let i = 0; i < this.length; i++) yield this[i] as Layer;
  }
}

/** [N, ...] to [N, the rest in one dimension]. */
export class Flatten extends Module {
  forward(x: Tensor): Tensor {
    const [n = 1] = x.shape;
    return x.reshape([n, x.size / n]);
  }
}

/** x */
export class Identity extends Module {
  forward(x: Tensor): Tensor {
    return x;
  }
}
