// Expected results of shaders/device/floats.wgsl in float64, and the errors that WGSL (section 15.7.4) allows.
import floats from '@mien/shaders/device/floats.wgsl';
import type { Probe } from './probe.ts';

/** Elements of each input: the workgroup size. */
const count = 64;
/** A unit in the last place, relative to the number. */
const unit = 2 ** -23;

const fractionOf = (x: number): number => x - Math.floor(x);
/** Numbers spread over 0..1 by the golden ratio. */
const spread = (i: number, start: number): number => fractionOf(start + i * 0.6180339887);

const a = Float32Array.from({ length: count }, (_, i) => -20 + 40 * spread(i, 0.1));
/** Every eighth element is equal to that of a. */
const b = Float32Array.from({ length: count }, (_, i) => (i % 8 === 5 ? (a[i] as number) : -4 + 8 * spread(i, 0.37)));
const c = Float32Array.from({ length: count }, (_, i) => 10 ** (-4 + 8 * spread(i, 0.73)));
const special = [NaN, Infinity, -Infinity, 0, 1, -NaN, 3e38, 1e-30];
const d = Float32Array.from({ length: count }, (_, i) => special[i % special.length] as number);

interface Element {
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
  readonly i: number;
}

interface Case {
  readonly name: string;
  readonly value: (of: Element) => number;
  /** The largest error. Default 0. */
  readonly bound?: (expected: number, of: Element) => number;
}

const units = (count: number) => (expected: number) => count * unit * Math.abs(expected);
const expBound = (expected: number, x: number): number => (3 + 2 * Math.abs(x)) * unit * Math.abs(expected);
const logBound = (expected: number, x: number): number =>
  x >= 0.5 && x <= 2 ? 2 ** -21 : 3 * unit * Math.abs(expected);
/** exp2(y log2(x)): the error of the logarithm, times y, is one of the exponent. */
const powBound = (expected: number, { b: y, c: x }: Element): number => {
  const exponent = y * Math.log2(x);
  const fromLogarithm = Math.abs(y) * logBound(Math.log2(x), x) + unit * Math.abs(exponent);
  return expBound(expected, exponent) + Math.LN2 * fromLogarithm * Math.abs(expected);
};
const sumBound = (terms: readonly number[]): number =>
  terms.length * unit * terms.reduce((sum, v) => sum + Math.abs(v), 0);

const roundEven = (x: number): number => (fractionOf(x) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));
const total = (list: readonly number[]): number => list.reduce((sum, v) => sum + v, 0);
/** The kernel's vector. */
const four = ({ a, b, c }: Element): number[] => [a, b, c, -b];

/** The terms of the kernel's case of vectors. */
function ofVectors(of: Element): number[] {
  const at = (list: readonly number[], j: number): number => list[j] as number;
  const u = four(of);
  const v = [2, 0, 0, 1].map((j) => at(u, j));
  const above = u.map((x, j) => x > at(v, j));
  const j = of.i % 4;
  const logical = 1000 * Number(above.some(Boolean)) + 2000 * Number(above.every(Boolean));
  const largest = Math.max(at(u, 3 - j), at(v, j)) - at(u, j);
  return [...u.map((x, k) => x * at(v, k)), largest, logical, above[1] ? at(v, 1) : at(u, 1)];
}

/** The terms of the kernel's case of sums. */
function products(of: Element): number[] {
  const { i } = of;
  const factor = four(of)[i % 4] as number;
  return Array.from({ length: 3 + (i % 4) }, (_, k) => factor * (b[(i + 3 * k) % count] as number));
}

/** In the order of the kernel's cases. */
const cases: readonly Case[] = [
  { name: 'a + b', value: ({ a, b }) => a + b, bound: units(1) },
  { name: 'a - b', value: ({ a, b }) => a - b, bound: units(1) },
  { name: 'a * b', value: ({ a, b }) => a * b, bound: units(1) },
  { name: 'a / c', value: ({ a, c }) => a / c, bound: units(2.5) },
  { name: 'a * b + c', value: ({ a, b, c }) => a * b + c, bound: (_, { a, b, c }) => sumBound([a * b, c]) },
  { name: 'fma(a, b, c)', value: ({ a, b, c }) => a * b + c, bound: (_, { a, b, c }) => sumBound([a * b, c]) },
  { name: 'exp(a)', value: ({ a }) => Math.exp(a), bound: (y, { a }) => expBound(y, a) },
  { name: 'log(c)', value: ({ c }) => Math.log(c), bound: (y, { c }) => logBound(y, c) },
  { name: 'sqrt(c)', value: ({ c }) => Math.sqrt(c), bound: units(5) },
  { name: 'inverseSqrt(c)', value: ({ c }) => 1 / Math.sqrt(c), bound: units(2) },
  { name: 'pow(c, b)', value: ({ b, c }) => c ** b, bound: powBound },
  { name: '1 / c', value: ({ c }) => 1 / c, bound: units(2.5) },
  { name: 'min(a, b)', value: ({ a, b }) => Math.min(a, b) },
  { name: 'max(a, b)', value: ({ a, b }) => Math.max(a, b) },
  { name: 'clamp', value: ({ a, b, c }) => Math.min(Math.max(a, Math.min(b, c)), Math.max(b, c)) },
  { name: 'abs(a)', value: ({ a }) => Math.abs(a) },
  { name: 'sign(a)', value: ({ a }) => Math.sign(a) },
  { name: 'floor(a)', value: ({ a }) => Math.floor(a) },
  { name: 'ceil(a)', value: ({ a }) => Math.ceil(a) },
  { name: 'round(a)', value: ({ a }) => roundEven(a) },
  { name: 'fract(a)', value: ({ a }) => fractionOf(a), bound: () => unit },
  { name: 'select(a, b, c > 1)', value: ({ a, b, c }) => (c > 1 ? b : a) },
  { name: 'comparisons', value: ({ a, b }) => (a < b ? 1 + 2 + 32 : a > b ? 4 + 8 + 32 : 2 + 8 + 16) },
  { name: 'the bits of NaN', value: ({ d }) => Number(Number.isNaN(d)) },
  { name: 'conversions', value: ({ a, c }) => Math.trunc(a) + Math.trunc(c) },
  { name: '-a', value: ({ a }) => -a },
  { name: 'vectors', value: (of) => total(ofVectors(of)), bound: (_, of) => sumBound(ofVectors(of)) },
  { name: 'a sum of products', value: (of) => total(products(of)), bound: (_, of) => sumBound(products(of)) },
];

function element(i: number): Element {
  const at = (list: Float32Array): number => list[i] as number;
  return { a: at(a), b: at(b), c: at(c), d: at(d), i };
}

/** All float functions that kernels use. */
export function floatProbe(): Probe {
  const inputs = new Float32Array(4 * count);
  [a, b, c, d].forEach((list, k) => {
    inputs.set(list, k * count);
  });
  return {
    kind: 'functions of floats',
    code: floats,
    groups: cases.length,
    inputs: [inputs],
    outputs: [4 * count * cases.length],
    verify: ([y]) => {
      const found = new Float32Array(y as ArrayBuffer);
      for (let i = 0; i < found.length; i++) {
        const of = element(i % count);
        const { name, value, bound } = cases[Math.floor(i / count)] as Case;
        const expected = value(of);
        // The negation detects NaN as well.
        if (!(Math.abs((found[i] as number) - expected) <= (bound?.(expected, of) ?? 0)))
          return `${name} of a = ${of.a}, b = ${of.b}, c = ${of.c} is ${found[i]}, expected ${expected}`;
      }
      return null;
    },
  };
}
