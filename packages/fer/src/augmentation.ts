// Random changes of a training image beyond crop and mirror: turned, scaled, moved, relit, and with a rectangle erased.
import type { Generator } from '@mien/tensor';
import { PIXELS, SIDE } from './datasets/faces.ts';

/** How far training images are changed; every draw is uniform within its bounds, and 0 leaves that change out. */
export interface Augmentation {
  /** Turned by up to so many degrees, either way. */
  readonly rotation: number;
  /** Magnified by a factor from 1 - scale to 1 + scale. */
  readonly scale: number;
  /** Moved by up to so many pixels, along and across, instead of cropped at random; what lies outside repeats the edge. */
  readonly shift: number;
  /** Half of the images have brightness, then contrast, multiplied by factors from 1 - light to 1 + light. */
  readonly light: number;
  /** The share of images that lose a rectangle (Zhong et al., Random Erasing, 2017; bounds as in torchvision). */
  readonly erasing: number;
}

/** The changes drawn for one image. */
export interface Distortion {
  /** Where the crop's pixel (x, y) from its middle lies in the image, from its middle: [cos, -sin; sin, cos] / scale. */
  readonly cos: number;
  readonly sin: number;
  readonly right: number;
  readonly down: number;
  readonly brightness: number;
  readonly contrast: number;
  readonly erased: Rectangle | null;
}

interface Rectangle {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

const ERASED_AREA = [0.02, 0.33] as const;
const ERASED_RATIO = 3.3;

/** Draws the changes of one image that is cut to size x size. */
export function drawDistortion(of: Augmentation, size: number, generator: Generator): Distortion {
  const about = (spread: number): number => spread * (2 * generator.uniform() - 1);
  const angle = about((of.rotation * Math.PI) / 180);
  const factor = 1 / (1 + about(of.scale));
  const relit = generator.uniform() < 0.5;
  return {
    cos: Math.cos(angle) * factor,
    sin: Math.sin(angle) * factor,
    right: about(of.shift),
    down: about(of.shift),
    brightness: 1 + about(relit ? of.light : 0),
    contrast: 1 + about(relit ? of.light : 0),
    erased: generator.uniform() < of.erasing ? drawRectangle(size, generator) : null,
  };
}

function drawRectangle(size: number, generator: Generator): Rectangle {
  const [least, most] = ERASED_AREA;
  const area = size * size * (least + (most - least) * generator.uniform());
  const ratio = ERASED_RATIO ** (2 * generator.uniform() - 1);
  const side = (length: number): number => Math.min(size, Math.max(1, Math.round(length)));
  const [height, width] = [side(Math.sqrt(area * ratio)), side(Math.sqrt(area / ratio))];
  return { top: generator.integer(size - height + 1), left: generator.integer(size - width + 1), height, width };
}

/**
 * Writes the gray values (0 to 255) of a size x size crop of the image `index`, distorted, to `out`: sampled bilinearly
 * about the image's middle, then relit. What is erased is left to the caller, who knows the value that means nothing.
 */
export function distort(images: Uint8Array, index: number, of: Distortion, size: number, out: Float32Array): void {
  const first = index * PIXELS;
  const middle = (SIDE - 1) / 2;
  const half = (size - 1) / 2;
  const edge = SIDE - 1;
  let sum = 0;
  for (let y = 0, at = 0; y < size; y++) {
    for (let x = 0; x < size; x++, at++) {
      const column = of.cos * (x - half) - of.sin * (y - half) + middle + of.right;
      const row = of.sin * (x - half) + of.cos * (y - half) + middle + of.down;
      const [left, top] = [Math.floor(column), Math.floor(row)];
      const [across, along] = [column - left, row - top];
      const x0 = Math.min(edge, Math.max(0, left));
      const x1 = Math.min(edge, Math.max(0, left + 1));
      const upper = first + SIDE * Math.min(edge, Math.max(0, top));
      const lower = first + SIDE * Math.min(edge, Math.max(0, top + 1));
      const above = (1 - across) * (images[upper + x0] as number) + across * (images[upper + x1] as number);
      const below = (1 - across) * (images[lower + x0] as number) + across * (images[lower + x1] as number);
      const gray = Math.min(255, of.brightness * ((1 - along) * above + along * below));
      out[at] = gray;
      sum += gray;
    }
  }
  if (of.contrast === 1) return;
  const mean = sum / out.length;
  for (let i = 0; i < out.length; i++) {
    out[i] = Math.min(255, Math.max(0, mean + of.contrast * ((out[i] as number) - mean)));
  }
}
