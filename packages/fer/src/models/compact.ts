// Networks for gray 44x44 crops: `small` (349,383 parameters) and `nano` (25,591).
// Residual blocks: He et al. (2016); inverted residuals: Sandler et al. (2018); depthwise pairs: Howard et al. (2017).
import { AdaptiveAvgPool2d, BatchNorm2d, Conv2d, Dropout, Flatten, Linear, Module, ReLU, Sequential } from '@mien/nn';
import type { Generator, Tensor } from '@mien/tensor';
import { type CutNetwork, chain } from './cut.ts';
import { expectNetworkOptions, type NetworkOptions } from './options.ts';

interface UnitOptions {
  readonly kernel?: number;
  readonly stride?: number;
  readonly groups?: number;
  readonly relu?: boolean;
}

/** Convolution without bias, BatchNorm and, by default, ReLU. */
function unit(inputs: number, width: number, generator: Generator, options: UnitOptions = {}): Sequential {
  const { kernel = 3, stride = 1, groups = 1, relu = true } = options;
  const conv = new Conv2d(inputs, width, kernel, { stride, padding: kernel >> 1, groups, bias: false, generator });
  return relu ? new Sequential(conv, new BatchNorm2d(width), new ReLU()) : new Sequential(conv, new BatchNorm2d(width));
}

/** relu(x + body(x)) */
class Residual extends Module {
  readonly body: Sequential;

  constructor(...body: Sequential[]) {
    super();
    this.body = new Sequential(...body);
  }

  forward(x: Tensor): Tensor {
    return this.body.forward(x, { residual: x, relu: true });
  }
}

function residual(width: number, generator: Generator): Residual {
  return new Residual(unit(width, width, generator), unit(width, width, generator, { relu: false }));
}

function invertedResidual(width: number, inner: number, generator: Generator): Residual {
  return new Residual(
    unit(width, inner, generator, { kernel: 1 }),
    unit(inner, inner, generator, { groups: inner }),
    unit(inner, width, generator, { kernel: 1, relu: false }),
  );
}

/** A depthwise 3x3 and a 1x1 convolution. */
function separable(inputs: number, width: number, stride: number, generator: Generator): Sequential {
  return new Sequential(
    unit(inputs, inputs, generator, { groups: inputs, stride }),
    unit(inputs, width, generator, { kernel: 1 }),
  );
}

/** Features, global average pool, dropout and a linear layer: [N, channels, 44, 44] to logits [N, classes]. */
abstract class Compact extends Module {
  readonly features: Sequential;
  readonly dropout: Dropout;
  readonly classifier: Linear;
  readonly #pool = new AdaptiveAvgPool2d(1);
  readonly #flatten = new Flatten();

  constructor(
    features: Sequential,
    width: number,
    dropout: number,
    { classes, generator, noise = generator }: NetworkOptions,
  ) {
    super();
    this.features = features;
    this.dropout = new Dropout(dropout, { generator: noise });
    this.classifier = new Linear(width, classes, { generator });
  }

  forward(x: Tensor): Tensor {
    const pooled = this.#flatten.forward(this.#pool.forward(this.features.forward(x)));
    return this.classifier.forward(this.dropout.forward(pooled));
  }

  /** The network after its last convolution, for evaluation. */
  cut(): CutNetwork {
    return { body: (x) => this.features.forward(x), head: chain(this.#pool, this.#flatten, this.classifier) };
  }
}

/** 52.6 MFLOP per image. */
export class SmallNet extends Compact {
  constructor(options: NetworkOptions) {
    expectNetworkOptions('SmallNet', options);
    const { channels, generator } = options;
    const features = new Sequential(
      unit(channels, 16, generator),
      unit(16, 24, generator, { stride: 2 }),
      residual(24, generator),
      unit(24, 64, generator, { stride: 2 }),
      residual(64, generator),
      unit(64, 128, generator, { stride: 2 }),
      invertedResidual(128, 256, generator),
      invertedResidual(128, 256, generator),
      unit(128, 256, generator, { kernel: 1 }),
    );
    super(features, 256, 0.2, options);
  }
}

/** 2.63 MFLOP per image. */
export class NanoNet extends Compact {
  constructor(options: NetworkOptions) {
    expectNetworkOptions('NanoNet', options);
    const { channels, generator } = options;
    const features = new Sequential(
      unit(channels, 12, generator, { stride: 2 }),
      separable(12, 24, 1, generator),
      separable(24, 32, 2, generator),
      separable(32, 48, 1, generator),
      separable(48, 64, 2, generator),
      separable(64, 96, 1, generator),
      separable(96, 96, 1, generator),
    );
    super(features, 96, 0, options);
  }
}
