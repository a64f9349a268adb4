// Expected results of shaders/device/flow.wgsl: the same control flow.
import flow from '@mien/shaders/device/flow.wgsl';
import { difference, type Probe, randomWords } from './probe.ts';

const rows = 2;

/** The random numbers that the kernel draws too. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
}

function loops(seed: number): number {
  let sum = 0;
  for (let i = seed % 5; i < 5 + (seed % 7); i += 1 + (seed % 2)) sum = Math.imul(sum, 3) + i;
  for (let half = 64; half > seed % 9; half >>= 1) sum = Math.imul(sum, 5) + half;
  for (let i = 1; ; i++) {
    if (i % 3 === seed % 3) continue;
    if (i > seed % 17) return sum;
    sum = Math.imul(sum, 7) + i;
  }
}

function choose(kind: number, value: number): number {
  if (kind === 0) return value + 1;
  if (kind === 1 || kind === 2) return value * 2;
  return kind === 5 ? value ^ 0x55 : value - 3;
}

function accumulators(seed: number): number {
  const next = generator(seed);
  const sums = Array.from({ length: rows }, () => new Array<number>(8).fill(0));
  for (let k = 0; k < 2 + (seed % 2); k++) {
    const left = Array.from({ length: rows }, () => next() % 16);
    const right = [next(), next()].flatMap((word) => [0, 4, 8, 12].map((shift) => (word >>> shift) % 16));
    for (const [r, row] of sums.entries())
      for (const [c, factor] of right.entries()) row[c] = (row[c] as number) + (left[r] as number) * factor;
  }
  return sums.flat().reduce((total, sum) => (Math.imul(total, 31) + sum) | 0, 0);
}

function places(seed: number): number {
  const next = generator(seed);
  const list = new Array<number>(8).fill(0);
  for (let i = 0; i < 12 + (seed % 8); i++) {
    const at = next() % 8;
    list[at] = (list[at] as number) + i * i + 1;
  }
  let total = 0;
  for (let i = 0; i < 8; i++) total = (Math.imul(total, 131) + (list[(i * 5 + seed) % 8] as number)) | 0;
  return total;
}

/** Loops, branches, functions and arrays. */
export function flowProbe(): Probe {
  const groups = 3;
  const x = randomWords(64 * groups);
  const expected = x.map((word, i) => {
    const seed = word >>> 4;
    const walked = choose(seed % 6, loops(seed));
    return i % 7 === 3 ? walked : walked ^ accumulators(seed) ^ places(seed);
  });
  return {
    kind: 'loops, branches and arrays',
    code: flow,
    groups,
    inputs: [x],
    outputs: [expected.byteLength],
    verify: ([y]) => difference(new Uint32Array(y as ArrayBuffer), expected),
  };
}
