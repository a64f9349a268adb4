// Gradients against central differences of the reference in float64, whose own error is far below float32's.

import { noGrad } from '../autograd.ts';
import { tensor } from '../ops/create.ts';
import { sumError, ulps } from '../reference/bounds.ts';
import type { Values } from '../reference/values.ts';
import { scope } from '../runtime/scope.ts';
import type { Tensor } from '../tensor.ts';
import { ensure, noteRatio } from './mismatch.ts';
import { randomSigns, toTensor } from './tensors.ts';

type Op = (...inputs: Tensor[]) => Tensor;
type Reference = (...inputs: Values[]) => Values;

/** Inputs up to this size are differentiated element by element, larger ones at a few elements. */
const smallSize = 24;
const sampleCount = 3;

/** A difference scheme: its step for inputs of 1 and more, the noise relative to the size of the terms, and the default error in units. */
interface Scheme {
  readonly step: number;
  readonly fivePoints: boolean;
  readonly noise: number;
  readonly defaultUnits: number;
}

const first: Scheme = { step: 1e-5, fivePoints: false, noise: 2 ** -50 / 1e-5, defaultUnits: 16 };
/** The terms are differences themselves. More operations follow each other, and no reference states their error. */
const second: Scheme = { step: 2e-3, fivePoints: true, noise: 1e-9, defaultUnits: 32 };

/**
 * Checks the gradient of `op` by each input against differences of its reference: along a random direction, and element by
 * element (all of a small input, a few of a larger one). The tolerance is the rounding of a sum of the terms, whose number and
 * sizes the differences show, plus the error that the reference states in `slopes`, or, without one, 16 units in the last place
 * of the largest element of any gradient. Keep inputs off kinks and ties. Throws Mismatch.
 */
export async function gradcheck(op: Op, reference: Reference, inputs: readonly Values[]): Promise<void> {
  const y = reference(...inputs);
  const weights = randomSigns(y.data.length, 1);
  const leaves = inputs.map((input) => toTensor(input, { requiresGrad: true }));
  scope(() => op(...leaves).backward(tensor({ shape: y.shape, data: weights })));
  const terms = (changed: readonly Values[]) => reference(...changed).data.map((v, i) => v * (weights[i] as number));
  const gradients = await Promise.all(leaves.map((_, i) => gradientOf(leaves, i).data()));
  // Terms that cancel in one gradient, such as that of a bias before a normalization, may be as large as another gradient.
  const largest = Math.max(...gradients.map(largestOf));
  for (const [i, gradient] of gradients.entries()) {
    const slopes = y.slopes?.get(inputs[i] as Values);
    await compare(i, gradient, terms, inputs, slopes, { ...first, size: norm(y.data), largest });
  }
}

/**
 * Checks the second derivatives of `op`: its gradient, along a random direction of all inputs at once, is differentiated by
 * each input and by the result's gradient, and compared with differences of differences of the reference. Pass a few elements of
 * size about 1: a check runs the reference 16 times for each. Throws Mismatch.
 */
export async function gradgradcheck(op: Op, reference: Reference, inputs: readonly Values[]): Promise<void> {
  const y = reference(...inputs);
  const weights: Values = { shape: y.shape, data: randomSigns(y.data.length, 1) };
  const directions = inputs.map(({ data }, i) => randomSigns(data.length, 100 + i));
  const leaves = [...inputs, weights].map((input) => toTensor(input, { requiresGrad: true }));
  const slopes = scope(() => {
    const result = op(...leaves.slice(0, -1));
    result
      .mul(leaves.at(-1) as Tensor)
      .sum()
      .backward(null, { createGraph: true });
    const gradients = inputs.map((_, i) => gradientOf(leaves, i));
    const copies = gradients.map((g) => noGrad(() => g.mul(1)));
    const along = gradients.map((g, i) => g.mul(tensor({ shape: g.shape, data: directions[i] as Float64Array })).sum());
    for (const leaf of leaves) leaf.grad = null;
    along.reduce((sum, each) => sum.add(each)).backward();
    return copies;
  });
  // Terms that cancel in second derivatives are as large as first derivatives.
  const largest = largestOf((await Promise.all(slopes.map((g) => g.data()))).flatMap((g) => [...g]));
  const terms = (changed: readonly Values[]) => {
    const scales = (changed.at(-1) as Values).data;
    const slope = derivative(
      (by) => reference(...changed.slice(0, -1).map((x, i) => moved(x, directions[i] as Float64Array, by))).data,
      {
        ...second,
        step: 1e-3,
      },
    );
    return slope.map((v, i) => v * (scales[i] as number));
  };
  for (const [i, leaf] of leaves.entries()) {
    const gradient = leaf.grad ? await leaf.grad.data() : new Float32Array(leaf.size);
    await compare(i, gradient, terms, [...inputs, weights], undefined, { ...second, size: norm(y.data), largest });
  }
}

