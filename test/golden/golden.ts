// Cases of *.golden.json: PyTorch's values, which make.py writes.
import { scope, type Tensor, tensor } from '@mien/tensor';
import { summed, ulps, type Values, within } from '@mien/tensor/reference';
import { near } from '@mien/tensor/testing';
import { test } from '../harness.ts';

/** A tensor as make.py writes it. */
export interface Stored {
  readonly shape: readonly number[];
  readonly data: readonly number[];
  readonly dtype?: 'int32';
}

/** One application of an operation: its output, and the gradients by its inputs for the output's gradient `dy`. */
export interface OperationCase {
  readonly name: string;
  readonly op: string;
  // biome-ignore lint/suspicious/noExplicitAny: operations have different options
  readonly options: any;
  readonly inputs: Readonly<Record<string, Stored>>;
  readonly y: Stored;
  readonly dy?: Stored;
  readonly gradients?: Readonly<Record<string, Stored>>;
}

/** Inputs by name; a case has those of its operation. */
export type Inputs = Readonly<
  Record<'x' | 'a' | 'b' | 'index' | 'src' | 'target' | 'query' | 'key' | 'value', Tensor>
> &
  Readonly<Partial<Record<'weight' | 'bias' | 'posWeight' | 'inWeight' | 'inBias' | 'outWeight' | 'outBias', Tensor>>>;

/** The same operation of ours. */
export type Call = (inputs: Inputs, options: OperationCase['options']) => Tensor;

/** The cases of a golden file. */
export function casesOf<Case>(file: unknown): readonly Case[] {
  return (file as { readonly cases: readonly Case[] }).cases;
}

/** A stored tensor on the device. */
export function load({ dtype, ...values }: Stored, requiresGrad = false): Tensor {
  return tensor(values, { dtype: dtype ?? 'float32', requiresGrad });
}

/** A stored tensor as `near` expects it. */
export function expected({ shape, data }: Stored): Values {
  return { shape, data: Float64Array.from(data) };
}

/** The allowed difference between our float32 and PyTorch's. */
interface Accuracy {
  /** Results are sums; nothing sums more than all elements of the largest tensor. */
  readonly sums: boolean;
  /** The magnitude of terms in PyTorch's formula, as 1 in 1 + erf(x): smaller results lose digits. */
  readonly least?: number;
}

/** Registers every case of a file whose operation is in `calls`: the output and each gradient are PyTorch's. */
export function agree(file: unknown, calls: Readonly<Record<string, Call>>, accuracy: Accuracy): void {
  for (const each of casesOf<OperationCase>(file)) {
    const call = calls[each.op];
    if (call) test(`${each.op} gives PyTorch's values ${each.name}`, () => compare(each, call, accuracy));
  }
}

async function compare(
  { inputs, options, y, dy, gradients = {} }: OperationCase,
  call: Call,
  { sums, least = 0 }: Accuracy,
): Promise<void> {
  const names = Object.keys(inputs);
  const [output, leaves] = scope(() => {
    const given = Object.fromEntries(names.map((name) => [name, load(inputs[name] as Stored, name in gradients)]));
    const result = call(given as Inputs, options);
    if (dy) result.backward(load(dy));
    return [result.detach(), given] as const;
  });
  try {
    const terms = Math.max(...[...Object.values(inputs), y].map(({ data }) => data.length));
    const close = (stored: Stored): Values =>
      sums ? summed(expected(stored), terms) : within(expected(stored), (v) => ulps(8, Math.max(Math.abs(v), least)));
    await near(output, close(y));
    for (const [name, gradient] of Object.entries(gradients)) {
      await near(leaves[name]?.grad as Tensor, close(gradient));
    }
  } finally {
    for (const each of [output, ...Object.values(leaves)]) each.dispose();
  }
}

/** The formula of make.py: noise(name, i) for i below `count`, times `scale`, plus `shift`, as the nearest float32. */
export function noise(name: string, count: number, scale = 1, shift = 0): Float32Array<ArrayBuffer> {
  let seed = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 0x01000193);
  return Float32Array.from({ length: count }, (_, i) => {
    let h = (seed + Math.imul(0x9e3779b9, i)) | 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h = (h ^ (h >>> 16)) >>> 8;
    return ((2 * h + 1) / 2 ** 24 - 1) * scale + shift;
  });
}
