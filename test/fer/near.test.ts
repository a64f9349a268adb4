import { drawFaces, nearPairs, PIXELS } from '@mien/fer';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { law, test } from '../harness.ts';

const drawn = drawFaces({ training: 2, publicTest: 1, privateTest: 1 }).images;

/** Pearson's correlation by its definition. */
function correlation(a: Uint8Array, b: Uint8Array): number {
  const mean = (x: Uint8Array): number => x.reduce((sum, value) => sum + value, 0) / PIXELS;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < PIXELS; i++) {
    const [x, y] = [(a[i] as number) - ma, (b[i] as number) - mb];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / Math.sqrt(aa * bb);
}

law(
  'nearPairs finds exactly the pairs with the requested correlation',
  fc.record({
    least: fc.double({ min: 0.3, max: 0.99, noNaN: true }),
    noise: fc.integer({ min: 0, max: 60 }),
    seed: fc.integer({ min: 1, max: 1000 }),
  }),
  ({ least, noise, seed }) => {
    // Every drawn face twice, the copy with other contrast, brightness and noise; and one constant image.
    const count = drawn.length / PIXELS;
    const images = new Uint8Array((2 * count + 1) * PIXELS);
    images.set(drawn);
    let state = seed;
    for (let i = 0; i < drawn.length; i++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      const moved = 20 + 0.7 * (drawn[i] as number) + noise * ((state >>> 8) / 2 ** 24 - 0.5);
      images[drawn.length + i] = Math.max(0, Math.min(255, Math.round(moved)));
    }
    const image = (row: number): Uint8Array => images.subarray(row * PIXELS, (row + 1) * PIXELS);
    const expected: string[] = [];
    for (let a = 0; a < 2 * count; a++) {
      for (let b = a + 1; b < 2 * count; b++) if (correlation(image(a), image(b)) >= least) expected.push(`${a} ${b}`);
    }
    const found: string[] = [];
    const rows = Int32Array.from({ length: 2 * count + 1 }, (_, i) => i);
    nearPairs(images, rows, least, ({ a, b }) => found.push(`${a} ${b}`));
    assert.equal(found.sort(), expected.sort());
  },
  { runs: 15 },
);

test('nearPairs of no images are none', () => {
  nearPairs(new Uint8Array(0), new Int32Array(0), 0.9, () => assert.unreachable());
});
