// BlazeFace, the model for the back camera: Bazarevsky et al. (2019), with MediaPipe's weights.
import { Conv2d, type HostTensor, MaxPool2d, Module, Sequential } from '@mien/nn';
import { readSafetensors } from '@mien/nn/safetensors';
import { Generator, pad, scope, type Tensor } from '@mien/tensor';

/** Side of the network's square input, in pixels. */
export const INPUT = 256;
/** Numbers of each anchor in `boxes`: center, width and height, then six landmarks, all in pixels of the input. */
export const COORDINATES = 16;
/** The maps that faces are read from: cells a side, and anchors a cell. */
export const MAPS = [
  { cells: 16, anchors: 2 },
  { cells: 8, anchors: 6 },
] as const;

/** Output channels of the blocks; three of them halve the map. */
const WIDTHS: readonly number[] = [...Array(15).fill(24), ...Array(8).fill(48), ...Array(8).fill(96)];
const HALVING: readonly number[] = [7, 15, 23];

/** A depthwise 3x3 and a 1x1 convolution. TensorFlow's `same` puts the zeros of a halving at the end only. */
class Separable extends Module {
  readonly depthwise: Conv2d;
  readonly pointwise: Conv2d;
  readonly #halving: boolean;

  constructor(inputs: number, width: number, halving: boolean, generator: Generator) {
    super();
    const size = halving ? { stride: 2 } : { padding: 1 };
    this.depthwise = new Conv2d(inputs, inputs, 3, { ...size, groups: inputs, bias: false, generator });
    this.pointwise = new Conv2d(inputs, width, 1, { generator });
    this.#halving = halving;
  }

  forward(x: Tensor): Tensor {
    return scope(() => this.pointwise.forward(this.depthwise.forward(this.#halving ? zerosAround(x, 0, 1) : x)));
  }
}

/** relu(separable(x) + x); where it halves, the largest of each 2x2 is added, with channels of zeros where it widens. */
class BlazeBlock extends Module {
  readonly separable: Separable;
  readonly #widening: number;
  readonly #pool: MaxPool2d | null;

  constructor(inputs: number, width: number, halving: boolean, generator: Generator) {
    super();
    this.separable = new Separable(inputs, width, halving, generator);
    this.#widening = width - inputs;
    this.#pool = halving ? new MaxPool2d(2) : null;
  }

  forward(x: Tensor): Tensor {
    return scope(() => {
      const half = this.#pool?.forward(x) ?? x;
      const shortcut = this.#widening > 0 ? pad(half, [NONE, [0, this.#widening], NONE, NONE]) : half;
      return this.separable.forward(x).add(shortcut).relu();
    });
  }
}

/** What the network says of each anchor: scores [N, 896, 1] before the sigmoid, boxes [N, 896, 16]. */
export interface Anchored {
  readonly scores: readonly Tensor[];
  readonly boxes: readonly Tensor[];
}

/** [N, 3, 256, 256] in -1 to 1 to scores and boxes of 512 and of 384 anchors. */
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
      ...WIDTHS.map((width, i) => new BlazeBlock(WIDTHS[i - 1] ?? 24, width, HALVING.includes(i), generator)),
    );
    this.last = new Separable(96, 96, true, generator);
    this.scores16 = new Conv2d(96, 2, 1, { generator });
    this.boxes16 = new Conv2d(96, 2 * COORDINATES, 1, { generator });
    this.scores8 = new Conv2d(96, 6, 1, { generator });
    this.boxes8 = new Conv2d(96, 6 * COORDINATES, 1, { generator });
  }

  /** The network with these weights. Throws FormatError or StateError where the file is not BlazeFace's. */
  static from(safetensors: Uint8Array): BlazeFace {
    const { tensors } = readSafetensors(safetensors, { file: 'blazeface.safetensors', refuseNaN: true });
    const net = new BlazeFace().eval();
    net.loadStateDict(tensors as ReadonlyMap<string, HostTensor>);
    return net;
  }

  forward(x: Tensor): Anchored {
    const large = this.blocks.forward(this.stem.forward(zerosAround(x, 1, 2)).relu());
    const small = this.last.forward(large).relu();
    return {
      scores: [rows(this.scores16.forward(large), 1), rows(this.scores8.forward(small), 1)],
      boxes: [rows(this.boxes16.forward(large), COORDINATES), rows(this.boxes8.forward(small), COORDINATES)],
    };
  }
}

const NONE = [0, 0] as const;

/** x with rows and columns of zeros before and after. */
function zerosAround(x: Tensor, before: number, after: number): Tensor {
  return pad(x, [NONE, NONE, [before, after], [before, after]]);
}

/** [N, anchors * columns, H, W] to [N, H * W * anchors, columns], the order of TensorFlow's layout. */
function rows(x: Tensor, columns: number): Tensor {
  const [n = 1] = x.shape;
  return scope(() => x.permute([0, 2, 3, 1]).reshape([n, x.size / n / columns, columns]));
}
