// Products of a few rows, or a few columns, and a large matrix, which is read in its stored layout.
import text from '@mien/shaders/matmul/matmulVector.wgsl';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import { isNarrow, type Limits } from '../runtime/limits.ts';
import type { Memory } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import { epilogueBindings, finishOf } from './epilogue.ts';
import { packed, roundUp4 } from './matmulPack.ts';
import {
  biasSteps,
  isTransposed,
  type Operand,
  type Product,
  type ProductAlgorithm,
  productLimits,
  workOf,
} from './matmulProduct.ts';

/** The numbers of rows that the kernel is specialized for. */
const rowCounts = [1, 4, 8] as const;
const mostRows = 8;
const flags = [false, true] as const;

/** Lanes across columns and along the depth, by whether w is stored transposed: workgroups of 8 lanes for narrow adapters, else of 64. */
const lanesOf = {
  narrow: [
    { ACROSS: 8, ALONG: 1 },
    { ACROSS: 1, ALONG: 8 },
  ],
  wide: [
    { ACROSS: 8, ALONG: 8 },
    { ACROSS: 4, ALONG: 16 },
  ],
} as const;

/** By rows, by whether w is stored transposed, and by whether it can be read as vec4. */
const formsOf = (width: 'narrow' | 'wide'): Kernel[][][] =>
  rowCounts.map((ROWS) =>
    flags.map((TRANSPOSED) =>
      flags.map((ALIGNED) =>
        kernel(text, { ROWS, TRANSPOSED, ALIGNED, ...lanesOf[width][Number(TRANSPOSED) as 0 | 1] }),
      ),
    ),
  );
const forms = { narrow: formsOf('narrow'), wide: formsOf('wide') };

/** The product as few rows x times w, with the strides of its result. */
interface Few {
  readonly x: Operand;
  readonly w: Operand;
  readonly rows: number;
  readonly columns: number;
  readonly yRow: number;
  readonly yColumn: number;
  readonly biasRow: number;
  readonly biasColumn: number;
}

/** A product of few columns as one of few rows, transposed. */
function fewOf(product: Product): Few {
  const { a, b, c, rows, columns } = product;
  const { biasRow, biasColumn } = biasSteps(product);
  const step = c.step ?? columns;
  return rows <= columns
    ? { x: a, w: b, rows, columns, yRow: step, yColumn: 1, biasRow, biasColumn }
    : { x: b, w: a, rows: columns, columns: rows, yRow: 1, yColumn: step, biasRow: biasColumn, biasColumn: biasRow };
}

/** Whether the kernel supports a product: few rows or columns, and both operands and the result without planes. */
export function isVector(product: Product): boolean {
  const { rows, columns, depth, c, biasBatch = 0 } = product;
  const { x, w } = fewOf(product);
  const simple = (operand: Operand): boolean =>
    isTransposed(operand) || (operand.plane ?? operand.width) >= operand.width;
  const dense = isTransposed(x) ? x.image === depth : (x.step ?? x.width) === Math.min(rows, columns);
  return (
    Math.min(rows, columns) <= mostRows &&
    biasBatch === 0 &&
    (c.plane ?? columns) >= columns &&
    simple(w) &&
    simple(x) &&
    dense &&
    (!x.batch || x.batch === Math.min(rows, columns) * depth)
  );
}

/** Whether the kernel is preferred: from five rows it reads its rows more often than w, unless w would be packed first anyway. */
export function isVectorPreferred(product: Product, limits: Limits): boolean {
  const { w, rows } = fewOf(product);
  return rows <= 4 || isTransposed(w) || !isNarrow(limits);
}

function formOf(product: Product): { form: Kernel; aligned: boolean; step: number } {
  const { w, rows } = fewOf(product);
  const transposed = isTransposed(w);
  const step = transposed ? (w.image as number) : (w.step ?? w.width);
  const aligned = step % 4 === 0 && (w.batch ?? 0) % 4 === 0;
  const byRows =
    forms[isNarrow(productLimits(product)) ? 'narrow' : 'wide'][rowCounts.findIndex((count) => count >= rows)];
  return { form: byRows?.[Number(transposed)]?.[Number(aligned)] as Kernel, aligned, step };
}

/** x as rows of its depth, padded by zeros to vec4. */
function depthRows(x: Operand, rows: number, depth: number, batches: number): Memory {
  const isPadded = depth % 4 === 0 && (isTransposed(x) || rows === 1);
  return isPadded ? x.memory : packed(x.memory, x.batch ? batches : 1, rows, depth, !isTransposed(x));
}

/** A product for which `isVector` is true. */
export const byVector: ProductAlgorithm = {
  run: (product) => {
    const { c, depth, batches = 1, splits = 1 } = product;
    const { x, w, rows, columns, ...steps } = fewOf(product);
    const { form, aligned, step } = formOf(product);
    const params = {
      ...{ batches, splits, rows, columns, depth, chunk: roundUp4(Math.ceil(depth / splits)), ...steps },
      ...{
        xBatch: x.batch ? (rows * roundUp4(depth)) / 4 : 0,
        wStep: step,
        wBatch: w.batch ?? 0,
        yBatch: c.batch ?? 0,
      },
      ...{ finish: finishOf(product), relu: Number(product.relu ?? false) },
    };
    const bindings = {
      ...{ x: depthRows(x, rows, depth, batches), w: aligned ? null : w.memory, wQuads: aligned ? w.memory : null },
      ...{ ...epilogueBindings(product), y: c.memory },
    };
    run(form, bindings, params, splits * byVector.groups(product), workOf(product));
  },
  groups: (product) => {
    const { batches = 1, rows, columns } = product;
    return batches * Math.ceil(Math.max(rows, columns) / (4 * formOf(product).form.const('ACROSS')));
  },
};
