// VGG (Simonyan and Zisserman 2015) with batch normalization, as the reference trains it on 44x44 crops.
import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  Flatten,
  type Layer,
  Linear,
  MaxPool2d,
  Module,
  ReLU,
  Sequential,
} from '@mien/nn';
import type { Tensor } from '@mien/tensor';
import { type CutNetwork, chain } from './cut.ts';
import { expectNetworkOptions, type NetworkOptions } from './options.ts';

type VggName = 'vgg11' | 'vgg13' | 'vgg16' | 'vgg19';

/** Output channels of each convolution; `M` halves height and width. */
const CONFIGURATIONS: Readonly<Record<VggName, readonly (number | 'M')[]>> = {
  vgg11: [64, 'M', 128, 'M', 256, 256, 'M', 512, 512, 'M', 512, 512, 'M'],
  vgg13: [64, 64, 'M', 128, 128, 'M', 256, 256, 'M', 512, 512, 'M', 512, 512, 'M'],
  vgg16: [64, 64, 'M', 128, 128, 'M', 256, 256, 256, 'M', 512, 512, 512, 'M', 512, 512, 512, 'M'],
  vgg19: [64, 64, 'M', 128, 128, 'M', 256, 256, 256, 256, 'M', 512, 512, 512, 512, 'M', 512, 512, 512, 512, 'M'],
};

/** [N, channels, 44, 44] to logits [N, classes]: 3x3 convolutions with bias, each with BatchNorm and ReLU. */
export class VGG extends Module {
  readonly features: Sequential;
  readonly dropout: Dropout;
  readonly classifier: Linear;
  readonly #flatten = new Flatten();

  constructor(configuration: VggName, options: NetworkOptions) {
    super();
    expectNetworkOptions('VGG', options);
    const { classes, channels, generator, noise = generator } = options;
    const layers: Layer[] = [];
    let inputs = channels;
    for (const width of CONFIGURATIONS[configuration]) {
      if (width === 'M') {
        layers.push(new MaxPool2d(2));
        continue;
      }
      layers.push(new Conv2d(inputs, width, 3, { padding: 1, generator }), new BatchNorm2d(width), new ReLU());
      inputs = width;
    }
    this.features = new Sequential(...layers);
    this.dropout = new Dropout(0.5, { generator: noise });
    this.classifier = new Linear(512, classes, { generator });
  }

  forward(x: Tensor): Tensor {
    return this.classifier.forward(this.dropout.forward(this.#flatten.forward(this.features.forward(x))));
  }

  /** The network before its last pooling, for evaluation. */
  cut(): CutNetwork {
    const layers = [...this.features];
    return { body: chain(...layers.slice(0, -1)), head: chain(...layers.slice(-1), this.#flatten, this.classifier) };
  }
}
