// Gradients against central differences of the reference in float64, whose own error (step^2) is far below float32's.

import { tensor } from '../ops/create.ts';
import type { Values } from '../reference/values.ts';
import { scope } from '../runtime/scope.ts';
import type { Tensor } from '../tensor.ts';
import { ensure, noteRatio } from './mismatch.ts';
import { type NearOptions, near, tolerance } from './near.ts';
import { randomSigns, toTensor } from './tensors.ts';

const step = 1e-5;
/** Inputs up to this size are also differentiated element by element. */
const smallSize = 24;

/**
 * Checks the derivative of `op` by each input against differences of its reference: along a random direction at any size,
 * element by element on small inputs. Keep inputs off kinks and ties. Throws Mismatch.
 */
export async function gradcheck(
  op: (...inputs: Tensor[]) => Tensor,
  reference: (...inputs: Values[]) => Values,
  inputs: readonly Values[],
  options: NearOptions = {},
): Promise<void> {
  const y = reference(...inputs);
  const weights = randomSigns(y.data.length, 1);
  const leaves = inputs.map((input) => toTensor(input, { requiresGrad: true }));
  scope(() => op(...leaves).backward(tensor({ shape: y.shape, data: weights })));
  /** The weighted sum of the reference's result with input i moved. */
  const moved = (i: number, direction: ArrayLike<number>, by: number): number => {
    const changed = inputs.map((input, k) =>
      k === i ? { shape: input.shape, data: input.data.map((v, j) => v + by * (direction[j] as number)) } : input,
    );
    return reference(...changed).data.reduce((sum, v, j) => sum + v * (weights[j] as number), 0);
  };
  const difference = (i: number, direction: ArrayLike<number>): number =>
    (moved(i, direction, step) - moved(i, direction, -step)) / (2 * step);
  for (let i = 0; i < inputs.length; i++) {
    const { shape, data } = inputs[i] as Values;
    const gradient = (leaves[i] as Tensor).grad;
    ensure(gradient !== null, `input ${i} got no gradient`);
    const found = Array.from(await gradient.data());
    const terms = Math.max(options.terms ?? 1, y.data.length / data.length);
    const direction = randomSigns(data.length, 2 + i);
    const expected = difference(i, direction);
    const along = found.reduce((sum, g, j) => sum + g * (direction[j] as number), 0);
    const largest = found.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
    const ratio = Math.abs(along - expected) / (2 * tolerance(terms * data.length, largest));
    ensure(
      ratio <= 1,
      `gradient of input ${i} along a direction is ${along}, expected ${expected}: ${ratio.toPrecision(3)} times the tolerance`,
    );
    noteRatio(ratio);
    if (data.length > smallSize) continue;
    const each = Float64Array.from(data, (_, j) =>
      difference(
        i,
        Float64Array.from(data, (_v, k) => Number(k === j)),
      ),
    );
    await near(gradient, { shape, data: each }, { terms: 2 * terms });
  }
}
