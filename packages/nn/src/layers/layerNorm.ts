import { layerNorm, ones, rmsNorm, type Tensor, zeros } from '@mien/tensor';
import {
  expectBoolean,
  expectInteger,
  expectNumber,
  expectOptions,
  expectTensor,
  optionNames,
} from '@mien/tensor/internal';
import { Module, parameter } from '../module.ts';

/** Options of `LayerNorm`. */
export interface LayerNormLayerOptions {
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
  /** Whether there are weight and bias. Default true. */
  readonly elementwiseAffine?: boolean;
  /** Whether there is a bias beside the weight. Default true. */
  readonly bias?: boolean;
}

/** Options of `RMSNorm`. */
export interface RMSNormLayerOptions {
  /** Added to the mean square. Default 2^-23. */
  readonly eps?: number;
  /** Whether there is a weight. Default true. */
  readonly elementwiseAffine?: boolean;
}

const layerNormOptions = optionNames<LayerNormLayerOptions>({ eps: true, elementwiseAffine: true, bias: true });
const rmsNormOptions = optionNames<RMSNormLayerOptions>({ eps: true, elementwiseAffine: true });

/** The sizes of the normalized dimensions. Throws ValueError unless they are positive integers. */
function shapeOf(name: string, normalizedShape: number | readonly number[]): readonly number[] {
  const shape: readonly unknown[] = Array.isArray(normalizedShape) ? normalizedShape : [normalizedShape];
  expectInteger(name, 'the length of normalizedShape', shape.length);
  for (const size of shape) expectInteger(name, 'normalizedShape', size);
  return shape as readonly number[];
}

/**
 * `layerNorm` over the last dimensions of x, whose sizes are `normalizedShape`, with a weight that starts at ones and a bias that
 * starts at zeros.
 */
export class LayerNorm extends Module {
  readonly #normalizedShape: readonly number[];
  readonly #eps: number;
  /** Of the normalized shape; null without `elementwiseAffine`. */
  readonly weight: Tensor | null;
  /** Of the normalized shape; null without `elementwiseAffine` or `bias`. */
  readonly bias: Tensor | null;

  constructor(normalizedShape: number | readonly number[], options: LayerNormLayerOptions = {}) {
    super();
    this.#normalizedShape = shapeOf('LayerNorm', normalizedShape);
    expectOptions('LayerNorm', options, layerNormOptions);
    const { eps = 1e-5, elementwiseAffine = true, bias = true } = options;
    expectNumber('LayerNorm', 'eps', eps, 0);
    expectBoolean('LayerNorm', 'elementwiseAffine', elementwiseAffine);
    expectBoolean('LayerNorm', 'bias', bias);
    this.#eps = eps;
    this.weight = elementwiseAffine ? parameter(ones(this.#normalizedShape)) : null;
    this.bias = elementwiseAffine && bias ? parameter(zeros(this.#normalizedShape)) : null;
  }

  forward(x: Tensor): Tensor {
    expectTensor('LayerNorm', 'x', x);
    return layerNorm(x, this.#normalizedShape, { weight: this.weight, bias: this.bias, eps: this.#eps });
  }
}

/** `rmsNorm` over the last dimensions of x, whose sizes are `normalizedShape`, with a weight that starts at ones. */
export class RMSNorm extends Module {
  readonly #normalizedShape: readonly number[];
  readonly #eps: number;
  /** Of the normalized shape; null without `elementwiseAffine`. */
  readonly weight: Tensor | null;

  constructor(normalizedShape: number | readonly number[], options: RMSNormLayerOptions = {}) {
    super();
    this.#normalizedShape = shapeOf('RMSNorm', normalizedShape);
    expectOptions('RMSNorm', options, rmsNormOptions);
    const { eps = 2 ** -23, elementwiseAffine = true } = options;
    expectNumber('RMSNorm', 'eps', eps, 0);
    expectBoolean('RMSNorm', 'elementwiseAffine', elementwiseAffine);
    this.#eps = eps;
    this.weight = elementwiseAffine ? parameter(ones(this.#normalizedShape)) : null;
  }

  forward(x: Tensor): Tensor {
    expectTensor('RMSNorm', 'x', x);
    return rmsNorm(x, this.#normalizedShape, { weight: this.weight, eps: this.#eps });
  }
}
