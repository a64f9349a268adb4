// Gradient clipping: in the optimizer's update kernel, or as functions between backward and the step.

import squares from '@mien/shaders/optim/sumSquares.wgsl';
import { clamp, empty, type Kernel, kernel, noGrad, scope, type Tensor, ValueError, zeros } from '@mien/tensor';
import {
  currentDevice,
  expectList,
  expectOneOf,
  expectOptions,
  expectTensor,
  gradOf,
  part,
  setGrad,
} from '@mien/tensor/internal';
import { runSlots, splitSlot, workgroupsFor } from './slots.ts';

const sumSquares = kernel(squares);
/** For adapters with narrow subgroups. */
const narrowSumSquares = kernel(squares, { LANES: 8 });

/** How a step clips gradients: every element to +-limit, or all together to a norm of at most `limit`. */
export interface Clip {
  readonly kind: 'value' | 'norm';
  readonly limit: number;
}

/** The arguments of a kernel that clips. */
export interface ClipArguments {
  readonly kind: Clip['kind'] | 'none';
  readonly limit: number;
  /** The sum of all gradients' squares, where their norm is clipped. */
  readonly squares: Tensor | null;
}

/** The specializations of a kernel with consts CLAMPED and SCALED. */
export function clipVariants(
  specialize: (clip: Readonly<Record<string, boolean>>) => Kernel,
): Record<ClipArguments['kind'], Kernel> {
  return { none: specialize({}), value: specialize({ CLAMPED: true }), norm: specialize({ SCALED: true }) };
}

/** The kernel arguments of `clip`. Throws ValueError for a limit that is not positive. */
export function clipArguments(name: string, clip: Clip | null, gradients: readonly Tensor[]): ClipArguments {
  if (clip === null) return { kind: 'none', limit: 0, squares: null };
  expectOptions(name, clip, ['kind', 'limit']);
  expectOneOf(name, 'clip.kind', clip.kind, ['value', 'norm']);
  expectPositive(name, 'clip.limit', clip.limit);
  return { ...clip, squares: clip.kind === 'norm' ? squaresOf(gradients) : null };
}

/** Clamps every element of every gradient to +-clipValue. Throws ValueError unless it is positive. */
export function clipGradValue(parameters: readonly Tensor[], clipValue: number): void {
  expectParameters('clipGradValue', parameters);
  expectPositive('clipGradValue', 'clipValue', clipValue);
  scope(() =>
    replaceGradients(new Set(parameters), (gradient) => clamp(gradient, { min: -clipValue, max: clipValue })),
  );
}

/**
 * Scales all gradients by one factor such that their total norm is at most `maxNorm`, and returns the norm before, one
 * element on the device. A tensor that is listed twice counts once. Throws ValueError unless maxNorm is positive.
 */
export function clipGradNorm(parameters: readonly Tensor[], maxNorm: number): Tensor {
  expectParameters('clipGradNorm', parameters);
  expectPositive('clipGradNorm', 'maxNorm', maxNorm);
  return scope(() => {
    const distinct = [...new Set(parameters)];
    const norm = squaresOf(distinct.flatMap((parameter) => gradOf(parameter) ?? [])).sqrt();
    noGrad(() => {
      // 1e-6 avoids a division by zero, as in torch.nn.utils.clip_grad_norm_.
      const factor = norm.add(1e-6).pow(-1).mul(maxNorm).minimum(1);
      replaceGradients(distinct, (gradient) => gradient.mul(factor));
    });
    return norm;
  });
}

/** @deprecated Use `clipGradNorm`; removed in 1.0. */
export const clipGradientNorm: typeof clipGradNorm = clipGradNorm;

/** @deprecated Use `clipGradValue`; removed in 1.0. */
export const clipGradientValue: typeof clipGradValue = clipGradValue;

/** The sum of all squares, one element: one partial sum per workgroup, then their sum. */
function squaresOf(gradients: readonly Tensor[]): Tensor {
  if (gradients.length === 0) return zeros([]);
  return scope(() => {
    const kernel = currentDevice().narrow ? narrowSumSquares : sumSquares;
    const parts = gradients.flatMap((x) => splitSlot({ size: x.size, perSlot: { x }, shared: {} }));
    const counts = parts.map(({ size }) => workgroupsFor(kernel, size));
    const partials = empty([counts.reduce((sum, count) => sum + count, 0)]);
    let first = 0;
    const slots = parts.map((slot, i) => {
      const bytes = 4 * (counts[i] as number);
      const sums = part(partials, 4 * first, bytes);
      first += counts[i] as number;
      return { ...slot, shared: { partials: sums } };
    });
    runSlots(kernel, slots, {}, {});
    return partials.sum();
  });
}

// Leaves may share a gradient's memory (both inputs of a + b), so gradients are replaced, never written in place.
function replaceGradients(parameters: Iterable<Tensor>, clipped: (gradient: Tensor) => Tensor): void {
  noGrad(() => {
    for (const parameter of parameters) {
      const gradient = gradOf(parameter);
      if (gradient) setGrad(parameter, clipped(gradient));
    }
  });
}

function expectParameters(name: string, parameters: readonly Tensor[]): void {
  expectList(name, 'parameters', parameters);
  for (const [i, parameter] of parameters.entries()) expectTensor(name, `parameter ${i}`, parameter);
}

function expectPositive(name: string, argument: string, value: number): void {
  if (!(value > 0)) throw new ValueError(`${name}: ${argument} must be positive, got ${value}`);
}
