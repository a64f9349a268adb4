// Transforms of gray images into network input on the host: crop, flip and normalize in one pass.
import { type Generator, ValueError } from '@mien/tensor';
import { type Augmentation, type Distortion, distort, drawDistortion } from './augmentation.ts';
import { PIXELS, SIDE } from './datasets/faces.ts';

/** The form of a network's input: `channels` copies of a size x size crop with values (gray / 255 - mean) / std. */
export interface InputForm {
  readonly channels: number;
  readonly size: number;
  readonly mean: number;
  readonly std: number;
}

/** Number of views per image in ten-crop evaluation. */
export const TEN = 10;

/** Number of values of one input: channels * size * size. */
export function inputSize({ channels, size }: InputForm): number {
  return channels * size * size;
}

/** Cuts normalized views from 48x48 images, for one form of input. */
export class Cropper {
  readonly form: InputForm;
  readonly #table: Float32Array;

  constructor(form: InputForm) {
    if (!Number.isInteger(form.size) || form.size < 1 || form.size > SIDE) {
      throw new ValueError(`Cropper: expected a size from 1 to ${SIDE}, got ${form.size}`);
    }
    this.form = form;
    this.#table = Float32Array.from({ length: 256 }, (_, gray) => (gray / 255 - form.mean) / form.std);
  }

  /**
   * Draws a training view of image `index`: mirrored with probability 0.5, and a random crop or, with `augmentation`, a
   * random distortion around the center.
   */
  draw(index: number, generator: Generator, augmentation: Augmentation | null = null): View {
    if (augmentation) {
      const mirrored = generator.integer(2) === 1;
      return { ...this.center(index), mirrored, distortion: drawDistortion(augmentation, this.form.size, generator) };
    }
    const offsets = SIDE - this.form.size + 1;
    return {
      index,
      top: generator.integer(offsets),
      left: generator.integer(offsets),
      mirrored: generator.integer(2) === 1,
    };
  }

  /** The center crop of image `index`. */
  center(index: number): View {
    const start = this.#margin();
    return { index, top: start, left: start, mirrored: false };
  }

  /** TenCrop: top left, top right, bottom left, bottom right and center, then the same crops of the mirrored image. */
  ten(index: number): View[] {
    const edge = SIDE - this.form.size;
    const center = this.#margin();
    const corners = [
      [0, 0],
      [0, edge],
      [edge, 0],
      [edge, edge],
      [center, center],
    ] as const;
    // A crop of the mirrored image is the mirrored crop of the opposite side.
    return [false, true].flatMap((mirrored) =>
      corners.map(([top, left]) => ({ index, top, left: mirrored ? edge - left : left, mirrored })),
    );
  }

  /** Cuts and normalizes views of `images`: [views, channels, size, size]. */
  cut(images: Uint8Array, views: readonly View[]): Float32Array<ArrayBuffer> {
    const { channels, size } = this.form;
    const area = size * size;
    const out = new Float32Array(views.length * channels * area);
    for (const [i, view] of views.entries()) {
      const start = i * channels * area;
      const first = out.subarray(start, start + area);
      if (view.distortion) this.#distorted(images, view, view.distortion, first);
      else this.#window(images, view, first);
      for (let channel = 1; channel < channels; channel++) out.copyWithin(start + channel * area, start, start + area);
    }
    return out;
  }

  #window(images: Uint8Array, { index, top, left, mirrored }: View, out: Float32Array): void {
    const { size } = this.form;
    const table = this.#table;
    for (let row = 0, at = 0; row < size; row++) {
      const from = index * PIXELS + (top + row) * SIDE + left;
      if (mirrored) for (let x = size - 1; x >= 0; x--) out[at++] = table[images[from + x] as number] as number;
      else for (let x = 0; x < size; x++) out[at++] = table[images[from + x] as number] as number;
    }
  }

  #distorted(images: Uint8Array, { index, mirrored }: View, distortion: Distortion, out: Float32Array): void {
    const { size, mean, std } = this.form;
    distort(images, index, distortion, size, out);
    for (let i = 0; i < out.length; i++) out[i] = ((out[i] as number) / 255 - mean) / std;
    if (distortion.erased) {
      const { top, left, height, width } = distortion.erased;
      for (let row = top; row < top + height; row++) out.fill(0, row * size + left, row * size + left + width);
    }
    if (mirrored) for (let row = 0; row < size; row++) out.subarray(row * size, (row + 1) * size).reverse();
  }

  /** Top and left of the center crop; torchvision's CenterCrop rounds half to even. */
  #margin(): number {
    const edge = SIDE - this.form.size;
    return edge % 4 === 3 ? (edge + 1) / 2 : Math.floor(edge / 2);
  }
}

/** A square crop of one image. With `distortion`, it is cut around the image's center instead of at top and left. */
export interface View {
  readonly index: number;
  readonly top: number;
  readonly left: number;
  readonly mirrored: boolean;
  readonly distortion?: Distortion;
}
