// ResNet (He et al. 2016) with a 3x3 stem and no stem pooling, as the reference trains ResNet18 on 44x44 crops.
import { AvgPool2d, BatchNorm2d, Conv2d, Dropout, Flatten, Linear, Module, ReLU, Sequential } from '@mien/nn';
import { type Generator, scope, type Tensor } from '@mien/tensor';
import { type CutNetwork, chain } from './cut.ts';
import { expectNetworkOptions, type NetworkOptions } from './options.ts';

/** relu(conv-BN-relu-conv-BN of x + shortcut of x): two 3x3 convolutions, the first with the stride. */
export class BasicBlock extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm2d;
  /** A 1x1 convolution and BatchNorm where the shape changes; else empty, the identity. */
  readonly shortcut: Sequential;
  readonly #body: Sequential;

  constructor(inputs: number, width: number, stride: number, generator: Generator) {
    super();
    this.conv1 = new Conv2d(inputs, width, 3, { stride, padding: 1, bias: false, generator });
    this.bn1 = new BatchNorm2d(width);
    this.conv2 = new Conv2d(width, width, 3, { padding: 1, bias: false, generator });
    this.bn2 = new BatchNorm2d(width);
    const same = stride === 1 && inputs === width;
    this.shortcut = same
      ? new Sequential()
      : new Sequential(new Conv2d(inputs, width, 1, { stride, bias: false, generator }), new BatchNorm2d(width));
    this.#body = new Sequential(this.conv1, this.bn1, new ReLU(), this.conv2, this.bn2);
  }

  forward(x: Tensor): Tensor {
    return scope(() => this.#body.forward(x, { residual: this.shortcut.forward(x), relu: true }));
  }
}

/** Four stages of basic blocks: [N, channels, 44, 44] to logits [N, classes]. */
export abstract class ResNet extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm2d;
  readonly layer1: Sequential;
  readonly layer2: Sequential;
  readonly layer3: Sequential;
  readonly layer4: Sequential;
  readonly dropout: Dropout;
  readonly linear: Linear;
  readonly #features: Sequential;

  /** `blocks` is the number of blocks of each stage. */
  constructor(
    blocks: readonly [number, number, number, number],
    { classes, channels, generator, noise = generator }: NetworkOptions,
  ) {
    super();
    const stage = (count: number, inputs: number, width: number, stride: number): Sequential => {
      const first = new BasicBlock(inputs, width, stride, generator);
      return new Sequential(
        first,
        ...Array.from({ length: count - 1 }, () => new BasicBlock(width, width, 1, generator)),
      );
    };
    this.conv1 = new Conv2d(channels, 64, 3, { padding: 1, bias: false, generator });
    this.bn1 = new BatchNorm2d(64);
    this.layer1 = stage(blocks[0], 64, 64, 1);
    this.layer2 = stage(blocks[1], 64, 128, 2);
    this.layer3 = stage(blocks[2], 128, 256, 2);
    this.layer4 = stage(blocks[3], 256, 512, 2);
    this.dropout = new Dropout(0.5, { generator: noise });
    this.linear = new Linear(512, classes, { generator });
    const stages = [this.layer1, this.layer2, this.layer3, this.layer4];
    this.#features = new Sequential(this.conv1, this.bn1, new ReLU(), ...stages, new AvgPool2d(4), new Flatten());
  }

  forward(x: Tensor): Tensor {
    return this.linear.forward(this.dropout.forward(this.#features.forward(x)));
  }

  /** The network before its average pooling, for evaluation. */
  cut(): CutNetwork {
    const layers = [...this.#features];
    return { body: chain(...layers.slice(0, -2)), head: chain(...layers.slice(-2), this.linear) };
  }
}

/** [2, 2, 2, 2] blocks, as the reference trains it. */
export class ResNet18 extends ResNet {
  constructor(options: NetworkOptions) {
    expectNetworkOptions('ResNet18', options);
    super([2, 2, 2, 2], options);
  }
}

/** [3, 4, 6, 3] blocks. */
export class ResNet34 extends ResNet {
  constructor(options: NetworkOptions) {
    expectNetworkOptions('ResNet34', options);
    super([3, 4, 6, 3], options);
  }
}
