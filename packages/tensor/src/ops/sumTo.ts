// The gradient of broadcasting. It calls methods, because operations that broadcast and those that sum both need it.
import type { Tensor } from '../tensor.ts';
import type { Shape } from './geometry.ts';

/** Sums dy over the dimensions in which `shape` was broadcast. */
export function sumTo(dy: Tensor, shape: Shape): Tensor {
  const lead = dy.rank - shape.length;
  const over = dy.shape.flatMap((size, dim) => (dim < lead || (shape[dim - lead] === 1 && size !== 1) ? [dim] : []));
  return over.length === 0 ? dy : dy.sum(over).reshape(shape);
}
