// Bounds on gradients, between backward and the optimiser's step.
import scaling from '@mien/shaders/optim/scaleToNorm.wgsl';
import squares from '@mien/shaders/optim/sumSquares.wgsl';
import { clamp, empty, kernel, noGrad, run, scope, type Tensor, ValueError, zeros } from '@mien/tensor';
import { runFlat } from './flat.ts';

const sumSquares = kernel(squares);
const scaleToNorm = kernel(scaling);

/** Clamps every element of every gradient to -bound..bound. Throws ValueError for a bound that is not positive. */
export function clipGradientValue(parameters: readonly Tensor[], bound: number): void {
  expectPositive('clipGradientValue', bound);
  scope(() => replaceGradients(parameters, (gradient) => clamp(gradient, { min: -bound, max: bound })));
}

/**
 * Scales all gradients by one factor, so that the norm of all their elements together is at most `maximum`. Returns the
 * norm before, one element; nothing is read by the host. Throws ValueError for a maximum that is not positive.
 */
export function clipGradientNorm(parameters: readonly Tensor[], maximum: number): Tensor {
  expectPositive('clipGradientNorm', maximum);
  return scope(() => {
    const norm = normOf(parameters.flatMap(({ grad }) => (grad ? [grad] : [])));
    replaceGradients(parameters, (x) => {
      const y = empty(x.shape);
      runFlat(scaleToNorm, { y, x, norm }, { maximum });
      return y;
    });
    return norm;
  });
}

/** The root of the sum of all squares, by partial sums in one list. */
function normOf(gradients: readonly Tensor[]): Tensor {
  if (gradients.length === 0) return zeros([]);
  const { LANES = 1, VECTORS = 1 } = sumSquares.consts;
  const counts = gradients.map(({ size }) => Math.ceil(size / (4 * LANES * VECTORS)));
  const partials = empty([counts.reduce((sum, count) => sum + count, 0)]);
  let first = 0;
  for (const [i, x] of gradients.entries()) {
    const count = counts[i] as number;
    run(sumSquares, { x, partials }, { size: x.size, first }, count);
    first += count;
  }
  return partials.sum().sqrt();
}

// Leaves may share a gradient's memory (both inputs of a + b), so gradients are replaced, never written.
function replaceGradients(parameters: readonly Tensor[], bounded: (gradient: Tensor) => Tensor): void {
  noGrad(() => {
    for (const parameter of parameters) if (parameter.grad) parameter.grad = bounded(parameter.grad);
  });
}

function expectPositive(name: string, value: number): void {
  if (!(value > 0)) throw new ValueError(`${name}: ${value} is not a positive bound`);
}
