// Packs operands of matrix products into the layout that kernels read.
import packText from '@mien/shaders/matmul/pack.wgsl';
import { kernel } from '../runtime/kernel.ts';
import { deviceOf, type Memory, workspace } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import type { Workspace } from '../runtime/tensorBase.ts';

/** The next multiple of 4, the size of a vec4. */
export function roundUp4(size: number): number {
  return Math.ceil(size / 4) * 4;
}

const pack = (real: string) => ({
  straight: kernel(packText, { real }),
  transposed: kernel(packText, { real, TRANSPOSED: true }),
});
const packs = { f32: pack('f32'), f16: pack('f16') };

/** Matrices [batches, rows, columns], or their transposes, with columns zero-padded to a multiple of 4. As f16 they take half the elements. */
export function packed(
  x: Memory,
  batches: number,
  rows: number,
  columns: number,
  transposed: boolean,
  real: 'f32' | 'f16' = 'f32',
): Workspace {
  const [xRows, xColumns] = transposed ? [columns, rows] : [rows, columns];
  const y = workspace(deviceOf(x), [batches, rows, roundUp4(columns) / (real === 'f16' ? 2 : 1)]);
  const form = packs[real][transposed ? 'transposed' : 'straight'];
  const blocks = batches * Math.ceil(rows / 4) * (roundUp4(columns) / 4);
  run(
    form,
    { x, y },
    { batches, rows, columns: roundUp4(columns), xRows, xColumns },
    Math.ceil(blocks / form.const('LANES')),
  );
  return y;
}
