// Operands of matrix products brought into the layout that kernels read.
import packText from '@mien/shaders/matmul/pack.wgsl';
import { kernel } from '../runtime/kernel.ts';
import { run } from '../runtime/run.ts';
import type { Memory } from '../runtime/storage.ts';
import { empty, type Tensor } from '../tensor.ts';

/** The next multiple of 4, the size of a vec4. */
export function roundUp4(size: number): number {
  return Math.ceil(size / 4) * 4;
}

const pack = { straight: kernel(packText), transposed: kernel(packText, { TRANSPOSED: true }) };

/** Matrices [batches, rows, columns], or transposed ones, with columns padded by zeros to a multiple of 4. */
export function packed(x: Memory, batches: number, rows: number, columns: number, transposed: boolean): Tensor {
  const [xRows, xColumns] = transposed ? [columns, rows] : [rows, columns];
  const y = empty([batches, rows, roundUp4(columns)]);
  const form = transposed ? pack.transposed : pack.straight;
  const blocks = batches * Math.ceil(rows / 4) * (roundUp4(columns) / 4);
  run(
    form,
    { x, y },
    { batches, rows, columns: roundUp4(columns), xRows, xColumns },
    Math.ceil(blocks / form.const('LANES')),
  );
  return y;
}
