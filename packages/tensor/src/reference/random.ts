import { ulps, within } from './bounds.ts';
import { build, type Element, type Values } from './values.ts';

/** Block `index` of the stream of `seed`: four 32-bit integers, by the definition of Philox4x32-10 in integers of any size. */
export function philox(seed: bigint, index: bigint, upper: bigint = 0n): bigint[] {
  const mask = (1n << 32n) - 1n;
  let [c0, c1, c2, c3] = [index & mask, index >> 32n, upper & mask, upper >> 32n] as [bigint, bigint, bigint, bigint];
  let [k0, k1] = [seed & mask, seed >> 32n] as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const [a, b] = [0xd2511f53n * c0, 0xcd9e8d57n * c2];
    [c0, c1, c2, c3] = [(b >> 32n) ^ c1 ^ k0, b & mask, (a >> 32n) ^ c3 ^ k1, a & mask];
    [k0, k1] = [(k0 + 0x9e3779b9n) & mask, (k1 + 0xbb67ae85n) & mask];
  }
  return [c0, c1, c2, c3];
}

/** The i-th word of the stream. */
export function word(seed: number, i: number): number {
  return Number(philox(BigInt(seed), BigInt(Math.floor(i / 4)))[i % 4]);
}

function list(shape: readonly number[], f: (i: number) => number | Element): Values {
  let i = 0;
  return build(shape, () => f(i++));
}

/** Words of the stream, starting with word `from`. */
export function randomBits(shape: readonly number[], seed: number, from = 0): Values {
  return list(shape, (i) => word(seed, from + i));
}

const uniform = (bits: number): number => (bits >>> 8) / 2 ** 24;

export function rand(shape: readonly number[], seed: number, from = 0): Values {
  return list(shape, (i) => uniform(word(seed, from + i)));
}

/** Box and Muller: words 0 and 2 of a block give its normals 0 and 2, words 1 and 3 its normals 1 and 3. */
export function randn(shape: readonly number[], seed: number, from = 0): Values {
  return list(shape, (i) => {
    const [block, lane] = [Math.floor((from + i) / 4) * 4, (from + i) % 4];
    const radius = Math.sqrt(-2 * Math.log(1 - uniform(word(seed, block + (lane % 2)))));
    const angle = 2 * Math.PI * uniform(word(seed, block + 2 + (lane % 2)));
    const value = radius * (lane < 2 ? Math.cos(angle) : Math.sin(angle));
    // log has 2^-21 near 1, which a root of a small number makes larger; WGSL allows cos and sin 2^-11, adapters keep 2^-21.
    const ofRadius = Math.min(2 ** -21 / radius, 2 ** -10);
    return { value, error: ofRadius + radius * (2 ** -21 + ulps(1, angle)) };
  });
}

export function bernoulli(shape: readonly number[], p: number, seed: number, from = 0): Values {
  return list(shape, (i) => Number(uniform(word(seed, from + i)) < Math.fround(p)));
}

export function dropout(x: Values, p: number, seed: number, from = 0): Values {
  const keep = Math.fround(1 - p);
  const y = list(x.shape, (i) => (uniform(word(seed, from + i)) < keep ? (x.data[i] as number) / keep : 0));
  return within(y, (v) => ulps(3, v), [[x, y.data.map(() => ulps(3, 1 / keep))]]);
}
