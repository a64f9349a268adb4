// The algorithms of one matrix product, which `matmul`, `linear` and convolutions share. Which is fastest depends on the
// adapter: on its subgroups, and on whether workgroup memory is faster than storage.
import gemmText from '@mien/shaders/matmul/gemm.wgsl';
import gemmSubgroup from '@mien/shaders/matmul/gemmSubgroup.wgsl';
import gemmWorkgroup from '@mien/shaders/matmul/gemmWorkgroup.wgsl';
import matmulNaive from '@mien/shaders/matmul/matmulNaive.wgsl';
import { declareAlgorithms } from '../runtime/algorithms.ts';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import { isNarrow, lacksSubgroups, kernelLanes as lanes } from '../runtime/limits.ts';
import type { Memory } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import type { Params } from '../runtime/wgsl.ts';
import { epilogueBindings, finishes, finishOf } from './epilogue.ts';
import { packed, roundUp4 } from './matmulPack.ts';
import {
  biasSteps,
  isTransposed,
  longestChain,
  type Operand,
  type Product,
  type ProductAlgorithm,
  productLimits,
  quadsOf,
  workOf,
} from './matmulProduct.ts';
import { productTuning } from './matmulTuning.ts';
import { byVector, isVector, isVectorPreferred } from './matmulVector.ts';

type Real = 'f32' | 'f16';

/** The operand itself where its rows can be read as vec4 of `real`, else a packed copy. */
function quadRows(operand: Operand, depth: number, batches: number, real: Real): Operand {
  const { memory, width, step = width, plane = width, batch = 0 } = operand;
  if (real === 'f32' && plane % 4 === 0 && step % 4 === 0) return operand;
  const padded = roundUp4(width);
  const copy = packed(memory, batch === 0 ? 1 : batches, depth, width, isTransposed(operand), real);
  return { memory: copy, width: padded, batch: batch === 0 ? 0 : depth * padded };
}

function tilesOf({ rows, columns, batches = 1 }: Product, tileRows: number, tileColumns: number): number {
  return batches * Math.ceil(rows / tileRows) * Math.ceil(columns / tileColumns);
}

/** Dispatches `form`, whose workgroups compute `tiles` tiles of [tileRows, tileColumns] each; `outputs` by binding name. */
function runTiles(
  form: Kernel,
  product: Product,
  outputs: Readonly<Record<string, Memory | null>>,
  [tileRows, tileColumns, tiles]: readonly [number, number, number],
): void {
  const { a, b, c, rows, columns, depth, batches = 1, splits = 1 } = product;
  const params: Params = {
    ...biasSteps(product),
    ...{ biasBatch: product.biasBatch ?? 0, relu: Number(product.relu ?? false) },
    ...{ batches, splits, rows, columns, depth, chunk: Math.ceil(depth / splits) },
    ...{
      aWidth: a.width,
      aStep: a.step ?? a.width,
      aPlane: a.plane ?? a.width,
      aImage: a.image ?? 0,
      aBatch: a.batch ?? 0,
    },
    ...{
      bWidth: b.width,
      bStep: b.step ?? b.width,
      bPlane: b.plane ?? b.width,
      bImage: b.image ?? 0,
      bBatch: b.batch ?? 0,
    },
    ...{ cStep: c.step ?? columns, cPlane: c.plane ?? columns, cImage: c.image ?? 0, cBatch: c.batch ?? 0 },
  };
  const count = splits * tilesOf(product, tileRows, tileColumns);
  run(
    form,
    { a: a.memory, b: b.memory, ...epilogueBindings(product), ...outputs },
    params,
    Math.ceil(count / tiles),
    workOf(product),
  );
}

const flags = [false, true] as const;

/** Whether C can be stored as vec4: its columns and its layout are multiples of 4. */
function isAligned({ columns, c }: Product): boolean {
  const { step = columns, plane = columns, image = 0, batch = 0 } = c;
  return [columns, step, plane, image, batch].every((size) => size % 4 === 0);
}

/** The output bindings of a kernel with a const ALIGNED. */
function outputsOf({ c: { memory } }: Product, aligned: boolean): Record<'c' | 'cQuads', Memory | null> {
  return aligned ? { c: null, cQuads: memory } : { c: memory, cQuads: null };
}

/** A kernel that reads vec4 of `real` and whose tiles have ROWS x COLUMNS numbers of C: one per workgroup, or one per lane. */
function fixedTiles(text: string, tile: 'group' | 'lane', real: Real): ProductAlgorithm {
  const forms = finishes.map((FINISH) => flags.map((ALIGNED) => kernel(text, { real, FINISH, ALIGNED })));
  const sizes = (): readonly [number, number, number] => {
    const form = forms[0]?.[0] as Kernel;
    return [form.const('ROWS'), form.const('COLUMNS'), tile === 'group' ? 1 : form.const('LANES')];
  };
  return {
    run: (product) => {
      const aligned = isAligned(product);
      const form = forms[finishOf(product)]?.[Number(aligned)] as Kernel;
      runTiles(form, withQuadRows(product, real), outputsOf(product, aligned), sizes());
    },
    groups: (product) => {
      const [rows, columns, tiles] = sizes();
      return Math.ceil(tilesOf(product, rows, columns) / tiles);
    },
  };
}

