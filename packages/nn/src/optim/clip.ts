// Bounds on gradients: in the optimizer's own update, or by themselves between backward and the step.
import squares from '@mien/shaders/optim/sumSquares.wgsl';
import {
  clamp,
  device,
  empty,
  expectList,
  expectOneOf,
  expectOptions,
  expectTensor,
  type Kernel,
  kernel,
  noGrad,
  scope,
  type Tensor,
  ValueError,
  zeros,
} from '@mien/tensor';
import { groupsOf, type Memory, pieces, runSlots } from './slots.ts';

const sumSquares = kernel(squares);
/** For adapters with narrow subgroups. */
const narrowSumSquares = kernel(squares, { LANES: 8 });

/** A bound on the gradients of a step: on every element, or on the norm of all of them together. */
export interface Clip {
  readonly kind: 'value' | 'norm';
  readonly limit: number;
}

/** A `Clip` as kernels take it. */
export interface Bounds {
  readonly kind: Clip['kind'] | 'none';
  readonly limit: number;
  /** The sum of all gradients' squares, for a bound on their norm. */
  readonly squares: Tensor | null;
}

/** The forms of a kernel with CLAMPED and SCALED. */
export function clipping(form: (clip: Readonly<Record<string, boolean>>) => Kernel): Record<Bounds['kind'], Kernel> {
  return { none: form({}), value: form({ CLAMPED: true }), norm: form({ SCALED: true }) };
}

/** What a kernel needs for `clip`. Throws ValueError for a limit that is not positive. */
export function boundsOf(name: string, clip: Clip | null, gradients: readonly Tensor[]): Bounds {
  if (clip === null) return { kind: 'none', limit: 0, squares: null };
  expectOptions(name, clip);
  expectOneOf(name, 'clip.kind', clip.kind, ['value', 'norm']);
  expectPositive(name, clip.limit);
  return { ...clip, squares: clip.kind === 'norm' ? squaresOf(gradients) : null };
}

/** Clamps every element of every gradient to -bound..bound. Throws ValueError for a bound that is not positive. */
export function clipGradValue(parameters: readonly Tensor[], bound: number): void {
  expectParameters('clipGradValue', parameters);
  expectPositive('clipGradValue', bound);
  scope(() => replaceGradients(new Set(parameters), (gradient) => clamp(gradient, { min: -bound, max: bound })));
}

/**
 * Scales all gradients by one factor, so that the norm of all their elements together is at most `maximum`. Returns the
 * norm before, one element; a tensor that is listed twice counts once; nothing is read by the host. Throws ValueError for a maximum that is not positive.
 */
export function clipGradNorm(parameters: readonly Tensor[], maximum: number): Tensor {
  expectParameters('clipGradNorm', parameters);
  expectPositive('clipGradNorm', maximum);
  return scope(() => {
    const distinct = [...new Set(parameters)];
    const norm = squaresOf(distinct.flatMap(({ grad }) => (grad ? [grad] : []))).sqrt();
    noGrad(() => {
      // 1e-6 keeps a norm of zero from dividing, as in torch.nn.utils.clip_grad_norm_.
      const factor = norm.add(1e-6).pow(-1).mul(maximum).minimum(1);
      replaceGradients(distinct, (gradient) => gradient.mul(factor));
    });
    return norm;
  });
}

/** The sum of all squares, one element, by partial sums in one list. */
function squaresOf(gradients: readonly Tensor[]): Tensor {
  if (gradients.length === 0) return zeros([]);
  return scope(() => {
    const form = device().narrow ? narrowSumSquares : sumSquares;
    const parts = gradients.flatMap((x) => pieces({ size: x.size, own: { x }, shared: {} }));
    const counts = parts.map(({ size }) => groupsOf(form, size));
    const partials = empty([counts.reduce((sum, count) => sum + count, 0)]);
    let first = 0;
    const fillings = parts.map((filling, i) => {
      const bytes = 4 * (counts[i] as number);
      const sums: Memory = { storage: partials.storage, byteOffset: 4 * first, bytes };
      first += counts[i] as number;
      return { ...filling, shared: { partials: sums } };
    });
    runSlots(form, fillings, {}, {});
    return partials.sum();
  });
}

// Leaves may share a gradient's memory (both inputs of a + b), so gradients are replaced, never written.
function replaceGradients(parameters: Iterable<Tensor>, bounded: (gradient: Tensor) => Tensor): void {
  noGrad(() => {
    for (const parameter of parameters) if (parameter.grad) parameter.grad = bounded(parameter.grad);
  });
}

function expectParameters(name: string, parameters: readonly Tensor[]): void {
  expectList(name, 'parameters', parameters);
  for (const [i, parameter] of parameters.entries()) expectTensor(name, `parameter ${i}`, parameter);
}

function expectPositive(name: string, value: number): void {
  if (!(value > 0)) throw new ValueError(`${name}: ${value} is not a positive bound`);
}
