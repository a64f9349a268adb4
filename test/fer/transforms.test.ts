import { Cropper, PIXELS, SIDE } from '@mien/fer';
import { Generator } from '@mien/tensor';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { law, test } from '../harness.ts';

// Two images whose bytes tell their place: image, row and column can be read back from a crop.
const images = Uint8Array.from({ length: 2 * PIXELS }, (_, i) => (i * 31 + Math.floor(i / PIXELS) * 7) % 256);
const bytes = { channels: 1, size: 44, mean: 0, std: 1 / 255 };
const at = (image: number, row: number, column: number): number =>
  images[image * PIXELS + row * SIDE + column] as number;

law(
  'Cropper.cut takes the window that Cropper.draw drew, mirrored or not, in every channel',
  fc.record({ seed: fc.nat(1000), size: fc.integer({ min: 1, max: 48 }), channels: fc.constantFrom(1, 3) }),
  ({ seed, size, channels }) => {
    const cropper = new Cropper({ ...bytes, size, channels });
    const generator = new Generator(seed);
    const views = [cropper.draw(1, generator), cropper.draw(0, generator)];
    const crops = cropper.cut(images, views);
    for (const [i, { index, top, left, mirrored }] of views.entries()) {
      assert.ok(top >= 0 && left >= 0 && top <= SIDE - size && left <= SIDE - size);
      for (let channel = 0; channel < channels; channel++) {
        for (let y = 0; y < size; y++) {
          for (let x = 0; x < size; x++) {
            const expected = at(index, top + y, left + (mirrored ? size - 1 - x : x));
            const got = crops[((i * channels + channel) * size + y) * size + x] as number;
            if (Math.abs(got - expected) > 1e-3) {
              assert.unreachable(`image ${index}, row ${y}, column ${x}: ${got}, not ${expected}`);
            }
          }
        }
      }
    }
  },
  { runs: 40 },
);

test('Cropper.draw reaches every place of a 44x44 crop and mirrors half of them', () => {
  const cropper = new Cropper(bytes);
  const generator = new Generator(5);
  const views = Array.from({ length: 2000 }, () => cropper.draw(0, generator));
  assert.is(new Set(views.map(({ top, left }) => top * 5 + left)).size, 25);
  const mirrored = views.filter((view) => view.mirrored).length;
  assert.ok(mirrored > 900 && mirrored < 1100, `${mirrored} of 2000`);
});

test('Cropper.ten gives corners and centre, then those of the mirrored image', () => {
  const cropper = new Cropper(bytes);
  const crops = cropper.cut(images, cropper.ten(1));
  const plain = [at(1, 0, 0), at(1, 0, 4), at(1, 4, 0), at(1, 4, 4), at(1, 2, 2)];
  const mirrored = [at(1, 0, 47), at(1, 0, 43), at(1, 4, 47), at(1, 4, 43), at(1, 2, 45)];
  assert.equal(
    Array.from({ length: 10 }, (_, view) => Math.round(crops[view * 44 * 44] as number)),
    [...plain, ...mirrored],
  );
  assert.equal(cropper.centre(1), cropper.ten(1)[4]);
});

test('Cropper scales grey 0 and 255 to (0 - mean) / std and (1 - mean) / std', () => {
  const two = Uint8Array.from({ length: PIXELS }, (_, i) => (i % 2) * 255);
  const cropper = new Cropper({ channels: 1, size: 48, mean: 0.5, std: 0.25 });
  const crop = cropper.cut(two, [cropper.centre(0)]);
  assert.equal([...crop.slice(0, 2)], [-2, 2]);
});

test('Cropper refuses crops larger than the image', () => {
  assert.throws(() => new Cropper({ ...bytes, size: 49 }), /expected 1 to 48/);
});
