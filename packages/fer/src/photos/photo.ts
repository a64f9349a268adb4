// A photo in memory, and antialiased resizing. For browsers and Node; in a browser, fill a Photo from ImageData.
import { ValueError } from '@mien/tensor';
import type { Box } from '../detection/boxes.ts';

/** An upright RGB image in bytes: `data` is [height, width, 3]. */
export interface Photo {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** The input positions of one output pixel in a row or column, and their weights, which sum to 1. */
interface Taps {
  readonly positions: Int32Array;
  readonly weights: Float64Array;
}

/**
 * Resizes `window` of the photo to [3, height, width], 0 to 255, not rounded: bilinear with antialiasing, as torchvision's
 * Resize. Edge pixels are repeated beyond the photo. Throws ValueError for a window or a photo without pixels.
 */
export function resample(photo: Photo, window: Box, width: number, height: number): Float32Array<ArrayBuffer> {
  const { data } = photo;
  const bytes = photo.width * photo.height * 3;
  if (data.length !== bytes || data.length === 0) {
    throw new ValueError(
      `resample: expected ${bytes || 'some'} bytes for a photo of ${photo.width}x${photo.height}, got ${data.length}`,
    );
  }
  if (!(window.width > 0 && window.height > 0 && Number.isFinite(window.left + window.top))) {
    throw new ValueError(`resample: expected a window of positive width and height, got ${JSON.stringify(window)}`);
  }
  const columns = tapsOf(window.left, window.width, width, photo.width);
  const rows = tapsOf(window.top, window.height, height, photo.height);
  // Only rows that contribute to the output are resized horizontally.
  const first = rows.reduce((min, { positions }) => Math.min(min, positions[0] as number), photo.height);
  const last = rows.reduce((max, { positions }) => Math.max(max, positions.at(-1) as number), 0);
  const narrow = new Float32Array((last - first + 1) * width * 3);
  let at = 0;
  for (let y = first; y <= last; y++) {
    for (const { positions, weights } of columns) {
      let [red, green, blue] = [0, 0, 0];
      for (let i = 0; i < positions.length; i++) {
        const from = (y * photo.width + (positions[i] as number)) * 3;
        const weight = weights[i] as number;
        red += weight * (data[from] as number);
        green += weight * (data[from + 1] as number);
        blue += weight * (data[from + 2] as number);
      }
      narrow[at++] = red;
      narrow[at++] = green;
      narrow[at++] = blue;
    }
  }
  const out = new Float32Array(3 * height * width);
  for (const [y, { positions, weights }] of rows.entries()) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let i = 0; i < positions.length; i++) {
          const row = (positions[i] as number) - first;
          sum += (weights[i] as number) * (narrow[(row * width + x) * 3 + channel] as number);
        }
        out[(channel * height + y) * width + x] = sum;
      }
    }
  }
  return out;
}

/** The taps of `count` pixels that divide the interval from `start` to `start + length` of a line of `size` pixels. */
function tapsOf(start: number, length: number, count: number, size: number): Taps[] {
  const step = length / count;
  const radius = Math.max(1, step);
  return Array.from({ length: count }, (_, i) => {
    const center = start + (i + 0.5) * step;
    const from = Math.floor(center - radius + 0.5);
    const to = Math.max(from + 1, Math.ceil(center + radius - 0.5));
    const clamp = (position: number): number => Math.min(Math.max(position, 0), size - 1);
    const [first, last] = [clamp(from), clamp(to - 1)];
    const weights = new Float64Array(last - first + 1);
    let sum = 0;
    for (let position = from; position < to; position++) {
      const weight = Math.max(0, 1 - Math.abs(position + 0.5 - center) / radius);
      weights[clamp(position) - first] = (weights[clamp(position) - first] as number) + weight;
      sum += weight;
    }
    return {
      positions: Int32Array.from(weights, (_, i) => first + i),
      weights: weights.map((weight) => weight / sum),
    };
  });
}

/** Gray bytes [height, width] of RGB [3, height, width]: 0.299 R + 0.587 G + 0.114 B, rounded. */
export function grayBytes(rgb: Float32Array): Uint8Array {
  const area = rgb.length / 3;
  return Uint8Array.from({ length: area }, (_, i) =>
    Math.round(0.299 * (rgb[i] as number) + 0.587 * (rgb[area + i] as number) + 0.114 * (rgb[2 * area + i] as number)),
  );
}
