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
  'Cropper.random cuts a window of its image, mirrored or not, by the generator alone',
  fc.record({ seed: fc.nat(1000), size: fc.integer({ min: 1, max: 48 }), channels: fc.constantFrom(1, 3) }),
  ({ seed, size, channels }) => {
    const crops = new Cropper({ ...bytes, size, channels }).random(images, [1, 0], new Generator(seed));
    const again = new Generator(seed);
    for (const [i, image] of [1, 0].entries()) {
      const top = again.integer(SIDE - size + 1);
      const left = again.integer(SIDE - size + 1);
      const mirrored = again.integer(2) === 1;
      for (let channel = 0; channel < channels; channel++) {
        for (let y = 0; y < size; y++) {
          for (let x = 0; x < size; x++) {
            const expected = at(image, top + y, left + (mirrored ? size - 1 - x : x));
            const got = crops[((i * channels + channel) * size + y) * size + x] as number;
            if (Math.abs(got - expected) > 1e-4)
              assert.unreachable(`image ${image}, row ${y}, column ${x}: ${got}, not ${expected}`);
          }
        }
      }
    }
  },
  { runs: 40 },
);

test('Cropper.ten gives corners and centre, then those of the mirrored image', () => {
  const crops = new Cropper(bytes).ten(images, [1]);
  const corner = (view: number): number => Math.round(crops[view * 44 * 44] as number);
  const plain = [at(1, 0, 0), at(1, 0, 4), at(1, 4, 0), at(1, 4, 4), at(1, 2, 2)];
  const mirrored = [at(1, 0, 47), at(1, 0, 43), at(1, 4, 47), at(1, 4, 43), at(1, 2, 45)];
  assert.equal(
    Array.from({ length: 10 }, (_, view) => corner(view)),
    [...plain, ...mirrored],
  );
});

test('Cropper.centre is the fifth view of Cropper.ten', () => {
  const cropper = new Cropper({ channels: 1, size: 44, mean: 0.5, std: 0.25 });
  assert.equal(cropper.centre(images, [0]), cropper.ten(images, [0]).slice(4 * 44 * 44, 5 * 44 * 44));
});

test('Cropper scales grey 0 and 255 to (0 - mean) / std and (1 - mean) / std', () => {
  const two = Uint8Array.from({ length: PIXELS }, (_, i) => (i % 2) * 255);
  const crop = new Cropper({ channels: 1, size: 48, mean: 0.5, std: 0.25 }).centre(two, [0]);
  assert.equal([...crop.slice(0, 2)], [-2, 2]);
});

test('Cropper refuses crops larger than the image', () => {
  assert.throws(() => new Cropper({ ...bytes, size: 49 }), /expected 1 to 48/);
});
