// A photo in memory, and windows of it at other sizes. No Node: a browser fills a Photo from ImageData.
import { ValueError } from '@mien/tensor';
import type { Box } from '../detection/boxes.ts';

/** Red, green and blue bytes, upright, row by row: `data` is [height, width, 3]. */
export interface Photo {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** What one output pixel takes of a row or a column: input places and their shares, which sum to 1. */
interface Taps {
  readonly places: Int32Array;
  readonly shares: Float64Array;
}

/**
 * `window` of the photo at width x height pixels: [3, height, width], 0 to 255, not rounded. Each pixel is the mean of what
 * it covers under a triangle as wide as two of the larger pixels, input's or output's, as torchvision's Resize with
 * antialiasing. Beyond the photo its edge goes on. Throws ValueError for a window or a photo without pixels.
 */
export function resample(photo: Photo, window: Box, width: number, height: number): Float32Array<ArrayBuffer> {
  const { data } = photo;
  if (data.length !== photo.width * photo.height * 3 || data.length === 0) {
    throw new ValueError(
      `resample: a photo of ${photo.width}x${photo.height} has ${photo.width * photo.height * 3} bytes, from 3 on; got ${data.length}`,
    );
  }
  if (!(window.width > 0 && window.height > 0 && Number.isFinite(window.left + window.top))) {
    throw new ValueError(`resample: the window is ${JSON.stringify(window)}; its width and height must be above 0`);
  }
  const columns = tapsOf(window.left, window.width, width, photo.width);
  const rows = tapsOf(window.top, window.height, height, photo.height);
  // Only the rows that any result takes are made narrower.
  const first = rows.reduce((least, { places }) => Math.min(least, places[0] as number), photo.height);
  const last = rows.reduce((most, { places }) => Math.max(most, places.at(-1) as number), 0);
  const narrow = new Float32Array((last - first + 1) * width * 3);
  let at = 0;
  for (let y = first; y <= last; y++) {
    for (const { places, shares } of columns) {
      let [red, green, blue] = [0, 0, 0];
      for (let i = 0; i < places.length; i++) {
        const from = (y * photo.width + (places[i] as number)) * 3;
        const share = shares[i] as number;
        red += share * (data[from] as number);
        green += share * (data[from + 1] as number);
        blue += share * (data[from + 2] as number);
      }
      narrow[at++] = red;
      narrow[at++] = green;
      narrow[at++] = blue;
    }
  }
  const out = new Float32Array(3 * height * width);
  for (const [y, { places, shares }] of rows.entries()) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let i = 0; i < places.length; i++) {
          const row = (places[i] as number) - first;
          sum += (shares[i] as number) * (narrow[(row * width + x) * 3 + channel] as number);
        }
        out[(channel * height + y) * width + x] = sum;
      }
    }
  }
  return out;
}

/** What each of `count` pixels takes, that lie side by side from `start` over `length` of a line of `size` pixels. */
function tapsOf(start: number, length: number, count: number, size: number): Taps[] {
  const step = length / count;
  const reach = Math.max(1, step);
  return Array.from({ length: count }, (_, i) => {
    const center = start + (i + 0.5) * step;
    const from = Math.floor(center - reach + 0.5);
    const to = Math.max(from + 1, Math.ceil(center + reach - 0.5));
    const inside = (place: number): number => Math.min(Math.max(place, 0), size - 1);
    const [least, most] = [inside(from), inside(to - 1)];
    const shares = new Float64Array(most - least + 1);
    let sum = 0;
    for (let place = from; place < to; place++) {
      const share = Math.max(0, 1 - Math.abs(place + 0.5 - center) / reach);
      shares[inside(place) - least] = (shares[inside(place) - least] as number) + share;
      sum += share;
    }
    return {
      places: Int32Array.from(shares, (_, place) => least + place),
      shares: shares.map((share) => share / sum),
    };
  });
}

/** Gray bytes of [3, height, width]: 0.299 R + 0.587 G + 0.114 B, rounded. */
export function grayBytes(rgb: Float32Array): Uint8Array {
  const area = rgb.length / 3;
  return Uint8Array.from({ length: area }, (_, i) =>
    Math.round(0.299 * (rgb[i] as number) + 0.587 * (rgb[area + i] as number) + 0.114 * (rgb[2 * area + i] as number)),
  );
}
