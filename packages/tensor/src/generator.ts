// Philox4x32-10 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011): a random word is a function of a seed and a
// position, so that the host, every adapter and a resumed run draw the same numbers.
import { expectOptions } from './arguments.ts';
import { ValueError } from './errors.ts';
import { slot, withValue } from './session.ts';

/** The state of a generator, from which it continues with the same numbers. */
export interface GeneratorState {
  /** From 0 to 2^53 - 1. */
  readonly seed: number;
  /** The number of 32-bit words drawn. */
  readonly offset: number;
}

const wordsPerBlock = 4;
const twoTo32 = 2 ** 32;

/** A stream of random numbers that a seed determines. Operations that draw on the device take a section of the stream. */
export class Generator {
  readonly seed: number;
  #offset = 0;
  readonly #block: Uint32Array = new Uint32Array(wordsPerBlock);
  #blockIndex = -1;

  /** Throws ValueError unless the seed is an integer from 0 to 2^53 - 1. */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0)
      throw new ValueError(`generator: seed must be an integer from 0 to 2^53 - 1, got ${seed}`);
    this.seed = seed;
  }

  /** A generator that continues from `state`. Throws ValueError unless its offset is a non-negative integer. */
  static from(state: GeneratorState): Generator {
    expectOptions('generator', state);
    const { seed, offset } = state;
    if (!Number.isSafeInteger(offset) || offset < 0)
      throw new ValueError(`generator: offset must be a non-negative integer, got ${offset}`);
    const generator = new Generator(seed);
    generator.#offset = offset;
    return generator;
  }

  /** The current state. */
  state(): GeneratorState {
    return { seed: this.seed, offset: this.#offset };
  }

  /** Runs `fn` from `offset`, then restores the current offset. */
  rewound<T>(offset: number, fn: () => T): T {
    const before = this.#offset;
    this.#offset = offset;
    try {
      return fn();
    } finally {
      this.#offset = before;
    }
  }

  /** The next word: an integer from 0 to 2^32 - 1. */
  uint32(): number {
    this.#note();
    const index = Math.floor(this.#offset / wordsPerBlock);
    if (index !== this.#blockIndex) {
      philox(this.seed, index, this.#block);
      this.#blockIndex = index;
    }
    return this.#block[this.#offset++ % wordsPerBlock] as number;
  }

  /** The next number in [0, 1), a multiple of 2^-24, as float32 holds it. */
  uniform(): number {
    return (this.uint32() >>> 8) / 2 ** 24;
  }

  /** The next integer from 0 to below - 1, each equally likely. Throws ValueError unless 1 <= below <= 2^32. */
  integer(below: number): number {
    if (!Number.isInteger(below) || below < 1 || below > twoTo32) {
      throw new ValueError(`generator: integer(below) takes an integer from 1 to 2^32, got ${below}`);
    }
    const limit = twoTo32 - (twoTo32 % below);
    for (;;) {
      const word = this.uint32();
      if (word < limit) return word % below;
    }
  }

  /** The integers from 0 to n - 1 in random order (Fisher and Yates). */
  permutation(n: number): Int32Array<ArrayBuffer> {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const value = order[i] as number;
      order[i] = order[j] as number;
      order[j] = value;
    }
    return order;
  }

  /** Takes `words` words, starting at a block boundary; returns the index of the first block. */
  take(words: number): number {
    this.#note();
    const first = Math.ceil(this.#offset / wordsPerBlock);
    this.#offset = (first + Math.ceil(words / wordsPerBlock)) * wordsPerBlock;
    return first;
  }

  #note(): void {
    const draws = watched.value;
    if (draws && !draws.has(this)) draws.set(this, this.#offset);
  }
}

/** The offsets of generators before their first draw, while `watchDraws` runs. */
const watched = slot<Map<Generator, number> | null>(() => null);

/** Runs `fn` and adds to `draws` every generator that it draws from, with its offset before. */
export function watchDraws<T>(draws: Map<Generator, number>, fn: () => T): T {
  return withValue(watched, draws, fn);
}

/** Runs `fn` with generators at the offsets of `draws`, then restores their offsets. */
export function repeatDraws<T>(draws: ReadonlyMap<Generator, number>, fn: () => T): T {
  return [...draws].reduce<() => T>(
    (inner, [generator, offset]) =>
      () =>
        generator.rewound(offset, inner),
    fn,
  )();
}

/** Writes block `index` of the stream of `seed` into `block`. */
function philox(seed: number, index: number, block: Uint32Array): void {
  let c0 = (index % twoTo32) >>> 0;
  let c1 = Math.floor(index / twoTo32) >>> 0;
  let c2 = 0;
  let c3 = 0;
  let k0 = (seed % twoTo32) >>> 0;
  let k1 = Math.floor(seed / twoTo32) >>> 0;
  for (let round = 0; round < 10; round++) {
    const low0 = Math.imul(0xd2511f53, c0) >>> 0;
    const high0 = mulHigh(0xd2511f53, c0);
    const low1 = Math.imul(0xcd9e8d57, c2) >>> 0;
    const high1 = mulHigh(0xcd9e8d57, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  block[0] = c0;
  block[1] = c1;
  block[2] = c2;
  block[3] = c3;
}

/** The upper half of a product of two 32-bit words, by halves of 16 bits. */
function mulHigh(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const lower = aLow * bHigh + (middle & 0xffff);
  return aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(lower / 65536);
}

const shared = slot(() => new Generator(0));

/** The generator that operations use by default; it starts with seed 0. */
export function defaultGenerator(): Generator {
  return shared.value;
}

/** Restarts the default generator with a seed, or from a state of `defaultGenerator().state()` to resume a run. */
export function manualSeed(seed: number | GeneratorState): void {
  shared.value = typeof seed === 'number' ? new Generator(seed) : Generator.from(seed);
}
