// Batches from samples, as torch.utils.data.default_collate makes them.
import { type DType, ShapeError, Tensor, type TypedArray, ValueError } from '@mien/tensor';
import { expectList, kindOf } from '@mien/tensor/internal';
import { expectHostTensor, type HostTensor } from '../state.ts';

/** What `defaultCollate` makes of samples of this type. */
export type Collated<Sample> = Sample extends number | boolean | ArrayBufferView | HostTensor
  ? HostTensor
  : Sample extends string
    ? readonly string[]
    : Sample extends object
      ? { readonly [K in keyof Sample]: Collated<Sample[K]> }
      : never;

/**
 * Stacks samples along a new first dimension. Numbers become float32 [N] (labels: `to('int32')` in the training step), booleans
 * bool [N], typed arrays of n numbers [N, n], host tensors [N, ...shape]; strings become a list. Arrays and plain objects of these
 * become arrays and objects of the same fields. Throws ShapeError, which names the field, for other shapes or lengths.
 */
export function defaultCollate<Sample>(samples: readonly Sample[]): Collated<Sample> {
  expectList('defaultCollate', 'samples', samples);
  if (samples.length === 0) throw new ValueError('defaultCollate: expected at least one sample, got none');
  return collated(samples, 'the sample') as Collated<Sample>;
}

function collated(values: readonly unknown[], field: string): unknown {
  const [first] = values;
  if (typeof first === 'string') return strings(values, first, field);
  if (Array.isArray(first)) return collatedArrays(values, first, field);
  const host = hostOf(first);
  if (host) return stacked(values, host, field);
  if (isPlain(first)) return collatedObjects(values, first, field);
  throw new ValueError(
    `defaultCollate: ${field} must be a number, boolean, string, typed array or { shape, dtype, data }, or arrays and objects of these, got ${describe(first)}; pass collate`,
  );
}

/** Arrays field by field: the tuples of PyTorch. */
function collatedArrays(values: readonly unknown[], { length }: readonly unknown[], field: string): unknown[] {
  for (const [i, value] of values.entries()) {
    if (Array.isArray(value) && value.length === length) continue;
    const actual = Array.isArray(value) ? `an array of ${value.length}` : describe(value);
    throw new ShapeError(
      `defaultCollate: ${field} is an array of ${length} in the first sample of the batch and ${actual} in sample ${i}; make samples alike, or pass collate`,
    );
  }
  return Array.from({ length }, (_, k) =>
    collated(
      values.map((value) => (value as readonly unknown[])[k]),
      child(field, `[${k}]`),
    ),
  );
}

function collatedObjects(values: readonly unknown[], first: object, field: string): object {
  const keys = Object.keys(first);
  for (const [i, value] of values.entries()) {
    const actual = isPlain(value) ? Object.keys(value) : [];
    if (actual.length === keys.length && keys.every((key) => actual.includes(key))) continue;
    throw new ShapeError(
      `defaultCollate: ${field} has the fields ${keys.join(', ')} in the first sample of the batch and ${isPlain(value) ? actual.join(', ') || 'none' : describe(value)} in sample ${i}; make samples alike, or pass collate`,
    );
  }
  const entries = keys.map((key) => {
    const list = values.map((value) => (value as Record<string, unknown>)[key]);
    return [key, collated(list, child(field, field === 'the sample' ? key : `.${key}`))] as const;
  });
  return Object.fromEntries(entries);
}

function child(field: string, name: string): string {
  return field === 'the sample' ? `field ${name}` : `${field}${name}`;
}

/** Host tensors of equal shapes and dtypes, one after another. */
function stacked(values: readonly unknown[], first: HostTensor, field: string): HostTensor {
  const size = first.data.length;
  const array = first.data.constructor as new (length: number) => TypedArray;
  const data = new array(values.length * size);
  for (const [i, value] of values.entries()) {
    const host = hostOf(value);
    if (host?.dtype !== first.dtype || host.shape.join() !== first.shape.join()) {
      const [expected, actual] = [describe(first), describe(host ?? value)];
      throw new ShapeError(
        `defaultCollate: ${field} is ${expected} in the first sample of the batch and ${actual} in sample ${i}; crop, pad or convert the samples, or pass collate`,
      );
    }
    data.set(host.data, i * size);
  }
  return { shape: [values.length, ...first.shape], dtype: first.dtype, data };
}

/** A number, boolean, typed array or host tensor as a host tensor; null for anything else. */
function hostOf(value: unknown): HostTensor | null {
  if (typeof value === 'number') return { shape: [], dtype: 'float32', data: Float32Array.of(value) };
  if (typeof value === 'boolean') return { shape: [], dtype: 'bool', data: Uint32Array.of(Number(value)) };
  const dtype = dtypeOf(value);
  if (dtype) return { shape: [(value as TypedArray).length], dtype, data: value as TypedArray };
  if (typeof value !== 'object' || value === null || value instanceof Tensor) return null;
  if (!('shape' in value && 'dtype' in value && 'data' in value)) return null;
  expectHostTensor('defaultCollate', value);
  return value as HostTensor;
}

function dtypeOf(value: unknown): DType | null {
  if (value instanceof Float32Array) return 'float32';
  if (value instanceof Int32Array) return 'int32';
  return value instanceof Uint32Array ? 'uint32' : null;
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function strings(values: readonly unknown[], first: string, field: string): readonly unknown[] {
  const other = values.findIndex((value) => typeof value !== 'string');
  if (other < 0) return values;
  throw new ShapeError(
    `defaultCollate: ${field} is ${kindOf(first)} in the first sample of the batch and ${describe(values[other])} in sample ${other}; make samples alike, or pass collate`,
  );
}

function describe(value: unknown): string {
  if (value instanceof Tensor) return `a tensor on the device, ${value.dtype} [${value.shape.join(', ')}]`;
  const host = hostOf(value);
  if (host && typeof value === 'object') return `${host.dtype} [${host.shape.join(', ')}]`;
  if (ArrayBuffer.isView(value) && !dtypeOf(value)) return `a ${value.constructor.name}, which no dtype holds`;
  return kindOf(value);
}
