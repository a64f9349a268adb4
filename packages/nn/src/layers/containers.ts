// Layers that chain or reshape.

import { type Epilogue, scope, type Tensor } from '@mien/tensor';
import { expectInteger, expectList, expectOptions, expectTensor, kindOf } from '@mien/tensor/internal';
import { StateError } from '../errors.ts';
import { asEpilogue, epilogueOptions, type FusedForward, finish, fuse, isEmpty, joined, type Layer } from '../layer.ts';
import { Module } from '../module.ts';

/**
 * Runs its layers one after another; they are its fields 0, 1, 2, ... Without layers, the identity. The result of each layer
 * is freed as soon as the next one has used it: `keep()` it to look at it. Neighbors run in one pass where `Layer.fuse`
 * allows it: ReLU with a batch normalization, Conv2d or Linear, and without gradients a BatchNorm2d in evaluation with its
 * Conv2d.
 */
export class Sequential extends Module {
  readonly [index: number]: Layer;
  readonly length: number;

  constructor(...layers: readonly Layer[]) {
    super();
    for (const [i, layer] of layers.entries()) {
      if (layer instanceof Module) continue;
      throw new StateError(
        `Sequential: layer ${i} must be a Module with forward(), got ${kindOf(layer)}; pass layers as arguments: new Sequential(a, b)`,
      );
    }
    this.length = layers.length;
    Object.assign(this, layers);
  }

  /** The result of the last layer; with an epilogue relu(that + residual). */
  forward(x: Tensor, epilogue: Omit<Epilogue, 'norm'> = {}): Tensor {
    expectTensor('Sequential', 'x', x);
    expectOptions('Sequential', epilogue, epilogueOptions);
    const passes = this.#passes(epilogue);
    // The scope of each pass frees its input, the result of the pass before.
    const run = (end: number): Tensor => (end === 0 ? x : scope(() => (passes[end - 1] as FusedForward)(run(end - 1))));
    return run(passes.length);
  }

  /** The forward with a residual and relu after the last layer. */
  fuse({ norm, ...epilogue }: Epilogue): FusedForward | null {
    return norm ? null : (x) => this.forward(x, epilogue);
  }

  *[Symbol.iterator](): IterableIterator<Layer> {
    for (let i = 0; i < this.length; i++) yield this[i] as Layer;
  }

  /** The passes over the data: each layer with as many of those that follow as it can fuse. */
  #passes(last: Epilogue): FusedForward[] {
    const passes: FusedForward[] = [];
    for (let i = 0; i < this.length; ) {
      const layer = this[i] as Layer;
      let pass: FusedForward = (x) => layer.forward(x);
      let epilogue: Epilogue = {};
      for (i++; i < this.length; i++) {
        const next = asEpilogue(this[i] as Layer);
        const both = next && joined(epilogue, next);
        const fused = both && fuse(layer, both);
        if (!fused) break;
        [pass, epilogue] = [fused, both];
      }
      passes.push(i === this.length ? withEpilogue(layer, pass, epilogue, last) : pass);
    }
    return passes.length > 0 || isEmpty(last) ? passes : [(x) => finish(x, last)];
  }
}

/** `pass`, which is `layer` with `epilogue`, followed by `last`: in the same pass where the layer can fuse it. */
function withEpilogue(layer: Layer, pass: FusedForward, epilogue: Epilogue, last: Epilogue): FusedForward {
  if (isEmpty(last)) return pass;
  const both = joined(epilogue, last);
  return (both && fuse(layer, both)) ?? ((x) => finish(pass(x), last));
}

/** Merges the dimensions from `startDim` to `endDim`, included; by default [N, ...] to [N, product of the other sizes]. */
export class Flatten extends Module {
  readonly startDim: number;
  readonly endDim: number;

  constructor(startDim: number = 1, endDim: number = -1) {
    super();
    for (const [name, dim] of Object.entries({ startDim, endDim }))
      expectInteger('Flatten', name, dim, Number.NEGATIVE_INFINITY);
    this.startDim = startDim;
    this.endDim = endDim;
  }

  forward(x: Tensor): Tensor {
    expectTensor('Flatten', 'x', x);
    return x.flatten(this.startDim, this.endDim);
  }
}

/** Divides `dim` into `sizes`, of which one may be -1: the inverse of Flatten. */
export class Unflatten extends Module {
  readonly dim: number;
  readonly sizes: readonly number[];

  constructor(dim: number, sizes: readonly number[]) {
    super();
    expectInteger('Unflatten', 'dim', dim, Number.NEGATIVE_INFINITY);
    expectList('Unflatten', 'sizes', sizes);
    for (const size of sizes) expectInteger('Unflatten', 'each size', size, -1);
    this.dim = dim;
    this.sizes = [...sizes];
  }

  forward(x: Tensor): Tensor {
    expectTensor('Unflatten', 'x', x);
    return x.unflatten(this.dim, this.sizes);
  }
}

/** x */
export class Identity extends Module {
  forward(x: Tensor): Tensor {
    return x;
  }
}
