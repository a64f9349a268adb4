// The ways of one product of k-major operands, which matrix products and convolutions share. Which is fast depends on the
// adapter: its subgroups, or workgroup memory that is faster than storage.
import gemmText from '@mien/shaders/matmul/gemm.wgsl';
import gemmSubgroup from '@mien/shaders/matmul/gemmSubgroup.wgsl';
import gemmWorkgroup from '@mien/shaders/matmul/gemmWorkgroup.wgsl';
import matmulNaive from '@mien/shaders/matmul/matmulNaive.wgsl';
import { alternatives } from '../runtime/alternatives.ts';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import { run } from '../runtime/run.ts';
import type { Memory } from '../runtime/storage.ts';
import type { Params } from '../runtime/wgsl.ts';
import { productTrials } from './matmulTrials.ts';

/** An operand of `gemm`, k-major: see lib/gemm.wgsl for what its numbers mean. */
export interface Operand {
  readonly memory: Memory;
  /** Numbers in a row, a multiple of 4. */
  readonly width: number;
  /** Elements from one row to the next. The width, if absent. */
  readonly step?: number;
  /** Numbers of a row that lie together. The width, if absent. */
  readonly plane?: number;
  /** Elements from one plane of a row to the next. */
  readonly image?: number;
  /** Elements from one matrix to the next; 0, as if absent, repeats one. */
  readonly batch?: number;
}

/** The result of `gemm`: planes of columns, as in an operand; without `step` and `plane` rows of all columns. */
export interface Result extends Omit<Operand, 'width'> {}

/** What `gemm` computes: for every batch and split, c [rows, columns] = a [depth, rows] times b [depth, columns] plus a bias by row. */
export interface Product {
  readonly a: Operand;
  readonly b: Operand;
  readonly c: Result;
  readonly bias?: Memory | null;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  /** Matrices. One, if absent. */
  readonly batches?: number;
  /** Equal parts of the depth, each with a result of its own; the caller adds them. One, if absent. */
  readonly splits?: number;
}

type Way = (product: Product) => void;

/** Dispatches `form`, of which each group does `tiles` tiles of [tileRows, tileColumns]; outputs by their names. */
function runTiles(
  form: Kernel,
  { a, b, c, bias = null, rows, columns, depth, batches = 1, splits = 1 }: Product,
  outputs: Readonly<Record<string, Memory | null>>,
  [tileRows, tileColumns, tiles]: readonly [number, number, number],
): void {
  const params: Params = {
    ...{ batches, splits, rows, columns, depth, chunk: Math.ceil(depth / splits) },
    ...{ aWidth: a.width, aStep: a.step ?? a.width, aPlane: a.plane ?? a.width, aImage: a.image ?? 0, aBatch: a.batch ?? 0 },
    ...{ bWidth: b.width, bStep: b.step ?? b.width, bPlane: b.plane ?? b.width, bImage: b.image ?? 0, bBatch: b.batch ?? 0 },
    ...{ cStep: c.step ?? columns, cPlane: c.plane ?? columns, cImage: c.image ?? 0, cBatch: c.batch ?? 0 },
  };
  const count = batches * splits * Math.ceil(rows / tileRows) * Math.ceil(columns / tileColumns);
  const flops = 2 * batches * rows * columns * depth;
  const work = { name: `${batches > 1 ? `${batches} x ` : ''}${rows}x${columns}x${depth}`, flops };
  run(form, { a: a.memory, b: b.memory, bias, ...outputs }, params, Math.ceil(count / tiles), work);
}

/** A kernel that stores C element by element: `tiles` of consts ROWS x COLUMNS in a group. */
function scalarStores(text: string, tiles: 'one' | 'each lane'): Way {
  const [plain, biased] = [kernel(text), kernel(text, { ROW_BIAS: true })];
  return (product) => {
    const form = product.bias ? biased : plain;
    const { ROWS = 1, COLUMNS = 1, LANES = 1 } = form.consts;
    runTiles(form, product, { c: product.c.memory }, [ROWS, COLUMNS, tiles === 'one' ? 1 : LANES]);
  };
}

/** Lanes of the subgroups that gemmSubgroup is written for. */
const lanes = 8;
const flags = [false, true] as const;
/** By quads of rows and of columns that a lane loads (1 or 2), by bias, and by whether C can be stored as vec4. */
const subgroupForms = [1, 2].map((ROW_QUADS) =>
  [1, 2].map((COLUMN_QUADS) =>
    flags.map((ROW_BIAS) =>
      flags.map((ALIGNED) => kernel(gemmSubgroup, { ROW_BIAS, ALIGNED, ROW_QUADS, COLUMN_QUADS })),
    ),
  ),
);

/** How many quads a lane takes of `size`: two, unless tiles of two compute much more than there is. */
function quadsOf(size: number): 1 | 2 {
  const computed = (quads: number): number => Math.ceil(size / (4 * lanes * quads)) * quads;
  return computed(2) > 1.2 * computed(1) ? 1 : 2;
}

const bySubgroup: Way = (product) => {
  const { rows, columns, c, bias } = product;
  const { memory, step = columns, plane = columns, image = 0, batch = 0 } = c;
  const aligned = [columns, step, plane, image, batch].every((size) => size % 4 === 0);
  const [rowQuads, columnQuads] = [quadsOf(rows), quadsOf(columns)];
  const form = subgroupForms[rowQuads - 1]?.[columnQuads - 1]?.[Number(Boolean(bias))]?.[Number(aligned)] as Kernel;
  const outputs = aligned ? { c: null, cQuads: memory } : { c: memory, cQuads: null };
  runTiles(form, product, outputs, [4 * lanes * rowQuads, 4 * lanes * columnQuads, 1]);
};

const choose = alternatives<Product, Way>('matmul', productTrials, [
  {
    name: 'subgroup',
    fits: ({ rows, columns }, { subgroupSize }) => subgroupSize === lanes && rows >= 4 && columns >= 4,
    run: bySubgroup,
  },
  {
    name: 'workgroup',
    fits: ({ rows, columns }) => rows >= 16 && columns >= 16,
    // Adapters in software (subgroups of 4 and 8) run the lanes of a group one after another between barriers.
    pays: (_, { subgroupSize }) => subgroupSize === null || subgroupSize > lanes,
    run: scalarStores(gemmWorkgroup, 'one'),
  },
  {
    name: 'tile',
    fits: ({ rows, columns }) => rows >= 4 && columns >= 4,
    run: scalarStores(gemmText, 'each lane'),
  },
  { name: 'naive', fits: () => true, run: scalarStores(matmulNaive, 'each lane') },
]);

/** Dispatches one product of k-major operands. */
export function gemm(product: Product): void {
  choose(product, product.c.memory.storage.device.limits).run(product);
}
