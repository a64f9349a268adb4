// Tiles of the matrix product C = A B: one problem a way of storing, every tile that registers may hold.

import gemm from '@mien/shaders/matmul/gemm.wgsl';
import { empty, kernel, run, type Tensor, tensor } from '@mien/tensor';
import { type Values, values } from '@mien/tensor/reference';
import type { Trial } from './variant.ts';

const size = 512;

const tiles = [
  [4, 4],
  [4, 8],
  [8, 8],
  [8, 16],
  [16, 8],
  [16, 16],
] as const;

const kernels = [
  { name: 'a [M, K], b [K, N]', A_ROWS: true, B_ROWS: false, STEP: 4 },
  { name: 'a [M, K], b [N, K]', A_ROWS: true, B_ROWS: true, STEP: 4 },
  { name: 'a [K, M], b [K, N]', A_ROWS: false, B_ROWS: false, STEP: 1 },
].map(({ name, ...stored }) => ({
  name,
  stored,
  tiles: tiles.map(([ROWS, COLUMNS]) => kernel(gemm, { ...stored, ROWS, COLUMNS })),
}));

export function trials(): readonly Trial[] {
  const [a, b] = [square(1), square(2)];
  const expected = product(a, b);
  return kernels.map(({ name, stored, tiles }) => {
    const left = tensor(stored.A_ROWS ? a : transposed(a));
    const right = tensor(stored.B_ROWS ? transposed(b) : b);
    return {
      name: `gemm ${size}, ${name}`,
      flops: 2 * size ** 3,
      expected,
      terms: size,
      variants: tiles.map((tile) => {
        const { ROWS, COLUMNS, STEP, LANES } = tile.consts as Readonly<
          Record<'ROWS' | 'COLUMNS' | 'STEP' | 'LANES', number>
        >;
        const groups = Math.ceil(size ** 2 / (ROWS * COLUMNS * LANES));
        const invoke = (): Tensor => {
          const c = empty([size, size]);
          run(tile, { a: left, b: right, bias: null, c }, params, groups);
          return c;
        };
        return { name: `${ROWS} x ${COLUMNS}`, consts: { STEP, LANES }, run: invoke };
      }),
    };
  });
}

const params = {
  batches: 1,
  m: size,
  n: size,
  k: size,
  aBatch: 0,
  bBatch: 0,
  aPlane: size,
  aImage: 0,
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
