// The matrix product C = A B, both operands k-major: the register tile in groups of several sizes, and the plain kernel.

import gemm from '@mien/shaders/matmul/gemm.wgsl';
import matmulNaive from '@mien/shaders/matmul/matmulNaive.wgsl';
import { empty, kernel, run, type Tensor, tensor } from '@mien/tensor';
import { type Values, values } from '@mien/tensor/reference';
import type { Trial } from './variant.ts';

const size = 512;

const tiles = [8, 32, 64].map((LANES) => ({ name: `tile, groups of ${LANES}`, form: kernel(gemm, { LANES }) }));

const kernels = [...tiles, { name: 'naive', form: kernel(matmulNaive) }];

export function trials(): readonly Trial[] {
  const [a, b] = [square(1), square(2)];
  const [left, right] = [tensor(transposed(a)), tensor(b)];
  return [
    {
      name: `gemm ${size}, a [K, M], b [K, N]`,
      flops: 2 * size ** 3,
      expected: product(a, b),
      terms: size,
      variants: kernels.map(({ name, form }) => {
        const { ROWS = 1, COLUMNS = 1, LANES = 1 } = form.consts;
        const groups = Math.ceil(size ** 2 / (ROWS * COLUMNS * LANES));
        const invoke = (): Tensor => {
          const c = empty([size, size]);
          run(form, { a: left, b: right, bias: null, c }, params, groups);
          return c;
        };
        return { name, consts: { LANES }, run: invoke };
      }),
    },
  ];
}

const params = {
  batches: 1,
  rows: size,
  columns: size,
  depth: size,
  aRows: size,
  bColumns: size,
  aBatch: 0,
  bBatch: 0,
  cBatch: 0,
  bPlane: size,
  bImage: 0,
  cPlane: size,
  cImage: 0,
};

/** Numbers in -1..1 that float32 holds exactly, different for each seed. */
function square(seed: number): Values {
  const value = (_: unknown, i: number): number => ((Math.imul(i + seed * 7919, 2654435761) >>> 16) - 32768) / 32768;
  return values([size, size], Float64Array.from({ length: size * size }, value));
}

function transposed({ data }: Values): Values {
  return values(
    [size, size],
    data.map((_, i) => data[(i % size) * size + Math.floor(i / size)] as number),
  );
}

function product(a: Values, b: Values): Values {
  const c = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < size; k++) {
      const factor = a.data[i * size + k] as number;
      for (let j = 0; j < size; j++)
        c[i * size + j] = (c[i * size + j] as number) + factor * (b.data[k * size + j] as number);
    }
  }
  return values([size, size], c);
}