function norm(list: ArrayLike<number>): number {
  return Math.sqrt(Array.from(list).reduce((sum, v) => sum + v * v, 0));
}

function largestOf(list: ArrayLike<number>): number {
  return Array.from(list).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
}

function gradientOf(leaves: readonly Tensor[], i: number): Tensor {
  const gradient = leaves[i]?.grad ?? null;
  ensure(gradient !== null, `input ${i} got no gradient`);
  return gradient;
}

function moved({ shape, data }: Values, direction: ArrayLike<number>, by: number): Values {
  return { shape, data: data.map((v, j) => v + by * (direction[j] as number)) };
}

/** The derivative at 0 of a list by one number. */
function derivative(f: (by: number) => Float64Array, { step, fivePoints }: Scheme): Float64Array {
  const [above, below] = [f(step), f(-step)];
  if (!fivePoints) return above.map((v, r) => (v - (below[r] as number)) / (2 * step));
  const [far, farBelow] = [f(2 * step), f(-2 * step)];
  return above.map(
    (v, r) => (8 * (v - (below[r] as number)) - ((far[r] as number) - (farBelow[r] as number))) / (12 * step),
  );
}

/** Compares the gradient of the sum of `termsOf` by input i with differences. */
async function compare(
  i: number,
  gradient: ArrayLike<number>,
  termsOf: (inputs: readonly Values[]) => Float64Array,
  inputs: readonly Values[],
  slopes: Float64Array | undefined,
  scheme: Scheme & { readonly size: number; readonly largest: number },
): Promise<void> {
  const input = inputs[i] as Values;
  const size = input.data.length;
  // A step as large as small inputs would lose their digits.
  const scale = Math.min(1, largestOf(input.data) || 1);
  const scaled = { ...scheme, step: scheme.step * scale };
  const noise = (scheme.noise / scale) * scheme.size;
  const largest = largestOf(gradient);
  const beyond = (j: number): number =>
    (slopes ? (slopes[j] as number) : ulps(scheme.defaultUnits, Math.max(scheme.largest, largest))) + 2 ** -126;
  const along = (direction: ArrayLike<number>): Float64Array =>
    derivative((by) => termsOf(inputs.map((x, k) => (k === i ? moved(x, direction, by) : x))), scaled);
  const verify = (what: string, value: number, expected: number, allowed: number): void => {
    const ratio = Math.abs(value - expected) / allowed;
    ensure(
      ratio <= 1,
      `${what} is ${value}, expected ${expected} within ${allowed.toPrecision(2)}: ${ratio.toPrecision(3)} times that`,
    );
    noteRatio(ratio);
  };
  let [most, spread] = [1, 0];
  for (const j of placesOf(size)) {
    const terms = along(Float64Array.from({ length: size }, (_, k) => Number(k === j)));
    const expected = terms.reduce((sum, v) => sum + v, 0);
    const squares = terms.reduce((sum, v) => sum + v * v, 0);
    const count = terms.reduce((sum, v) => sum + Number(v !== 0), 0);
    const allowed = sumError(count, expected, squares) + beyond(j) + noise;
    verify(`gradient ${j} of input ${i}`, gradient[j] as number, expected, allowed);
    [most, spread] = [Math.max(most, count), Math.max(spread, squares)];
  }
  const direction = randomSigns(size, 2 + i);
  const expected = along(direction).reduce((sum, v) => sum + v, 0);
  let [value, squares] = [0, 0];
  for (let j = 0; j < size; j++) {
    value += (gradient[j] as number) * (direction[j] as number);
    squares += (sumError(most, gradient[j] as number, spread) + beyond(j)) ** 2;
  }
  // The errors of the elements are independent of a random direction, so that their sum grows with the root of their number.
  verify(`gradient of input ${i} along a direction`, value, expected, 2 * Math.sqrt(squares) + 2 * noise);
}

function placesOf(size: number): readonly number[] {
  if (size <= smallSize) return Array.from({ length: size }, (_, j) => j);
  return Array.from({ length: sampleCount }, (_, k) => Math.floor(((k + 0.5) * size) / sampleCount));
}
