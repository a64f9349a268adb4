// Expected results of shaders/device/integers.wgsl.
import integers from '@mien/shaders/device/integers.wgsl';
import { type Probe, randomWords } from './probe.ts';

/** Elements of each input: the workgroup size. */
const count = 64;

type Case = readonly [name: string, value: (a: number, b: number, lane: number) => number];

const shiftOf = (b: number): number => (b >>> 7) % 32;
const divisorOf = (a: number, b: number): number => ((b >>> (a % 32)) | 1) >>> 0;
const high = (a: number, b: number): number => Number((BigInt(a) * BigInt(b)) >> 32n);

/** In the order of the kernel's cases; results are taken modulo 2^32. */
const cases: readonly Case[] = [
  ['a + b', (a, b) => a + b],
  ['a - b', (a, b) => a - b],
  ['a * b', (a, b) => Math.imul(a, b)],
  ['a / b', (a, b) => Math.floor(a / divisorOf(a, b))],
  ['a % b', (a, b) => a % divisorOf(a, b)],
  ['a >> b', (a, b) => a >>> shiftOf(b)],
  ['a << b', (a, b) => a << shiftOf(b)],
  ['shifts by constants', (a) => (a >>> 1) + (a >>> 16) + (a >>> 31) + (a << 3)],
  ['bits', (a, b) => (a & b) ^ (a | ~b)],
  ['the upper half of a * b', (a, b) => high(a, b)],
  ['products with constants', (a, b) => Math.imul(0xd2511f53, a) ^ Math.imul(12345, b)],
  ['min', (a, b) => Math.min(a, b)],
  ['max', (a, b) => Math.max(a, b)],
  ['signed min and max', (a, b) => Math.max(a | 0, b | 0) - Math.min(a | 0, 7)],
  ['signed a / 9 - b % 11', (a, b) => Math.trunc((a | 0) / 9) - ((b | 0) % 11)],
  ['select and carry', (a, b) => Math.max(a, b) + Number((a + b) >>> 0 < a)],
  ['comparisons', (a, b) => Number((a | 0) < (b | 0)) + 2 * Number(a >= b)],
  ['f32 of u32', (a) => bitsOf((a >>> 8) * 2 ** -24)],
  ['u32 of f32', (a) => Math.floor((a >>> 9) * 0.5)],
  ['i32 of f32', (a) => Math.trunc((a | 0) / 512)],
  ['clamp, ones and comparison', (a, b) => Math.min(Math.max(a, 5), 5 + (b >>> 1)) + onesOf(a) + Number(a > b)],
  ['vectors', ofVectors],
];

function onesOf(a: number): number {
  return a.toString(2).replaceAll('0', '').length;
}

function ofVectors(a: number, b: number, lane: number): number {
  const v = [a, b, (a ^ b) >>> 0, a >>> 3];
  const at = (i: number): number => v[i % 4] as number;
  const product = v.reduce((sum, x, i) => (sum + Math.imul(x, at(i + 1))) | 0, 0);
  return product + v.filter((x) => x > b).length + at(lane);
}

function bitsOf(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0] as number;
}

/** Operations on random 32-bit integers. */
export function integerProbe(): Probe {
  const x = randomWords(2 * count);
  const expected = new Uint32Array(count * cases.length);
  for (let i = 0; i < count; i++) {
    cases.forEach(([, value], k) => {
      expected[k * count + i] = value(x[i] as number, x[count + i] as number, i);
    });
  }
  return {
    kind: 'integers',
    code: integers,
    groups: cases.length,
    inputs: [x],
    outputs: [expected.byteLength],
    verify: ([y]) => {
      const found = new Uint32Array(y as ArrayBuffer);
      const wrong = expected.findIndex((value, i) => value !== found[i]);
      if (wrong < 0) return null;
      const at = wrong % count;
      return `${cases[Math.floor(wrong / count)]?.[0]} of ${x[at]} and ${x[count + at]} is ${found[wrong]}, expected ${expected[wrong]}`;
    },
  };
}
