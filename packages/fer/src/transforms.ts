// From grey bytes to network input on the host: crops, mirrors and scaling in one pass over each image.
import { type Generator, ValueError } from '@mien/tensor';
import { PIXELS, SIDE } from './datasets/faces.ts';

/** What a network is fed: `channels` copies of a size x size crop, each value (grey / 255 - mean) / std. */
export interface InputForm {
  readonly channels: number;
  readonly size: number;
  readonly mean: number;
  readonly std: number;
}

/** How many views the ten-crop evaluation takes of one image. */
export const TEN = 10;

/** Numbers that one crop has as input: channels * size * size. */
export function inputSize({ channels, size }: InputForm): number {
  return channels * size * size;
}

/** Cuts and scales views of 48x48 images. One cropper serves one form of input; its scaling table is made once. */
export class Cropper {
  readonly form: InputForm;
  readonly #table: Float32Array;

  constructor(form: InputForm) {
    if (!Number.isInteger(form.size) || form.size < 1 || form.size > SIDE) {
      throw new ValueError(`Cropper: crops of ${form.size}, expected 1 to ${SIDE}`);
    }
    this.form = form;
    this.#table = Float32Array.from({ length: 256 }, (_, grey) => (grey / 255 - form.mean) / form.std);
  }

  /** RandomCrop and RandomHorizontalFlip (p = 0.5) of each indexed image: [indices, channels, size, size]. */
  random(images: Uint8Array, indices: ArrayLike<number>, generator: Generator): Float32Array {
    const places = SIDE - this.form.size + 1;
    return this.#gather(indices.length, (i, cut) =>
      cut(
        images,
        indices[i] as number,
        generator.integer(places),
        generator.integer(places),
        generator.integer(2) === 1,
      ),
    );
  }

  /** The centre crop of each indexed image: [indices, channels, size, size]. */
  centre(images: Uint8Array, indices: ArrayLike<number>): Float32Array {
    const edge = SIDE - this.form.size;
    // As torchvision's CenterCrop, which rounds half to even; with 48 and 44 both sides lose two.
    const start = edge % 4 === 3 ? (edge + 1) / 2 : Math.floor(edge / 2);
    return this.#gather(indices.length, (i, cut) => cut(images, indices[i] as number, start, start, false));
  }

  /**
   * TenCrop: corners (top left, top right, bottom left, bottom right) and centre, then the same of the mirrored image,
   * ten views after one another: [10 * indices, channels, size, size].
   */
  ten(images: Uint8Array, indices: ArrayLike<number>): Float32Array {
    const edge = SIDE - this.form.size;
    const centre = edge % 4 === 3 ? (edge + 1) / 2 : Math.floor(edge / 2);
    const corners = [0, 0, 0, edge, edge, 0, edge, edge, centre, centre];
    return this.#gather(TEN * indices.length, (i, cut) => {
      const view = i % TEN;
      const corner = 2 * (view % 5);
      const mirrored = view >= 5;
      const top = corners[corner] as number;
      const left = corners[corner + 1] as number;
      // A crop of the mirrored image is the mirror of the crop that lies opposite.
      cut(images, indices[(i - view) / TEN] as number, top, mirrored ? edge - left : left, mirrored);
    });
  }

  #gather(views: number, take: (view: number, cut: Cut) => void): Float32Array {
    const { channels, size } = this.form;
    const table = this.#table;
    const area = size * size;
    const out = new Float32Array(views * channels * area);
    let at = 0;
    const cut: Cut = (images, index, top, left, mirrored) => {
      const start = at;
      for (let row = 0; row < size; row++) {
        const from = index * PIXELS + (top + row) * SIDE + left;
        if (mirrored) for (let x = size - 1; x >= 0; x--) out[at++] = table[images[from + x] as number] as number;
        else for (let x = 0; x < size; x++) out[at++] = table[images[from + x] as number] as number;
      }
      for (let channel = 1; channel < channels; channel++, at += area) out.copyWithin(at, start, start + area);
    };
    for (let view = 0; view < views; view++) take(view, cut);
    return out;
  }
}

type Cut = (images: Uint8Array, index: number, top: number, left: number, mirrored: boolean) => void;
