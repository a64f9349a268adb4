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

/** What `gemm` computes: see gemm.wgsl for the layouts. Absent batches, planes and images mean that there is one. */
export interface Product {
  readonly a: Memory;
  readonly b: Memory;
  readonly c: Memory;
  readonly bias: Memory | null;
  readonly rows: number;
  readonly columns: number;
  readonly depth: number;
  readonly aRows: number;
  readonly bColumns: number;
  readonly batches?: number;
  readonly aBatch?: number;
  readonly bBatch?: number;
  readonly cBatch?: number;
  readonly bPlane?: number;
  readonly bImage?: number;
  readonly cPlane?: number;
  readonly cImage?: number;
}

type Way = (product: Product) => void;

/** Dispatches `form`, of which each group does `tiles` tiles of [tileRows, tileColumns]; outputs by their names in `c`. */
function runTiles(
  form: Kernel,
  product: Product,
  c: Readonly<Record<string, Memory | null>>,
  [tileRows, tileColumns, tiles]: readonly [number, number, number],
): void {
  const { a, b, c: _, bias, ...sizes } = product;
  const { rows, columns, bColumns, batches = 1 } = sizes;
  const whole = { batches, aBatch: 0, bBatch: 0, cBatch: 0, bPlane: bColumns, bImage: 0, cPlane: columns, cImage: 0 };
  const params: Params = { ...whole, ...sizes };
  const count = batches * Math.ceil(rows / tileRows) * Math.ceil(columns / tileColumns);
  run(form, { a, b, bias, ...c }, params, Math.ceil(count / tiles));
}

/** A kernel that stores C element by element: `tiles` of consts ROWS x COLUMNS in a group. */
function scalarStores(text: string, tiles: 'one' | 'each lane'): Way {
  const [plain, biased] = [kernel(text), kernel(text, { ROW_BIAS: true })];
  return (product) => {
    const form = product.bias ? biased : plain;
    const { ROWS = 1, COLUMNS = 1, LANES = 1 } = form.consts;
    runTiles(form, product, { c: product.c }, [ROWS, COLUMNS, tiles === 'one' ? 1 : LANES]);
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
  const { rows, columns, c, bias, cPlane = columns, cImage = 0, cBatch = 0 } = product;
  const aligned = [columns, cPlane, cImage, cBatch].every((size) => size % 4 === 0);
  const [rowQuads, columnQuads] = [quadsOf(rows), quadsOf(columns)];
  const form = subgroupForms[rowQuads - 1]?.[columnQuads - 1]?.[Number(bias !== null)]?.[Number(aligned)] as Kernel;
  const output = aligned ? { c: null, cQuads: c } : { c, cQuads: null };
  runTiles(form, product, output, [4 * lanes * rowQuads, 4 * lanes * columnQuads, 1]);
};

const choose = alternatives<Product, Way>('matmul', [
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
  choose(product, product.c.storage.device.limits).run(product);
}
