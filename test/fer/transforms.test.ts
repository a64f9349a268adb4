import { type Augmentation, Cropper, type Distortion, PIXELS, SIDE } from '@mien/fer';
import { Generator } from '@mien/tensor';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { law, test } from '../harness.ts';

// Two images whose bytes encode image, row and column, so that these can be read back from a crop.
const images = Uint8Array.from({ length: 2 * PIXELS }, (_, i) => (i * 31 + Math.floor(i / PIXELS) * 7) % 256);
const bytes = { channels: 1, size: 44, mean: 0, std: 1 / 255 };
const at = (image: number, row: number, column: number): number =>
  images[image * PIXELS + row * SIDE + column] as number;

law(
  'Cropper.cut cuts the window that Cropper.draw drew, mirrored or not, in every channel',
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

test('Cropper.draw reaches every position of a 44x44 crop and mirrors half of them', () => {
  const cropper = new Cropper(bytes);
  const generator = new Generator(5);
  const views = Array.from({ length: 2000 }, () => cropper.draw(0, generator));
  assert.is(new Set(views.map(({ top, left }) => top * 5 + left)).size, 25);
  const mirrored = views.filter((view) => view.mirrored).length;
  assert.ok(mirrored > 900 && mirrored < 1100, `${mirrored} of 2000`);
});

test('Cropper.ten returns corners and center, then those of the mirrored image', () => {
  const cropper = new Cropper(bytes);
  const crops = cropper.cut(images, cropper.ten(1));
  const plain = [at(1, 0, 0), at(1, 0, 4), at(1, 4, 0), at(1, 4, 4), at(1, 2, 2)];
  const mirrored = [at(1, 0, 47), at(1, 0, 43), at(1, 4, 47), at(1, 4, 43), at(1, 2, 45)];
  assert.equal(
    Array.from({ length: 10 }, (_, view) => Math.round(crops[view * 44 * 44] as number)),
    [...plain, ...mirrored],
  );
  assert.equal(cropper.center(1), cropper.ten(1)[4]);
});

const still: Augmentation = { rotation: 0, scale: 0, shift: 0, light: 0, erasing: 0 };

law(
  'Cropper.cut of a distorted view is the bilinear sample at the rotated, scaled and shifted position',
  fc.record({ seed: fc.nat(1000), rotation: fc.nat(180), scale: fc.constantFrom(0, 0.1, 0.5), shift: fc.nat(9) }),
  ({ seed, ...bounds }) => {
    const cropper = new Cropper({ ...bytes, channels: 3 });
    const view = cropper.draw(1, new Generator(seed), { ...still, ...bounds });
    const { cos, sin, right, down } = view.distortion as Distortion;
    assert.ok(Math.abs(right) <= bounds.shift && Math.abs(down) <= bounds.shift);
    assert.ok(Math.abs(1 / Math.hypot(cos, sin) - 1) <= bounds.scale + 1e-6);
    assert.ok(Math.abs(Math.atan2(sin, cos)) <= (bounds.rotation * Math.PI) / 180 + 1e-6);
    const inside = (i: number): number => Math.min(SIDE - 1, Math.max(0, i));
    const pixel = (row: number, column: number): number => at(1, inside(row), inside(column));
    const crop = cropper.cut(images, [view]);
    for (let y = 0; y < 44; y++) {
      for (let x = 0; x < 44; x++) {
        const [across, along] = [(view.mirrored ? 43 - x : x) - 21.5, y - 21.5];
        const column = 23.5 + right + cos * across - sin * along;
        const row = 23.5 + down + sin * across + cos * along;
        const [left, top] = [Math.floor(column), Math.floor(row)];
        let expected = 0;
        for (const [r, c] of [
          [0, 0],
          [0, 1],
          [1, 0],
          [1, 1],
        ] as const) {
          expected += (1 - Math.abs(row - top - r)) * (1 - Math.abs(column - left - c)) * pixel(top + r, left + c);
        }
        for (const channel of [0, 2]) {
          const got = crop[(channel * 44 + y) * 44 + x] as number;
          if (Math.abs(got - expected) > 1e-2) assert.unreachable(`row ${y}, column ${x}: ${got}, not ${expected}`);
        }
      }
    }
  },
  { runs: 40 },
);

test('Cropper.draw without bounds returns the center crop, mirrored or not', () => {
  const cropper = new Cropper(bytes);
  const view = cropper.draw(0, new Generator(1), still);
  const plain = { ...cropper.center(0), mirrored: view.mirrored };
  const [drawn, center] = [cropper.cut(images, [view]), cropper.cut(images, [plain])];
  for (const [i, value] of center.entries()) assert.ok(Math.abs(value - (drawn[i] as number)) < 1e-3);
});

test('Cropper.draw relights half of the images, within 0 to 255, and erases the requested share', () => {
  const cropper = new Cropper({ ...bytes, mean: -1 });
  const generator = new Generator(7);
  const views = Array.from({ length: 1000 }, () => cropper.draw(0, generator, { ...still, light: 0.2, erasing: 0.25 }));
  const relit = views.filter(({ distortion }) => distortion?.brightness !== 1);
  assert.ok(relit.length > 450 && relit.length < 550, `${relit.length} of 1000 relit`);
  for (const { distortion } of relit) {
    for (const factor of [distortion?.brightness, distortion?.contrast] as number[])
      assert.ok(factor >= 0.8 && factor <= 1.2);
  }
  const erased = views.filter(({ distortion }) => distortion?.erased);
  assert.ok(erased.length > 200 && erased.length < 300, `${erased.length} of 1000 erased`);
  for (const view of views.slice(0, 60)) {
    // With this mean and std a gray value becomes 255 + gray, and only erased pixels become 0.
    const crop = cropper.cut(images, [view]);
    const { height = 0, width = 0 } = view.distortion?.erased ?? {};
    assert.is(crop.filter((value) => value === 0).length, height * width);
    assert.ok(crop.every((value) => value === 0 || (value > 254.9 && value < 510.1)));
    assert.ok(height * width <= 0.36 * 44 * 44);
  }
});

test('Cropper scales gray 0 and 255 to (0 - mean) / std and (1 - mean) / std', () => {
  const two = Uint8Array.from({ length: PIXELS }, (_, i) => (i % 2) * 255);
  const cropper = new Cropper({ channels: 1, size: 48, mean: 0.5, std: 0.25 });
  const crop = cropper.cut(two, [cropper.center(0)]);
  assert.equal([...crop.slice(0, 2)], [-2, 2]);
});

test('Cropper refuses crops larger than the image', () => {
  assert.throws(() => new Cropper({ ...bytes, size: 49 }), /expected a size from 1 to 48/);
});
