// Cases as fast-check arbitraries: shapes with sizes that break kernels, and values that float32 represents exactly.
import fc from 'fast-check';
import { sizeOf } from '../ops/geometry.ts';
import type { Values } from '../reference/values.ts';
import { random } from './tensors.ts';

/** Bounds of generated shapes. */
export interface ShapeOptions {
  readonly minRank?: number;
  readonly maxRank?: number;
  /** The most elements; later sizes are reduced to fit. */
  readonly maxSize?: number;
}

const sizes = [1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 31, 33, 64, 65, 127, 257];

/** Shapes of odd, prime, one and power-of-two sizes. */
export function shapes({ minRank = 0, maxRank = 4, maxSize = 4096 }: ShapeOptions = {}): fc.Arbitrary<number[]> {
  return fc
    .array(fc.constantFrom(...sizes), { minLength: minRank, maxLength: maxRank })
    .map((shape) => cut(shape, maxSize));
}

function cut(shape: readonly number[], maxSize: number): number[] {
  let left = maxSize;
  return shape.map((size) => {
    const fitting = Math.max(1, Math.min(size, left));
    left = Math.floor(left / fitting);
    return fitting;
  });
}

/** Two shapes that broadcast: some sizes of one are 1, or its leading dimensions are missing. */
export function broadcastPairs(options: ShapeOptions = {}): fc.Arbitrary<readonly [number[], number[]]> {
  return shapes(options).chain((shape) => {
    const mask = fc.array(fc.boolean(), { minLength: shape.length, maxLength: shape.length });
    return fc.tuple(mask, fc.nat(shape.length), fc.boolean()).map(([ones, drop, swap]) => {
      const smaller = shape.map((size, dim) => (ones[dim] ? 1 : size)).slice(drop);
      return swap ? ([smaller, shape] as const) : ([shape, smaller] as const);
    });
  });
}

/** The range of generated values. */
export interface ValueOptions {
  readonly min?: number;
  readonly max?: number;
  /** Integers only. */
  readonly integer?: boolean;
}

/** Values of a shape, uniformly distributed over a range, each exactly a float32. */
export function valuesOf(shape: readonly number[], options: ValueOptions = {}): fc.Arbitrary<Values> {
  const { min = -2, max = 2, integer = false } = options;
  return fc.integer().map((seed) => {
    const next = random(seed);
    const pick = integer
      ? () => Math.floor(min + next() * (max - min + 1))
      : () => Math.min(Math.max(Math.fround(min + next() * (max - min)), min), max);
    return { shape: [...shape], data: Float64Array.from({ length: sizeOf(shape) }, pick) };
  });
}

/** Values of a shape that differ by at least 1/8: for maxima, which have no derivative at ties. */
export function distinctValuesOf(shape: readonly number[]): fc.Arbitrary<Values> {
  return fc.integer().map((seed) => {
    const next = random(seed);
    const size = sizeOf(shape);
    const data = Float64Array.from({ length: size }, (_, i) => (i - size / 2) / 8);
    for (let i = size - 1; i > 0; i--) {
      const j = Math.floor(next() * (i + 1));
      [data[i], data[j]] = [data[j] as number, data[i] as number];
    }
    return { shape: [...shape], data };
  });
}

/** The values, moved at least 1/16 away from the kinks of a function. */
export function offKinks(values: fc.Arbitrary<Values>, points: readonly number[]): fc.Arbitrary<Values> {
  const away = (v: number): number => {
    const close = points.find((point) => Math.abs(v - point) < 1 / 16);
    return close === undefined ? v : close + (v < close ? -1 / 16 : 1 / 16);
  };
  return values.map(({ shape, data }) => ({ shape, data: data.map(away) }));
}
