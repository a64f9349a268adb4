// Bounds on gradients, between backward and the optimiser's step.
import { clamp, keep, noGrad, scope, type Tensor, tensor, ValueError } from '@mien/tensor';

/** Clamps every element of every gradient to -bound..bound. Throws ValueError for a bound that is not positive. */
export function clipGradientValue(parameters: readonly Tensor[], bound: number): void {
  expectPositive('clipGradientValue', bound);
  replaceGradients(parameters, (gradient) => clamp(gradient, { min: -bound, max: bound }));
}

/**
 * Scales all gradients by one factor, so that the norm of all their elements together is at most `maximum`. Returns the
 * norm before, one element; nothing is read by the host. Throws ValueError for a maximum that is not positive.
 */
export function clipGradientNorm(parameters: readonly Tensor[], maximum: number): Tensor {
  expectPositive('clipGradientNorm', maximum);
  return scope(() =>
    noGrad(() => {
      let squares: Tensor = tensor(0);
      for (const { grad } of parameters) if (grad) squares = squares.add(grad.square().sum());
      const norm = squares.sqrt();
      // The 1e-6 is PyTorch's; it keeps a zero norm from dividing.
      const factor = norm.add(1e-6).pow(-1).mul(maximum).minimum(1);
      replaceGradients(parameters, (gradient) => gradient.mul(factor));
      return norm;
    }),
  );
}

// Leaves may share a gradient's memory (both inputs of a + b), so gradients are replaced, never written.
function replaceGradients(parameters: readonly Tensor[], bounded: (gradient: Tensor) => Tensor): void {
  for (const parameter of parameters) {
    const { grad } = parameter;
    if (grad) parameter.grad = keep(noGrad(() => bounded(grad)));
  }
}

function expectPositive(name: string, value: number): void {
  if (!(value > 0)) throw new ValueError(`${name}: ${value} is not a positive bound`);
}
