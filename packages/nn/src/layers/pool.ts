// Pooling as layers, for Sequential; each calls its operation.
import {
  type AvgPool2dOptions,
  adaptiveAvgPool2d,
  avgPool2d,
  type MaxPool2dOptions,
  maxPool2d,
  type Size2d,
  type Tensor,
} from '@mien/tensor';
import { expectOptions, expectPair, optionNames, poolWindows } from '@mien/tensor/internal';
import { Module } from '../module.ts';

type MaxPool2dLayerOptions = Omit<MaxPool2dOptions, 'kernelSize'>;
type AvgPool2dLayerOptions = Omit<AvgPool2dOptions, 'kernelSize'>;

const windows = { stride: true, padding: true, ceilMode: true } as const;
const maxPool2dOptions = optionNames<MaxPool2dLayerOptions>({ ...windows, dilation: true });
const avgPool2dOptions = optionNames<AvgPool2dLayerOptions>({ ...windows, countIncludePad: true });

/** The maximum of each window: [N, C, H, W] to [N, C, P, Q]. */
export class MaxPool2d extends Module {
  readonly #options: MaxPool2dOptions;

  constructor(kernelSize: Size2d, options: MaxPool2dLayerOptions = {}) {
    super();
    expectOptions('MaxPool2d', options, maxPool2dOptions);
    this.#options = { ...options, kernelSize };
    poolWindows('MaxPool2d', this.#options);
  }

  forward(x: Tensor): Tensor {
    return maxPool2d(x, this.#options);
  }
}

/** The mean of each window: [N, C, H, W] to [N, C, P, Q]. */
export class AvgPool2d extends Module {
  readonly #options: AvgPool2dOptions;

  constructor(kernelSize: Size2d, options: AvgPool2dLayerOptions = {}) {
    super();
    expectOptions('AvgPool2d', options, avgPool2dOptions);
    this.#options = { ...options, kernelSize };
    poolWindows('AvgPool2d', this.#options);
  }

  forward(x: Tensor): Tensor {
    return avgPool2d(x, this.#options);
  }
}

/** Means over windows chosen such that each plane has outputSize: [N, C, H, W] to [N, C, P, Q]. */
export class AdaptiveAvgPool2d extends Module {
  readonly outputSize: Size2d;

  constructor(outputSize: Size2d) {
    super();
    expectPair('AdaptiveAvgPool2d', 'outputSize', outputSize, 1);
    this.outputSize = outputSize;
  }

  forward(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.outputSize);
  }
}
