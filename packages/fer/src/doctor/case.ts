// A case of the thorough check: one operation on one shape, with its gradient, against its definition in float64.
import type { Tensor } from '@mien/tensor';
import { gradcheck, near, random, toTensor } from '@mien/tensor/compare';
import type { Values } from '@mien/tensor/reference';

/** One comparison; `run` throws Mismatch where the adapter is wrong. */
export interface Case {
  /** The public name of what is checked. */
  readonly operation: string;
  readonly run: () => Promise<void>;
}

type Op = (...inputs: Tensor[]) => Tensor;
type Reference = (...inputs: Values[]) => Values;

/** Compares an operation with its reference, and its gradient by each input with differences of the reference. */
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

/** Compares what `made` gives with values that are known. */
export function known(operation: string, made: () => Tensor, expected: () => Values): Case {
  return { operation, run: async () => near(made(), expected()) };
}

/** Numbers of a shape between `min` and `max`, each exactly a float32: the same ones for the same seed. */
export function sample(shape: readonly number[], seed: number, min = -2, max = 2): Values {
  const next = random(seed);
  const count = shape.reduce((product, size) => product * size, 1);
  const data = Float64Array.from({ length: count }, () => Math.fround(min + next() * (max - min)));
  return { shape, data };
}

/** Whole numbers of a shape from `min` to below `end`. */
export function whole(shape: readonly number[], seed: number, min: number, end: number): Values {
  const { data } = sample(shape, seed, min, end);
  return { shape, data: data.map((v) => Math.min(Math.floor(v), end - 1)) };
}

/** Numbers of a shape that differ by 1/8 at least, in a random order: for maxima, whose derivative jumps at ties. */
export function distinct(shape: readonly number[], seed: number): Values {
  const { data } = sample(shape, seed);
  const order = Array.from(data.keys()).sort((i, j) => (data[i] as number) - (data[j] as number));
  const ranks = new Float64Array(data.length);
  for (const [rank, i] of order.entries()) ranks[i] = (rank - data.length / 2) / 8;
  return { shape, data: ranks };
}

/** The numbers, none of them within 1/16 of 0. */
export function offZero({ shape, data }: Values): Values {
  return { shape, data: data.map((v) => (Math.abs(v) < 1 / 16 ? Math.fround(v + Math.sign(v || 1) / 8) : v)) };
}
