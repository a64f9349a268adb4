// How the tuner tries the ways of a product of k-major operands: the shape in words, and operands of it.
import { near, type Trials } from '../runtime/alternatives.ts';
import type { Memory } from '../runtime/memoryRange.ts';
import { empty, type Tensor } from '../tensor.ts';
import { full } from './create.ts';
import type { Operand, Product, Result, Way } from './matmulProduct.ts';

/** Sizes from here up are long: what a tile wastes at their end does not count. */
const long = 256;

function side(size: number): string {
  // Whether it is a multiple of 4 decides how it is stored.
  return size < long ? `${size}` : `${near(size)}${size % 4 === 0 ? '' : '+'}`;
}

/** How an operand lies: `/` and the numbers that lie together where they are not whole rows. */
function plane({ plane }: Operand | Result, columns: number): string {
  return plane === undefined || plane >= columns ? '' : `/${plane}`;
}

/** `36 x 64x1024x64`, batches, rows, columns and depth, with splits and what is not in whole rows. Long sizes are rounded up. */
function words(product: Product): string {
  const { a, b, c, bias, biasBy = 'row', half = false, rows, columns, depth, batches = 1, splits = 1 } = product;
  return [
    batches > 1 ? `${batches} x ` : '',
    `${side(rows)}${plane(a, rows)}x${side(columns)}${plane(b, columns)}x${near(depth)}`,
    plane(c, columns) === '' ? '' : ` c${plane(c, columns)}`,
    splits > 1 ? ` in ${near(splits)}` : '',
    bias ? ` bias by ${biasBy}` : '',
    half ? ' half' : '',
  ].join('');
}

const like = ({ bytes }: Memory): Tensor => full([bytes / 4], 0.5);

/** Trials of `matmul`. */
export const productTrials: Trials<Product, Way> = {
  words,
  sample: (product) => ({ ...product, batches: 1, columns: Math.min(product.columns, long) }),
  prepare: (product) => {
    const [a, b, c] = [like(product.a.memory), like(product.b.memory), empty([product.c.memory.bytes / 4])];
    const bias = product.bias ? like(product.bias) : null;
    const own: Product = {
      ...product,
      a: { ...product.a, memory: a },
      b: { ...product.b, memory: b },
      c: { ...product.c, memory: c },
      bias,
    };
    return { operands: bias ? [a, b, c, bias] : [a, b, c], run: (way) => way.run(own) };
  },
};
