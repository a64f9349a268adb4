// Matrix products by every algorithm: a square, a row times a matrix (transposed and not), a long depth.
import {
  device,
  linear,
  type MatmulPrecision,
  scope,
  setFloat32MatmulPrecision,
  type Tensor,
  tensor,
} from '@mien/tensor';
import { algorithmsOf, withAlgorithm } from '@mien/tensor/internal';
import { productError, type Values, values, within } from '@mien/tensor/reference';
import type { Problem, Variant } from './variant.ts';

export function problems(): readonly Problem[] {
  return [
    problem('matmul', 512, 512, 512),
    problem('matmul', 1, 2048, 2048),
    problem('linear', 1, 2048, 2048),
    problem('matmul', 64, 8192, 64),
  ];
}

/** x [rows, depth] times a matrix [depth, columns], which `linear` has transposed. */
function problem(operation: 'matmul' | 'linear', rows: number, depth: number, columns: number): Problem {
  const a = numbers([rows, depth], 1);
  const b = numbers([columns, depth], 2);
  const x = tensor(a);
  const matrix = operation === 'linear' ? tensor(b) : scope(() => tensor(b).transpose(0, 1));
  const once = (): Tensor => scope(() => (operation === 'linear' ? linear(x, matrix) : x.matmul(matrix)));
  // An algorithm that does not fit a shape says so in its line.
  const algorithms = algorithmsOf('matmul').filter((name) => name !== 'half');
  const variants = algorithms.map((name): Variant => ({ name, run: () => withAlgorithm('matmul', name, once) }));
  if (device().facts.features.includes('shader-f16')) {
    variants.push({ name: 'half', expected: product(a, b, 'f16'), run: () => withPrecision('medium', once) });
  }
  return {
    name: `${operation} [${rows}, ${depth}] x [${depth}, ${columns}]`,
    flops: 2 * rows * columns * depth,
    expected: product(a, b),
    variants: [{ name: 'chosen', run: async () => once() }, ...variants],
  };
}

async function withPrecision(precision: MatmulPrecision, fn: () => Tensor): Promise<Tensor> {
  setFloat32MatmulPrecision(precision);
  try {
    return fn();
  } finally {
    setFloat32MatmulPrecision('highest');
  }
}

/** Numbers in -1..1 that are exact in float32, different for each seed. */
function numbers(shape: readonly [number, number], seed: number): Values {
  const value = (_: unknown, i: number): number => ((Math.imul(i + seed * 7919, 2654435761) >>> 16) - 32768) / 32768;
  return values(shape, Float64Array.from({ length: shape[0] * shape[1] }, value));
}

/** a times b transposed, for factors that are rounded to a precision. */
function product(a: Values, b: Values, precision: 'f32' | 'f16' = 'f32'): Values {
  const [rows, depth] = a.shape as [number, number];
  const [columns] = b.shape as [number, number];
  const c = new Float64Array(rows * columns);
  const error = new Float64Array(rows * columns);
  for (let i = 0; i < c.length; i++) {
    const [row, column] = [Math.floor(i / columns) * depth, (i % columns) * depth];
    let [sum, squares] = [0, 0];
    for (let k = 0; k < depth; k++) {
      const term = (a.data[row + k] as number) * (b.data[column + k] as number);
      sum += term;
      squares += term * term;
    }
    c[i] = sum;
    error[i] = productError(depth, sum, squares, precision);
  }
  return within(values([rows, columns], c), (_, i) => error[i] as number);
}
