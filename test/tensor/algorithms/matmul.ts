// Generators of cases that fit each algorithm of products.
import { linear, setFloat32MatmulPrecision } from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { type Values, values } from '@mien/tensor/reference';
import { near, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import type { AlgorithmLaw, CasesOf, Spec } from './laws.ts';

/** Leading dimensions of a and b, which broadcast. */
type Lead = readonly [readonly number[], readonly number[]];

/** A product [rows, depth] times [depth, columns], with leading dimensions. */
export interface ProductSpec extends Spec {
  readonly rows: number;
  readonly depth: number;
  readonly columns: number;
  readonly lead: Lead;
}

/** The operands of a product and of `linear`, whose b is transposed and has no leading dimensions. */
export interface ProductCase {
  readonly spec: ProductSpec;
  readonly a: Values;
  readonly b: Values;
  readonly x: Values;
  readonly weight: Values;
  readonly bias: Values;
}

/** Values for a product. */
export function productValues(spec: ProductSpec): fc.Arbitrary<ProductCase> {
  const { rows, depth, columns, lead } = spec;
  return fc.record({
    spec: fc.constant(spec),
    a: valuesOf([...lead[0], rows, depth]),
    b: valuesOf([...lead[1], depth, columns]),
    x: valuesOf([rows, depth]),
    weight: valuesOf([columns, depth]),
    bias: valuesOf([columns]),
  });
}

/** Whether finite differences of the reference are fast. */
export function isSmallProduct({ rows, depth, columns, lead, limits }: ProductSpec): boolean {
  const batches = Math.max(1, ...lead.map((sizes) => sizes.reduce((a, b) => a * b, 1)));
  return limits === undefined && batches * rows * depth * columns < 20_000;
}

const none: Lead = [[], []];
const leads = fc.constantFrom<Lead>(none, none, [[3], []], [[], [2]], [[2], [2]], [[2, 1], [3]], [[1], [4]]);

const sizes = [1, 2, 3, 4, 5, 7, 8, 16, 17, 31, 33, 64, 65];

function product(rows: number, depth: number, columns: number, lead: Lead = none, rest: Spec = {}): ProductSpec {
  return { rows, depth, columns, lead, ...rest };
}

/** At least `least` rows and columns, any depth; a tile is `tile` by `tile`. */
function tiled(least: number, tile: number): CasesOf<ProductSpec> {
  const side = fc.constantFrom(...sizes.filter((size) => size >= least), least);
  return {
    any: fc
      .record({ rows: side, depth: fc.constantFrom(...sizes), columns: side, lead: leads })
      .map(({ rows, depth, columns, lead }) => product(rows, depth, columns, lead)),
    edges: {
      smallest: product(least, 1, least),
      largest: product(130, 257, 66),
      odd: product(least + 1, 9, least + 11, [[2], [2]]),
      prime: product(Math.max(17, least), 13, 19),
      'ragged tile': product(tile + 1, 8, tile + 3),
      'full tiles': product(2 * tile, 16, tile),
      'few rows': product(least, 33, tile + 5),
      'few columns': product(tile + 5, 33, least),
      'parts of the depth': product(Math.max(12, least), 2052, Math.max(8, least)),
      'parts of an odd depth': product(least + 1, 4099, least + 2),
      // Grids in y and z, with idle workgroups.
      'grids of ten': product(130, 5, 300, none, { limits: { maxComputeWorkgroupsPerDimension: 10 } }),
      'batches in parts of a binding': product(16, 8, 16, [[32], [32]], {
        limits: { maxStorageBufferBindingSize: 1 << 13 },
      }),
    },
  };
}

const vector: CasesOf<ProductSpec> = {
  any: fc
    .record({
      few: fc.constantFrom(1, 2, 3, 4, 5, 7, 8),
      many: fc.constantFrom(...sizes, 130),
      depth: fc.constantFrom(...sizes, 130),
      turned: fc.boolean(),
      lead: leads,
    })
    .map(({ few, many, depth, turned, lead }) => product(turned ? many : few, depth, turned ? few : many, lead)),
  edges: {
    smallest: product(1, 1, 1),
    largest: product(8, 257, 260),
    odd: product(3, 9, 35, [[2], [2]]),
    prime: product(7, 13, 61),
    'ragged tile': product(1, 18, 33),
    'full tiles': product(4, 64, 32),
    'one column': product(45, 20, 1),
    'eight columns': product(70, 31, 8),
    'a matrix for all batches': product(1, 12, 20, [[3], []]),
    'parts of the depth': product(2, 2052, 7),
    'parts of an odd depth': product(7, 4099, 1),
  },
};

const productCases: Readonly<Record<string, CasesOf<ProductSpec>>> = {
  half: tiled(16, 64),
  vector,
  subgroup: tiled(4, 64),
  workgroup: tiled(16, 64),
  tile: tiled(4, 16),
  naive: tiled(1, 16),
};

/** Products whose gradients the algorithm also fits: their rows or columns include the depth. */
function turnable(least: number): CasesOf<ProductSpec> {
  const side = fc.integer({ min: least, max: least + 15 });
  return {
    any: fc
      .record({ rows: side, depth: side, columns: side, lead: fc.constantFrom<Lead>(none, none, [[2], [2]]) })
      .map(({ rows, depth, columns, lead }) => product(rows, depth, columns, lead)),
    edges: {
      smallest: product(least, least, least),
      largest: product(26, 24, 28),
      odd: product(least + 1, least + 3, least + 5),
      prime: product(17, 19, 23),
      'ragged tile': product(least + 1, least + 8, least + 2),
      'few rows': product(least, 33, 20),
      'a matrix for all batches': product(least, least, least + 1, [[2], []]),
    },
  };
}

const few = fc.constantFrom(1, 2, 3, 4, 5, 7, 8);

/** Two of rows, depth and columns are at most 8, so that the product and its gradients have few rows or columns. */
const turnableVector: CasesOf<ProductSpec> = {
  any: fc
    .record({
      one: few,
      other: few,
      long: fc.constantFrom(...sizes, 130),
      place: fc.constantFrom(0, 1, 2),
      lead: leads,
    })
    .map(({ one, other, long, place, lead }) => {
      const list: number[] = [one, other];
      const [rows, depth, columns] = list.toSpliced(place, 0, long) as [number, number, number];
      return product(rows, depth, columns, lead);
    }),
  edges: {
    smallest: product(1, 1, 1),
    largest: product(8, 300, 8),
    odd: product(3, 35, 5, [[2], [2]]),
    prime: product(7, 5, 61),
    'ragged tile': product(33, 6, 1),
    'a matrix for all batches': product(2, 20, 3, [[3], []]),
  },
};

/** The cases of gradients. */
export const gradientCases: Readonly<Record<string, CasesOf<ProductSpec>>> = {
  half: turnable(16),
  vector: turnableVector,
  subgroup: turnable(4),
  workgroup: turnable(16),
  tile: turnable(4),
  naive: turnable(1),
};

/** The nearest multiple of 2^-6, exact in f16 below 32, so that only rounding in f32 is allowed. */
function heldByHalf({ shape, data }: Values): Values {
  return values(
    shape,
    data.map((value) => Math.round(64 * value) / 64),
  );
}

/** Runs `fn` with the precision of an algorithm, and values that are exact in it. */
export async function withPrecisionOf(
  algorithm: string,
  example: ProductCase,
  fn: (example: ProductCase) => Promise<void>,
): Promise<void> {
  if (algorithm !== 'half') return fn(example);
  const { a, b, x, weight, ...rest } = example;
  setFloat32MatmulPrecision('medium');
  try {
    await fn({ ...rest, a: heldByHalf(a), b: heldByHalf(b), x: heldByHalf(x), weight: heldByHalf(weight) });
  } finally {
    setFloat32MatmulPrecision('highest');
  }
}

/** matmul. */
export const matmulLaw: AlgorithmLaw<ProductSpec, ProductCase> = {
  operation: 'matmul',
  sentence: (name) => `matmul by ${name} equals its reference for any case that it fits`,
  cases: productCases,
  values: productValues,
  property: (example, algorithm) =>
    withPrecisionOf(algorithm, example, async ({ a, b }) =>
      near(toTensor(a).matmul(toTensor(b)), reference.matmul(a, b)),
    ),
};

/** linear with and without bias and relu. */
export const linearLaw: AlgorithmLaw<ProductSpec, ProductCase> = {
  ...matmulLaw,
  sentence: (name) =>
    `linear by ${name} equals its reference for any case that it fits, with and without bias and relu`,
  property: (example, algorithm) =>
    withPrecisionOf(algorithm, example, async ({ x, weight, bias }) => {
      for (const b of [bias, null]) {
        const expected = reference.linear(x, weight, b);
        const cut = { ...expected, data: expected.data.map((v) => Math.max(v, 0)) };
        for (const relu of [false, true]) {
          const y = linear(toTensor(x), toTensor(weight), b && toTensor(b), { relu });
          await near(y, relu ? cut : expected);
        }
      }
    }),
};
