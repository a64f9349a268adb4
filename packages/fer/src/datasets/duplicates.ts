// Images with identical pixels, with and without which a test figure should be reported.
import { ValueError } from '@mien/tensor';
import { PIXELS, type Split } from './faces.ts';

const WORDS = PIXELS / 4;

/**
 * For each of the images [count, 48, 48], the row of the first image with the same pixels, which may be itself.
 */
export function firstIdentical(images: Uint8Array): Int32Array {
  const bytes = images.byteOffset % 4 === 0 ? images : images.slice();
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
  const first = new Int32Array(bytes.length / PIXELS);
  // The first row of each hash; on a collision of hashes the pixels are compared.
  const seen = new Map<number, number>();
  for (let row = 0; row < first.length; row++) {
    let key = hash(words, row);
    let other = seen.get(key);
    while (other !== undefined && !same(words, row, other)) other = seen.get(++key);
    if (other === undefined) seen.set(key, row);
    first[row] = other ?? row;
  }
  return first;
}

/**
 * Whether each tested image also occurs in the training images, pixel by pixel: 1 or 0 for each of `tested.indices`.
 * FER2013 has 280 in PublicTest and 288 in PrivateTest. Throws ValueError unless both splits are of one data set.
 */
export function duplicatesOf(tested: Split, trained: Split): Uint8Array {
  if (tested.faces !== trained.faces) {
    throw new ValueError('duplicatesOf: expected two splits of one data set, got splits of two');
  }
  const first = firstIdentical(tested.faces.images);
  const known = new Uint8Array(first.length);
  for (const row of trained.indices) known[first[row] as number] = 1;
  return Uint8Array.from(tested.indices, (row) => known[first[row] as number] as number);
}

/** FNV-1a (Fowler, Noll and Vo) over 32-bit words, with the high bits folded back. */
function hash(words: Uint32Array, row: number): number {
  let h = 0x811c9dc5;
  for (let i = row * WORDS; i < (row + 1) * WORDS; i++) {
    h = Math.imul(h ^ (words[i] as number), 0x01000193);
    h ^= h >>> 15;
  }
  return h >>> 0;
}

function same(words: Uint32Array, a: number, b: number): boolean {
  const [from, to] = [a * WORDS, b * WORDS];
  for (let i = 0; i < WORDS; i++) if (words[from + i] !== words[to + i]) return false;
  return true;
}
