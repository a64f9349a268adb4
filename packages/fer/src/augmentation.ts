// Random affine and photometric augmentation of training images, and Random Erasing.
import type { Generator } from '@mien/tensor';
import { PIXELS, SIDE } from './datasets/faces.ts';

/** Ranges of the augmentation. Every draw is uniform within its range; 0 disables a transform. */
export interface Augmentation {
  /** Maximum rotation in degrees, in either direction. */
  readonly rotation: number;
  /** Magnification from 1 - scale to 1 + scale. */
  readonly scale: number;
  /** Maximum translation in pixels, horizontally and vertically, instead of a random crop; edge pixels are repeated. */
  readonly shift: number;
  /** For half of the images, brightness, then contrast, are multiplied by factors from 1 - light to 1 + light. */
  readonly light: number;
  /** Probability of erasing a rectangle (Zhong et al., Random Erasing, 2017; ranges as in torchvision). */
  readonly erasing: number;
}

/** The transform drawn for one image. */
export interface Distortion {
  /** Maps the crop to the image, both relative to their centers: [cos, -sin; sin, cos], with the factor 1 / scale included. */
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

/** Draws the transform of one image that is cropped to size x size. */
export function drawDistortion(of: Augmentation, size: number, generator: Generator): Distortion {
  const symmetric = (range: number): number => range * (2 * generator.uniform() - 1);
  const angle = symmetric((of.rotation * Math.PI) / 180);
  const factor = 1 / (1 + symmetric(of.scale));
  const changesLight = generator.uniform() < 0.5;
  return {
    cos: Math.cos(angle) * factor,
    sin: Math.sin(angle) * factor,
    right: symmetric(of.shift),
    down: symmetric(of.shift),
    brightness: 1 + symmetric(changesLight ? of.light : 0),
    contrast: 1 + symmetric(changesLight ? of.light : 0),
    erased: generator.uniform() < of.erasing ? drawRectangle(size, generator) : null,
  };
}

function drawRectangle(size: number, generator: Generator): Rectangle {
  const [min, max] = ERASED_AREA;
  const area = size * size * (min + (max - min) * generator.uniform());
  const ratio = ERASED_RATIO ** (2 * generator.uniform() - 1);
  const side = (length: number): number => Math.min(size, Math.max(1, Math.round(length)));
  const [height, width] = [side(Math.sqrt(area * ratio)), side(Math.sqrt(area / ratio))];
  return { top: generator.integer(size - height + 1), left: generator.integer(size - width + 1), height, width };
}

/**
 * Writes a distorted size x size crop of image `index` to `out`, in gray values from 0 to 255: bilinear sampling around the
 * center, then brightness and contrast. The caller erases the rectangle, as the fill value depends on the normalization.
 */
export function distort(images: Uint8Array, index: number, of: Distortion, size: number, out: Float32Array): void {
  const first = index * PIXELS;
  const center = (SIDE - 1) / 2;
  const half = (size - 1) / 2;
  const edge = SIDE - 1;
  let sum = 0;
  for (let y = 0, at = 0; y < size; y++) {
    for (let x = 0; x < size; x++, at++) {
      const column = of.cos * (x - half) - of.sin * (y - half) + center + of.right;
      const row = of.sin * (x - half) + of.cos * (y - half) + center + of.down;
      const [left, top] = [Math.floor(column), Math.floor(row)];
      const [dx, dy] = [column - left, row - top];
      const x0 = Math.min(edge, Math.max(0, left));
      const x1 = Math.min(edge, Math.max(0, left + 1));
      const upper = first + SIDE * Math.min(edge, Math.max(0, top));
      const lower = first + SIDE * Math.min(edge, Math.max(0, top + 1));
      const above = (1 - dx) * (images[upper + x0] as number) + dx * (images[upper + x1] as number);
      const below = (1 - dx) * (images[lower + x0] as number) + dx * (images[lower + x1] as number);
      const gray = Math.min(255, of.brightness * ((1 - dy) * above + dy * below));
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
