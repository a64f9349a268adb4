// Layers that shape or chain others.
import { expectOptions, expectTensor, gradEnabled, kindOf, scope, type Tensor } from '@mien/tensor';
import { StateError } from '../errors.ts';
import { type Layer, Module } from '../module.ts';
import { ReLU } from './activation.ts';
import { Conv2d } from './conv.ts';
import { Linear } from './linear.ts';
import { BatchNorm1d, BatchNorm2d, type Epilogue } from './norm.ts';

/**
 * Runs its layers one after another; they are its fields 0, 1, 2, ... Without layers, the identity. What passes between two
 * layers is freed as soon as it was used: take it out with `keep()` to look at it. A ReLU after a batch normalization, a
 * Conv2d or a Linear is done in the same pass, and in evaluation without gradients a batch normalization with its Conv2d.
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
  forward(x: Tensor, epilogue: Epilogue = {}): Tensor {
    expectTensor('Sequential', 'x', x);
    expectOptions('Sequential', epilogue);
    return this.#upTo(this.length, x, epilogue);
  }

  *[Symbol.iterator](): IterableIterator<Layer> {
    for (let i = 0; i < this.length; i++) yield this[i] as Layer;
  }

  /** The result of the first `end` layers; the scope of each frees its input. */
  #upTo(end: number, x: Tensor, epilogue: Epilogue): Tensor {
    const layer = this[end - 1];
    if (!layer) return finish(x, epilogue);
    const before = this[end - 2];
    if (before && is(layer, ReLU) && (takesEpilogue(before) || takesRelu(before)) && isEmpty(epilogue)) {
      return this.#upTo(end - 1, x, { relu: true });
    }
    if (before && is(before, Conv2d) && is(layer, BatchNorm2d) && !layer.training && !gradEnabled()) {
      return scope(() => before.forward(this.#upTo(end - 2, x, {}), { norm: layer.parametersFor(epilogue) }));
    }
    return scope(() => {
      const input = this.#upTo(end - 1, x, {});
      if (takesEpilogue(layer)) return layer.forward(input, epilogue);
      if (takesRelu(layer) && !epilogue.residual) return layer.forward(input, { relu: epilogue.relu ?? false });
      return finish(layer.forward(input), epilogue);
    });
  }
}

/** Whether a layer is of this very class: a subclass may do something else. */
function is<T extends Layer>(layer: Layer, kind: new (...options: never[]) => T): layer is T {
  return layer.constructor === kind;
}

/** Whether it is a layer that does an epilogue in its own pass, or hands it to one. */
function takesEpilogue(layer: Layer): layer is BatchNorm1d | BatchNorm2d | Sequential {
  return is(layer, BatchNorm1d) || is(layer, BatchNorm2d) || is(layer, Sequential);
}

/** Whether it is a layer that does relu in its own pass. */
function takesRelu(layer: Layer): layer is Conv2d | Linear {
  return is(layer, Conv2d) || is(layer, Linear);
}

function isEmpty({ residual, relu = false }: Epilogue): boolean {
  return !residual && !relu;
}

function finish(y: Tensor, { residual, relu = false }: Epilogue): Tensor {
  const sum = residual ? y.add(residual) : y;
  return relu ? sum.relu() : sum;
}

/** [N, ...] to [N, the rest in one dimension]. */
export class Flatten extends Module {
  forward(x: Tensor): Tensor {
    expectTensor('Flatten', 'x', x);
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
