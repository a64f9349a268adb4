// Lists the content of a PyTorch file (Node only).
import { readFile } from '@mien/nn/files';
import { type PickleValue, type PytorchFile, PytorchTensor, readPytorch } from '@mien/nn/pytorch';
import { round } from '../../runs/accuracy.ts';

/** Numbers and texts beside the weights. */
export type Values = Readonly<Record<string, string | number | boolean>>;

/** A tensor of a PyTorch file, with statistics of its finite values. */
export interface ListedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly min: number | null;
  readonly mean: number | null;
  readonly max: number | null;
  /** Number of NaN and infinite values. */
  readonly notFinite: number;
}

/** The content of a PyTorch file. */
export interface PytorchListing {
  readonly file: string;
  readonly format: PytorchFile['format'];
  readonly values: Values;
  readonly tensors: readonly ListedTensor[];
}

/** Lists the tensors of a PyTorch file. Throws FormatError. */
export function listPytorch(file: string): PytorchListing {
  const { format, value, tensors } = readPytorch(readFile(file), { file });
  return { file, format, values: valuesOf(value), tensors: Array.from(tensors, listed) };
}

function listed([name, tensor]: readonly [string, PytorchTensor]): ListedTensor {
  const { shape, dtype } = tensor;
  const data = tensor.toHost()?.data ?? new Float32Array();
  let [min, sum, max, count] = [Infinity, 0, -Infinity, 0];
  for (const value of data) {
    if (!Number.isFinite(value)) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    count++;
  }
  const known = count > 0;
  return {
    name,
    shape,
    dtype,
    min: known ? min : null,
    mean: known ? sum / count : null,
    max: known ? max : null,
    notFinite: data.length - count,
  };
}

/** Numbers and texts at the top level; the reference stores accuracies as tensors with one element. */
export function valuesOf(value: PickleValue): Values {
  if (!(value instanceof Map)) return {};
  const found: [string, string | number | boolean][] = [];
  for (const [key, each] of value) {
    const plain = each instanceof PytorchTensor && each.size === 1 ? each.toHost()?.data[0] : each;
    if (typeof key !== 'string') continue;
    if (typeof plain === 'number') found.push([key, Number.isInteger(plain) ? plain : round(plain, 4)]);
    else if (typeof plain === 'string' || typeof plain === 'boolean') found.push([key, plain]);
  }
  return Object.fromEntries(found);
}
