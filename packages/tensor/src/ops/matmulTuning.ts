// How the tuner measures the algorithms of a product of k-major operands: cache keys and operands.
import { roundUpToPowerOfTwo, type Tuning } from '../runtime/algorithms.ts';
import { currentDevice } from '../runtime/defaultDevice.ts';
import { type Memory, workspace } from '../runtime/memoryRange.ts';
import type { Workspace } from '../runtime/tensorBase.ts';
import { fillWith } from './fill.ts';
import type { Operand, Product, ProductAlgorithm, Result } from './matmulProduct.ts';

/** Sizes from here are long: what a tile wastes at their end is negligible. */
const long = 256;

function side(size: number): string {
  // Multiples of 4 are stored as vec4.
  return size < long ? `${size}` : `${roundUpToPowerOfTwo(size)}${size % 4 === 0 ? '' : '+'}`;
}

/** The layout of an operand: `/` and the length of its planes where they are shorter than a row. */
function plane({ plane }: Operand | Result, columns: number): string {
  return plane === undefined || plane >= columns ? '' : `/${plane}`;
}

/** `36 x 64x1024x64`, batches, rows, columns and depth, with splits and layouts other than rows. Long sizes are rounded up. */
function cacheKey(product: Product): string {
  const { a, b, c, bias, biasBy = 'row', half = false, rows, columns, depth, batches = 1, splits = 1 } = product;
  return [
    batches > 1 ? `${batches} x ` : '',
    `${side(rows)}${plane(a, rows)}x${side(columns)}${plane(b, columns)}x${roundUpToPowerOfTwo(depth)}`,
    plane(c, columns) === '' ? '' : ` c${plane(c, columns)}`,
    splits > 1 ? ` in ${roundUpToPowerOfTwo(splits)}` : '',
    bias ? ` bias by ${biasBy}` : '',
    half ? ' half' : '',
  ].join('');
}

/** Memory of the size of a tensor, which may be disposed of, filled with a number. */
function like({ bytes }: Memory): Workspace {
  const y = workspace(currentDevice(), [bytes / 4]);
  fillWith(y, 0.5);
  return y;
}

/** Tuning of `matmul`. */
export const productTuning: Tuning<Product, ProductAlgorithm> = {
  cacheKey,
  sample: (product) => ({ ...product, batches: 1, columns: Math.min(product.columns, long) }),
  prepare: (product) => {
    const [a, b, c] = [like(product.a.memory), like(product.b.memory), like(product.c.memory)];
    const bias = product.bias ? like(product.bias) : null;
    const own: Product = {
      ...product,
      a: { ...product.a, memory: a },
      b: { ...product.b, memory: b },
      c: { ...product.c, memory: c },
      bias,
    };
    return { operands: bias ? [a, b, c, bias] : [a, b, c], run: (algorithm) => algorithm.run(own) };
  },
};
