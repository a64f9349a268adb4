// Near-identical images: equal up to brightness, contrast and slight noise.
import { PIXELS, SIDE } from './faces.ts';

/** Two images by their rows, and their correlation. */
export interface NearPair {
  readonly a: number;
  readonly b: number;
  readonly correlation: number;
}

// Frequencies per direction in the search.
const LOW = 8;
const TERMS = LOW * LOW - 1;

/**
 * Calls `onPair` for every pair of `rows` whose pixels correlate by `least` or more (Pearson, as in normalized
 * cross-correlation, Lewis 1995). Constant images have no correlation.
 *
 * The distance of two images, each minus its mean and divided by its norm, is sqrt(2 - 2 correlation). An orthonormal
 * transform preserves distances, and a subset of its terms never increases them (Agrawal, Faloutsos and Swami 1993). So pairs
 * too far apart in the 63 lowest terms of the cosine transform are excluded without missing any, and the rest is compared in
 * all pixels.
 */
export function nearPairs(images: Uint8Array, rows: Int32Array, least: number, onPair: (pair: NearPair) => void): void {
  const moments = rows.length === 0 ? [] : Array.from(rows, (row) => momentsOf(images, row));
  const seen = Array.from(rows.keys()).filter((i) => (moments[i]?.norm ?? 0) > 0);
  const terms = new Float32Array(seen.length * TERMS);
  for (const [at, i] of seen.entries()) transform(images, rows[i] as number, moments[i] as Moments, terms, at * TERMS);
  // Sorted by the first term, so that candidates are neighbors.
  const order = Array.from(seen.keys()).sort((a, b) => (terms[a * TERMS] as number) - (terms[b * TERMS] as number));
  const sorted = new Float32Array(terms.length);
  for (const [at, i] of order.entries()) sorted.set(terms.subarray(i * TERMS, (i + 1) * TERMS), at * TERMS);
  // A margin, because single precision could miss pairs at the limit.
  const squared = 2 - 2 * least + 1e-4;
  const reach = Math.sqrt(squared);
  for (let i = 0; i < order.length; i++) {
    const from = i * TERMS;
    const limit = (sorted[from] as number) + reach;
    for (let j = i + 1; j < order.length && (sorted[j * TERMS] as number) <= limit; j++) {
      if (apart(sorted, from, j * TERMS, squared)) continue;
      const [p, q] = [seen[order[i] as number] as number, seen[order[j] as number] as number];
      const [a, b] = [rows[p] as number, rows[q] as number];
      const correlation = correlate(images, a, b, moments[p] as Moments, moments[q] as Moments);
      if (correlation >= least) onPair({ a: Math.min(a, b), b: Math.max(a, b), correlation });
    }
  }
}

/** The mean of an image, and the norm of the image minus its mean. */
interface Moments {
  readonly mean: number;
  readonly norm: number;
}

function momentsOf(images: Uint8Array, row: number): Moments {
  let [sum, squares] = [0, 0];
  for (let i = row * PIXELS; i < (row + 1) * PIXELS; i++) {
    const value = images[i] as number;
    sum += value;
    squares += value * value;
  }
  return { mean: sum / PIXELS, norm: Math.sqrt(Math.max(0, squares - (sum * sum) / PIXELS)) };
}

function correlate(images: Uint8Array, a: number, b: number, one: Moments, other: Moments): number {
  let products = 0;
  for (let i = 0; i < PIXELS; i++) products += (images[a * PIXELS + i] as number) * (images[b * PIXELS + i] as number);
  return (products - PIXELS * one.mean * other.mean) / (one.norm * other.norm);
}

function apart(terms: Float32Array, a: number, b: number, squared: number): boolean {
  let sum = 0;
  for (let k = 0; k < TERMS; k++) {
    const difference = (terms[a + k] as number) - (terms[b + k] as number);
    sum += difference * difference;
    if (sum > squared) return true;
  }
  return false;
}

// The orthonormal cosine transform's lowest frequencies: [LOW, SIDE].
const COSINES: Float64Array = Float64Array.from({ length: LOW * SIDE }, (_, i) => {
  const [k, x] = [Math.floor(i / SIDE), i % SIDE];
  return Math.sqrt((k === 0 ? 1 : 2) / SIDE) * Math.cos((Math.PI * k * (2 * x + 1)) / (2 * SIDE));
});

/** The lowest terms of an image, divided by its norm, without the first, which only depends on the mean. */
function transform(images: Uint8Array, row: number, { norm }: Moments, out: Float32Array, at: number): void {
  const across = new Float64Array(SIDE * LOW);
  for (let y = 0; y < SIDE; y++) {
    for (let k = 0; k < LOW; k++) {
      let sum = 0;
      for (let x = 0; x < SIDE; x++) {
        sum += (images[row * PIXELS + y * SIDE + x] as number) * (COSINES[k * SIDE + x] as number);
      }
      across[y * LOW + k] = sum;
    }
  }
  for (let term = 1; term <= TERMS; term++) {
    const [down, k] = [Math.floor(term / LOW), term % LOW];
    let sum = 0;
    for (let y = 0; y < SIDE; y++) sum += (across[y * LOW + k] as number) * (COSINES[down * SIDE + y] as number);
    out[at + term - 1] = sum / norm;
  }
}
