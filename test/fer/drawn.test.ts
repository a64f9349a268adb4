import { classCounts, drawFaces, PIXELS, split } from '@mien/fer';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

/** FNV-1a over all bytes. */
function hash(bytes: Uint8Array): number {
  let h = 0x811c9dc5;
  for (const byte of bytes) h = Math.imul(h ^ byte, 0x01000193) >>> 0;
  return h;
}

test('drawFaces draws the same bytes for a seed on every machine, and others for another seed', () => {
  const options = { training: 2, publicTest: 1, privateTest: 1 };
  const faces = drawFaces({ ...options, seed: 1 });
  assert.is(hash(faces.images), 2026828375);
  assert.is.not(hash(drawFaces({ ...options, seed: 2 }).images), hash(faces.images));
});

test('drawFaces draws the requested number of faces per class, in the order of the splits', () => {
  const faces = drawFaces({ training: 3, publicTest: 2, privateTest: 1 });
  assert.equal(classCounts(split(faces, 'Training')), [3, 3, 3, 3, 3, 3, 3]);
  assert.equal(classCounts(split(faces, 'PublicTest')), [2, 2, 2, 2, 2, 2, 2]);
  assert.equal([...split(faces, 'PrivateTest').indices], [35, 36, 37, 38, 39, 40, 41]);
  assert.is(faces.images.length, 42 * PIXELS);
});

test('drawFaces draws distinct faces, none of them constant', () => {
  const { images, labels } = drawFaces({ training: 4, publicTest: 1, privateTest: 1 });
  const seen = new Set<number>();
  for (let i = 0; i < labels.length; i++) {
    const image = images.subarray(i * PIXELS, (i + 1) * PIXELS);
    seen.add(hash(image));
    assert.ok(new Set(image).size > 20, `face ${i} has few grays`);
  }
  assert.is(seen.size, labels.length);
});

test('drawFaces refuses sizes that are not integers from 1', () => {
  assert.throws(() => drawFaces({ training: 0 }), /expected 1 face per class or more/);
});
