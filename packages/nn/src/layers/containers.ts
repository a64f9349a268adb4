// Layers that shape or chain others.
import type { Tensor } from '@mien/tensor';
import { type Layer, Module } from '../module.ts';

/** Runs its layers one after another; they are its fields 0, 1, 2, ... Without layers, the identity. */
export class Sequential extends Module {
  readonly [index: number]: Layer;
  readonly length: number;

  constructor(...layers: readonly Layer[]) {
    super();
    this.length = layers.length;
    Object.assign(this, layers);
  }

  forward(x: Tensor): Tensor {
    let y = x;
    for (const layer of this) y = layer.forward(y);
    return y;
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
