// A case of the thorough check: one operation on one shape, and its gradient, against its float64 reference.
import type { Tensor } from '@mien/tensor';
import { gradcheck, near, random, toTensor } from '@mien/tensor/internal';
import type { Values } from '@mien/tensor/reference';

/** One comparison; `run` throws Mismatch if the adapter's result is wrong. */
export interface Case {
  /** Public name of the operation. */
  readonly operation: string;
  readonly run: () => Promise<void>;
}

type Op = (...inputs: Tensor[]) => Tensor;
type Reference = (...inputs: Values[]) => Values;

/** Compares an operation with its reference, and its gradients with finite differences of the reference. */
export function differentiable(operation: string, op: Op, reference: Reference, ...inputs: Values[]): Case {
  return {
    operation,
    run: async () => {
      await near(op(...inputs.map((x) => toTensor(x))), reference(...inputs));
      await gradcheck(op, reference, inputs);
    },
  };
}

/** Compares an operation with its reference. */
export function forward(operation: string, op: Op, reference: Reference, ...inputs: Values[]): Case {
  return { operation, run: async () => near(op(...inputs.map((x) => toTensor(x))), reference(...inputs)) };
}

/** Compares a tensor without inputs with its expected values. */
export function known(operation: string, make: () => Tensor, expected: () => Values): Case {
  return { operation, run: async () => near(make(), expected()) };
}

/** Reproducible random values from `min` to `max`, each exact in float32. */
export function sample(shape: readonly number[], seed: number, min = -2, max = 2): Values {
  const next = random(seed);
  const count = shape.reduce((product, size) => product * size, 1);
  const data = Float64Array.from({ length: count }, () => Math.fround(min + next() * (max - min)));
  return { shape, data };
}

/** Random integers in [min, end). */
export function integers(shape: readonly number[], seed: number, min: number, end: number): Values {
  const { data } = sample(shape, seed, min, end);
  return { shape, data: data.map((v) => Math.min(Math.floor(v), end - 1)) };
}

/** Values that differ by at least 1/8, in random order: for maxima, whose gradient is undefined at ties. */
export function distinct(shape: readonly number[], seed: number): Values {
  const { data } = sample(shape, seed);
  const order = Array.from(data.keys()).sort((i, j) => (data[i] as number) - (data[j] as number));
  const ranks = new Float64Array(data.length);
  for (const [rank, i] of order.entries()) ranks[i] = (rank - data.length / 2) / 8;
  return { shape, data: ranks };
}

/** Moves values within 1/16 of 0 away from it: for kinks and poles. */
export function awayFromZero({ shape, data }: Values): Values {
  return { shape, data: data.map((v) => (Math.abs(v) < 1 / 16 ? Math.fround(v + Math.sign(v || 1) / 8) : v)) };
}
