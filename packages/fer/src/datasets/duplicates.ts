// Images that are the same pixel for pixel: what a test figure should be given with and without.
import { ValueError } from '@mien/tensor';
import { PIXELS, type Split } from './faces.ts';

const WORDS = PIXELS / 4;

/**
 * For each of the images [count, 48, 48], the row of the first one with the same pixels: its own where it is the first.
 * Rows that share a number are identical.
 */
export function firstIdentical(images: Uint8Array): Int32Array {
  const bytes = images.byteOffset % 4 === 0 ? images : images.slice();
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
  const first = new Int32Array(bytes.length / PIXELS);
  // A row for each hash that was seen; rows whose hashes fall together are told apart by their pixels.
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
 * Which of the tested images are pixel-identical to one that is trained on: 1 or 0 for each of `tested.indices`, in
 * that order. FER2013 has 280 in PublicTest and 288 in PrivateTest. Throws ValueError unless both are of one data set.
 */
export function duplicatesOf(tested: Split, trained: Split): Uint8Array {
  if (tested.faces !== trained.faces) {
    throw new ValueError(
      'duplicatesOf: the tested and the trained images are of two data sets, expected splits of one',
    );
  }
  const first = firstIdentical(tested.faces.images);
  const known = new Uint8Array(first.length);
  for (const row of trained.indices) known[first[row] as number] = 1;
  return Uint8Array.from(tested.indices, (row) => known[first[row] as number] as number);
}

/** FNV-1a (Fowler, Noll and Vo), by words of four bytes and with the high bits folded back. */
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
