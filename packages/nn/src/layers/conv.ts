import {
  type Conv2dOptions,
  type ConvTranspose2dOptions,
  conv2d,
  convBatchNorm2d,
  convTranspose2d,
  type Epilogue,
  gradEnabled,
  type RandomOptions,
  type Size2d,
  scope,
  type Tensor,
} from '@mien/tensor';
import { expectConvolution, expectOptions, optionNames } from '@mien/tensor/internal';
import { defaultUniform } from '../init.ts';
import { epilogueOptions, type FusedForward, finish } from '../layer.ts';
import { Module, parameter } from '../module.ts';

interface BiasOptions extends RandomOptions {
  /** Whether there is a bias. Default true. */
  readonly bias?: boolean;
}

export interface Conv2dLayerOptions extends Conv2dOptions, BiasOptions {}

export interface ConvTranspose2dLayerOptions extends ConvTranspose2dOptions, BiasOptions {}

const geometry = { stride: true, padding: true, dilation: true, groups: true } as const;
const conv2dEpilogueOptions = [...epilogueOptions, 'norm'];
const conv2dOptions = optionNames<Conv2dLayerOptions>({ ...geometry, bias: true, generator: true });
const convTranspose2dOptions = optionNames<ConvTranspose2dLayerOptions>({
  ...geometry,
  ...{ outputPadding: true, bias: true, generator: true },
});

/** Cross-correlation: [N, inChannels, H, W] to [N, outChannels, P, Q]. */
export class Conv2d extends Module {
  /** [outChannels, inChannels / groups, R, S] */
  readonly weight: Tensor;
  /** [outChannels] */
  readonly bias: Tensor | null;
  readonly #options: Conv2dOptions;

  constructor(inChannels: number, outChannels: number, kernelSize: Size2d, options: Conv2dLayerOptions = {}) {
    super();
    expectOptions('Conv2d', options, conv2dOptions);
    const [r, s] = expectConvolution('Conv2d', { inChannels, outChannels }, kernelSize, options);
    const { bias = true, generator, ...rest } = options;
    const inputs = inChannels / (rest.groups ?? 1);
    const random = generator ? { generator } : {};
    this.#options = rest;
    this.weight = parameter(defaultUniform([outChannels, inputs, r, s], inputs * r * s, random));
    this.bias = bias ? parameter(defaultUniform([outChannels], inputs * r * s, random)) : null;
  }

  /** The convolution y; with an epilogue relu(norm(y) + residual), in one pass where `fuse` returns one. */
  forward(x: Tensor, epilogue: Epilogue = {}): Tensor {
    expectOptions('Conv2d', epilogue, conv2dEpilogueOptions);
    const { norm, residual, relu = false } = epilogue;
    const { weight, bias } = this;
    if (norm) {
      const rest = { ...(residual ? { residual } : {}), ...(relu ? { relu } : {}) };
      return convBatchNorm2d(x, weight, bias, this.#options, { ...norm, ...rest });
    }
    if (residual) return scope(() => finish(conv2d(x, weight, bias, this.#options), epilogue));
    return conv2d(x, weight, bias, { ...this.#options, relu });
  }

  /** The forward with `epilogue` in the same pass: relu always, a normalization with a residual without gradients. */
  fuse(epilogue: Epilogue): FusedForward | null {
    const fits = epilogue.norm ? !gradEnabled() : !epilogue.residual;
    return fits ? (x) => this.forward(x, epilogue) : null;
  }
}

/** Transposed convolution, the gradient of Conv2d by its input: [N, inChannels, H, W] to [N, outChannels, P, Q]. */
export class ConvTranspose2d extends Module {
  /** [inChannels, outChannels / groups, R, S] */
  readonly weight: Tensor;
  /** [outChannels] */
  readonly bias: Tensor | null;
  readonly #options: ConvTranspose2dOptions;

  constructor(inChannels: number, outChannels: number, kernelSize: Size2d, options: ConvTranspose2dLayerOptions = {}) {
    super();
    expectOptions('ConvTranspose2d', options, convTranspose2dOptions);
    const [r, s] = expectConvolution('ConvTranspose2d', { inChannels, outChannels }, kernelSize, options);
    const { bias = true, generator, ...rest } = options;
    const outputs = outChannels / (rest.groups ?? 1);
    const random = generator ? { generator } : {};
    this.#options = rest;
    // As in PyTorch, the fan is that of a convolution's weight: dimension 1 times the kernel's size.
    this.weight = parameter(defaultUniform([inChannels, outputs, r, s], outputs * r * s, random));
    this.bias = bias ? parameter(defaultUniform([outChannels], outputs * r * s, random)) : null;
  }

  forward(x: Tensor): Tensor {
    return convTranspose2d(x, this.weight, this.bias, this.#options);
  }
}
