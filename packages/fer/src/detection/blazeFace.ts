// BlazeFace, the model for the back camera: Bazarevsky et al. (2019), with MediaPipe's weights.
import { Conv2d, type HostTensor, MaxPool2d, Module, Sequential } from '@mien/nn';
import { readSafetensors } from '@mien/nn/safetensors';
import { Generator, pad, scope, type Tensor } from '@mien/tensor';

/** Side of the network's square input, in pixels. */
export const INPUT = 256;
/** Numbers of each anchor in `boxes`: center, width and height, then six landmarks, all in pixels of the input. */
export const COORDINATES = 16;
/** Feature maps with prediction heads: cells per side, and anchors per cell. */
export const MAPS = [
  { cells: 16, anchors: 2 },
  { cells: 8, anchors: 6 },
] as const;

/** Output channels of each block, and the blocks with stride 2. */
const WIDTHS: readonly number[] = [...Array(15).fill(24), ...Array(8).fill(48), ...Array(8).fill(96)];
const DOWNSAMPLING: readonly number[] = [7, 15, 23];

/** A depthwise 3x3 and a 1x1 convolution. With stride 2, TensorFlow's `same` pads at the end only. */
class Separable extends Module {
  readonly depthwise: Conv2d;
  readonly pointwise: Conv2d;
  readonly #downsamples: boolean;

  constructor(inChannels: number, outChannels: number, downsamples: boolean, generator: Generator) {
    super();
    const window = downsamples ? { stride: 2 } : { padding: 1 };
    this.depthwise = new Conv2d(inChannels, inChannels, 3, { ...window, groups: inChannels, bias: false, generator });
    this.pointwise = new Conv2d(inChannels, outChannels, 1, { generator });
    this.#downsamples = downsamples;
  }

  forward(x: Tensor): Tensor {
    return scope(() => this.pointwise.forward(this.depthwise.forward(this.#downsamples ? zeroPad(x, 0, 1) : x)));
  }
}

/** relu(separable(x) + shortcut(x)): the shortcut pools when downsampling, and pads with zero channels when there are more. */
class BlazeBlock extends Module {
  readonly separable: Separable;
  readonly #addedChannels: number;
  readonly #pool: MaxPool2d | null;

  constructor(inChannels: number, outChannels: number, downsamples: boolean, generator: Generator) {
    super();
    this.separable = new Separable(inChannels, outChannels, downsamples, generator);
    this.#addedChannels = outChannels - inChannels;
    this.#pool = downsamples ? new MaxPool2d(2) : null;
  }

  forward(x: Tensor): Tensor {
    return scope(() => {
      const pooled = this.#pool?.forward(x) ?? x;
      const shortcut = this.#addedChannels > 0 ? pad(pooled, [NONE, [0, this.#addedChannels], NONE, NONE]) : pooled;
      return this.separable.forward(x).add(shortcut).relu();
    });
  }
}

/** Outputs of the two heads, with 512 and 384 anchors: scores [N, anchors, 1] before the sigmoid, boxes [N, anchors, 16]. */
export interface Anchored {
  readonly scores: readonly Tensor[];
  readonly boxes: readonly Tensor[];
}

/** Face detection network: maps x [N, 3, 256, 256], with values from -1 to 1, to scores and boxes of 896 anchors. */
export class BlazeFace extends Module {
  readonly stem: Conv2d;
  readonly blocks: Sequential;
  readonly last: Separable;
  readonly scores16: Conv2d;
  readonly boxes16: Conv2d;
  readonly scores8: Conv2d;
  readonly boxes8: Conv2d;

  constructor() {
    super();
    const generator = new Generator(0);
    this.stem = new Conv2d(3, 24, 5, { stride: 2, generator });
    this.blocks = new Sequential(
      ...WIDTHS.map((width, i) => new BlazeBlock(WIDTHS[i - 1] ?? 24, width, DOWNSAMPLING.includes(i), generator)),
    );
    this.last = new Separable(96, 96, true, generator);
    this.scores16 = new Conv2d(96, 2, 1, { generator });
    this.boxes16 = new Conv2d(96, 2 * COORDINATES, 1, { generator });
    this.scores8 = new Conv2d(96, 6, 1, { generator });
    this.boxes8 = new Conv2d(96, 6 * COORDINATES, 1, { generator });
  }

  /** Loads the weights of a safetensors file. Throws FormatError or StateError if they are not BlazeFace's. */
  static from(safetensors: Uint8Array): BlazeFace {
    const { tensors } = readSafetensors(safetensors, { file: 'blazeface.safetensors', refuseNaN: true });
    const net = new BlazeFace().eval();
    net.loadStateDict(tensors as ReadonlyMap<string, HostTensor>);
    return net;
  }

  forward(x: Tensor): Anchored {
    const large = this.blocks.forward(this.stem.forward(zeroPad(x, 1, 2)).relu());
    const small = this.last.forward(large).relu();
    return {
      scores: [rows(this.scores16.forward(large), 1), rows(this.scores8.forward(small), 1)],
      boxes: [rows(this.boxes16.forward(large), COORDINATES), rows(this.boxes8.forward(small), COORDINATES)],
    };
  }
}

const NONE = [0, 0] as const;

/** Pads the height and width of x with zeros. */
function zeroPad(x: Tensor, before: number, after: number): Tensor {
  return pad(x, [NONE, NONE, [before, after], [before, after]]);
}

/** Reorders [N, anchors * columns, H, W] to [N, H * W * anchors, columns], as in TensorFlow's layout. */
function rows(x: Tensor, columns: number): Tensor {
  const [n = 1] = x.shape;
  return scope(() => x.permute([0, 2, 3, 1]).reshape([n, x.size / n / columns, columns]));
}