/** Any sizes and layouts, one number of C per lane. */
function naiveTiles(): ProductAlgorithm {
  const forms = finishes.map((FINISH) => kernel(matmulNaive, { FINISH }));
  const lanesOf = (): number => (forms[0] as Kernel).const('LANES');
  return {
    run: (product) => runTiles(forms[finishOf(product)] as Kernel, product, { c: product.c.memory }, [1, 1, lanesOf()]),
    groups: (product) => Math.ceil(tilesOf(product, 1, 1) / lanesOf()),
  };
}

function withQuadRows(product: Product, real: Real): Product {
  const { a, b, depth, batches = 1 } = product;
  return { ...product, a: quadRows(a, depth, batches, real), b: quadRows(b, depth, batches, real) };
}

/** How much more tiles of two vec4 may compute than tiles of one. */
const mostWaste = 1.1;

function subgroupTiles(real: Real): ProductAlgorithm {
  /** By quads of rows and of columns that a lane loads (1 or 2), by epilogue, and by whether C can be stored as vec4. */
  const forms = [1, 2].map((ROW_QUADS) =>
    [1, 2].map((COLUMN_QUADS) =>
      finishes.map((FINISH) =>
        flags.map((ALIGNED) => kernel(gemmSubgroup, { real, FINISH, ALIGNED, ROW_QUADS, COLUMN_QUADS })),
      ),
    ),
  );
  const tile = ({ rows, columns }: Product): [number, number] => [
    4 * lanes * quadsOf(rows, mostWaste),
    4 * lanes * quadsOf(columns, mostWaste),
  ];
  return {
    run: (product) => {
      const { rows, columns } = product;
      const aligned = isAligned(product);
      const [rowQuads, columnQuads] = [quadsOf(rows, mostWaste), quadsOf(columns, mostWaste)];
      const form = forms[rowQuads - 1]?.[columnQuads - 1]?.[finishOf(product)]?.[Number(aligned)] as Kernel;
      runTiles(form, withQuadRows(product, real), outputsOf(product, aligned), [...tile(product), 1]);
    },
    groups: (product) => tilesOf(product, ...tile(product)),
  };
}

/** Products of operands rounded to f16, by the kernel that suits the adapter. */
function halfTiles(): ProductAlgorithm {
  const algorithms = {
    subgroup: subgroupTiles('f16'),
    workgroup: fixedTiles(gemmWorkgroup, 'group', 'f16'),
    tile: fixedTiles(gemmText, 'lane', 'f16'),
  };
  const algorithmFor = (product: Product): ProductAlgorithm => {
    const limits = productLimits(product);
    if (lacksSubgroups(limits) === null) return algorithms.subgroup;
    return isNarrow(limits) ? algorithms.tile : algorithms.workgroup;
  };
  return {
    run: (product) => algorithmFor(product).run(product),
    groups: (product) => algorithmFor(product).groups(product),
  };
}

const productAlgorithms = declareAlgorithms<Product, ProductAlgorithm>('matmul', productTuning, [
  {
    name: 'half',
    // Only if the caller allows it, because it changes results.
    lacks: ({ shaderF16 }) => (shaderF16 ? null : 'it needs shader-f16, which the adapter does not have'),
    fits: ({ half, rows, columns }) => half === true && rows >= 16 && columns >= 16,
    run: halfTiles(),
  },
  {
    name: 'vector',
    fits: isVector,
    isPreferred: isVectorPreferred,
    run: byVector,
  },
  {
    name: 'subgroup',
    lacks: lacksSubgroups,
    fits: ({ rows, columns }) => rows >= 4 && columns >= 4,
    run: subgroupTiles('f32'),
  },
  {
    name: 'workgroup',
    fits: ({ rows, columns }) => rows >= 16 && columns >= 16,
    // Narrow adapters run the lanes of a workgroup sequentially between barriers.
    isPreferred: (_, limits) => !isNarrow(limits),
    run: fixedTiles(gemmWorkgroup, 'group', 'f32'),
  },
  {
    name: 'tile',
    fits: ({ rows, columns }) => rows >= 4 && columns >= 4,
    run: fixedTiles(gemmText, 'lane', 'f32'),
  },
  { name: 'naive', fits: () => true, run: naiveTiles() },
]);

/** Dispatches one product. */
export function gemm(product: Product): void {
  productAlgorithms.run(product, productLimits(product), (algorithm) => algorithm.run(product));
}

/**
 * Workgroups that keep an adapter busy, and the least depth of a split, so that adding the splits costs little: for a software
 * adapter with a few cores, and for a GPU.
 */
const busy = { narrow: { groups: 2, depth: 1024 }, wide: { groups: 512, depth: 256 } };

/** The number of splits of a product's depth: more than one where its result has too few tiles to keep the adapter busy. */
export function splitsOf(product: Product): number {
  const { groups, depth } = isNarrow(productLimits(product)) ? busy.narrow : busy.wide;
  const most = Math.floor(product.depth / depth);
  const least = Math.ceil(product.depth / longestChain);
  return most < 2
    ? 1
    : Math.max(
        least,
        Math.min(
          Math.ceil(groups / productAlgorithms.choose(product, productLimits(product)).run.groups(product)),
          most,
        ),
      );
}
