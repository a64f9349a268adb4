import { grayBytes, type Photo, resample } from '@mien/fer';
import { ValueError } from '@mien/tensor';
import { nearValues, refuses } from '@mien/tensor/testing';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { law, test } from '../harness.ts';

const photos: fc.Arbitrary<Photo> = fc
  .record({ width: fc.integer({ min: 1, max: 9 }), height: fc.integer({ min: 1, max: 9 }) })
  .chain(({ width, height }) =>
    fc
      .uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 })
      .map((data) => ({ width, height, data })),
  );

/** One pixel by definition: the mean of all pixels of an infinite photo, weighted by a triangle around the pixel's center. */
function pixel(
  { width, height, data }: Photo,
  x: number,
  y: number,
  reachX: number,
  reachY: number,
  channel: number,
): number {
  const inside = (place: number, size: number): number => Math.min(Math.max(place, 0), size - 1);
  let [sum, total] = [0, 0];
  for (let row = Math.floor(y - reachY) - 1; row <= y + reachY + 1; row++) {
    for (let column = Math.floor(x - reachX) - 1; column <= x + reachX + 1; column++) {
      const share =
        Math.max(0, 1 - Math.abs(row + 0.5 - y) / reachY) * Math.max(0, 1 - Math.abs(column + 0.5 - x) / reachX);
      sum += share * (data[(inside(row, height) * width + inside(column, width)) * 3 + channel] as number);
      total += share;
    }
  }
  return sum / total;
}

law(
  'resample equals its definition for any window, inside or outside the photo',
  fc.record({
    photo: photos,
    left: fc.integer({ min: -12, max: 12 }).map((n) => n / 2),
    top: fc.integer({ min: -12, max: 12 }).map((n) => n / 3),
    side: fc.record({
      width: fc.integer({ min: 1, max: 30 }).map((n) => n / 2),
      height: fc.integer({ min: 1, max: 30 }).map((n) => n / 2),
    }),
    width: fc.integer({ min: 1, max: 7 }),
    height: fc.integer({ min: 1, max: 7 }),
  }),
  ({ photo, left, top, side, width, height }) => {
    const out = resample(photo, { left, top, ...side }, width, height);
    const [stepX, stepY] = [side.width / width, side.height / height];
    const expected = Array.from({ length: 3 * width * height }, (_, i) => {
      const [channel, rest] = [Math.floor(i / (width * height)), i % (width * height)];
      const [x, y] = [left + ((rest % width) + 0.5) * stepX, top + (Math.floor(rest / width) + 0.5) * stepY];
      return pixel(photo, x, y, Math.max(1, stepX), Math.max(1, stepY), channel);
    });
    nearValues(out, expected);
  },
);

law('resample of the whole photo at its size is the photo', photos, (photo) => {
  const { width, height, data } = photo;
  const out = resample(photo, { left: 0, top: 0, width, height }, width, height);
  const area = width * height;
  nearValues(
    out,
    Array.from({ length: 3 * area }, (_, i) => data[(i % area) * 3 + Math.floor(i / area)] as number),
  );
});

test('resample refuses windows without area and photos whose bytes are missing', () => {
  const photo = { width: 2, height: 1, data: new Uint8Array(6) };
  const window = { left: 0, top: 0, width: 2, height: 1 };
  refuses(
    () => resample(photo, { ...window, width: 0 }, 4, 4),
    ValueError,
    'expected a window of positive width and height',
  );
  refuses(
    () => resample(photo, { ...window, left: Number.NaN }, 4, 4),
    ValueError,
    'expected a window of positive width and height',
  );
  refuses(
    () => resample({ ...photo, height: 2 }, window, 4, 4),
    ValueError,
    'expected 12 bytes for a photo of 2x2, got 6',
  );
});

test('grayBytes is 0.299 R + 0.587 G + 0.114 B, rounded', () => {
  assert.equal([...grayBytes(Float32Array.of(255, 0, 0, 10, 0, 255, 0, 20, 0, 0, 255, 30))], [76, 150, 29, 18]);
});
