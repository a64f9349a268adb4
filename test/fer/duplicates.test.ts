import { duplicatesOf, type Faces, firstIdentical, PIXELS } from '@mien/fer';
import { ValueError } from '@mien/tensor';
import { refuses } from '@mien/tensor/testing';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { law, test } from '../harness.ts';

/** Images that differ in at most one pixel: image i has its seed at an index that depends on the seed. */
function imagesOf(seeds: readonly number[], offset = 0): Uint8Array {
  const images = new Uint8Array(new ArrayBuffer(offset + seeds.length * PIXELS), offset);
  for (const [row, seed] of seeds.entries()) images[row * PIXELS + ((seed * 7) % PIXELS)] = seed;
  return images;
}

function facesOf(seeds: readonly number[], splits: Faces['splits'] = {}): Faces {
  return { dataset: 'fer2013', classes: ['a'], images: imagesOf(seeds), labels: new Uint8Array(seeds.length), splits };
}

law(
  'firstIdentical is the first row with the same pixels, at any offset in memory',
  fc.record({
    seeds: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 40 }),
    offset: fc.integer({ min: 0, max: 7 }),
  }),
  ({ seeds, offset }) => {
    const expected = seeds.map((seed) => seeds.indexOf(seed));
    assert.equal([...firstIdentical(imagesOf(seeds, offset))], expected);
  },
);

law(
  'duplicatesOf marks the tested images that occur in the training images',
  fc.record({
    trained: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 20 }),
    tested: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 20 }),
  }),
  ({ trained, tested }) => {
    const faces = facesOf([...trained, ...tested]);
    const rows = Int32Array.from(faces.labels.keys());
    const marks = duplicatesOf(
      { faces, indices: rows.subarray(trained.length) },
      { faces, indices: rows.subarray(0, trained.length) },
    );
    assert.equal(
      [...marks],
      tested.map((seed) => Number(trained.includes(seed))),
    );
  },
);

test('duplicatesOf refuses splits of two data sets', () => {
  const [one, other] = [facesOf([1]), facesOf([1])];
  const indices = Int32Array.of(0);
  refuses(
    () => duplicatesOf({ faces: one, indices }, { faces: other, indices }),
    ValueError,
    'expected two splits of one data set',
  );
});
