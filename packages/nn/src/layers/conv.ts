import {
  type ActivationOptions,
  type BatchNormParameters,
  type Conv2dOptions,
  type ConvTranspose2dOptions,
  conv2d,
  convBatchNorm2d,
  convTranspose2d,
  expectConvolution,
  expectOptions,
  type RandomOptions,
  type Tensor,
} from '@mien/tensor';
import { defaultUniform } from '../init.ts';
import { Module, parameter } from '../module.ts';

/** A size of height and width together, or of each. */
export type Size2d = number | readonly [height: number, width: number];

interface BiasOptions extends RandomOptions {
  /** Whether there is a bias. Default true. */
  readonly bias?: boolean;
}

export interface Conv2dLayerOptions extends Conv2dOptions, BiasOptions {}

export interface ConvTranspose2dLayerOptions extends ConvTranspose2dOptions, BiasOptions {}

/** What is done to a convolution's result in the same pass. */
export interface ConvEpilogue extends ActivationOptions {
  /** The batch normalization that comes first, as `batchNorm` is told. */
  readonly norm?: BatchNormParameters;
}

/** Cross-correlation: [N, inChannels, H, W] to [N, outChannels, P, Q]. */
export class Conv2d extends Module {
  /** [outChannels, inChannels / groups, R, S] */
  readonly weight: Tensor;
  /** [outChannels] */
  readonly bias: Tensor | null;
  readonly #options: Conv2dOptions;

  constructor(inChannels: number, outChannels: number, kernelSize: Size2d, options: Conv2dLayerOptions = {}) {
    super();
    const [r, s] = expectConvolution('Conv2d', { inChannels, outChannels }, kernelSize, options);
    const { bias = true, generator, ...rest } = options;
    const inputs = inChannels / (rest.groups ?? 1);
    const random = generator ? { generator } : {};
    this.#options = rest;
    this.weight = parameter(defaultUniform([outChannels, inputs, r, s], inputs * r * s, random));
    this.bias = bias ? parameter(defaultUniform([outChannels], inputs * r * s, random)) : null;
  }

  /** The convolution; with an epilogue relu(norm(that)), in one pass but where a normalization is trained. */
  forward(x: Tensor, epilogue: ConvEpilogue = {}): Tensor {
    expectOptions('Conv2d', epilogue);
    const { norm, relu = false } = epilogue;
    if (norm) return convBatchNorm2d(x, this.weight, this.bias, this.#options, relu ? { ...norm, relu } : norm);
    return conv2d(x, this.weight, this.bias, { ...this.#options, relu });
  }
}

/** The gradient of a Conv2d as a layer: [N, inChannels, H, W] to [N, outChannels, P, Q]. */
export class ConvTranspose2d extends Module {
  /** [inChannels, outChannels / groups, R, S] */
  readonly weight: Tensor;
  /** [outChannels] */
  readonly bias: Tensor | null;
  readonly #options: ConvTranspose2dOptions;

  constructor(inChannels: number, outChannels: number, kernelSize: Size2d, options: ConvTranspose2dLayerOptions = {}) {
    super();
    const [r, s] = expectConvolution('ConvTranspose2d', { inChannels, outChannels }, kernelSize, options);
    const { bias = true, generator, ...rest } = options;
    const outputs = outChannels / (rest.groups ?? 1);
    const random = generator ? { generator } : {};
    this.#options = rest;
    // PyTorch counts the fan of this weight as a convolution's, dimension 1 times the taps.
    this.weight = parameter(defaultUniform([inChannels, outputs, r, s], outputs * r * s, random));
    this.bias = bias ? parameter(defaultUniform([outChannels], outputs * r * s, random)) : null;
  }

  forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight, this.bias, this.#options);
  }
}
