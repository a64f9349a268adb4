// Element types of files, by safetensors' names, and their conversion to and from host memory.
import type { DType, TypedArray } from '@mien/tensor';
import type { HostTensor, StoredDtype } from '../state.ts';
import { halfToNumber, numberToHalf } from './half.ts';

/** Elements of a file. */
export type Stored = TypedArray | Float64Array | BigInt64Array | Int16Array | Int8Array | Uint16Array | Uint8Array;

/** An element type, little-endian. */
export interface Encoding {
  readonly bytes: number;
  readonly dtype: DType;
  /** The values of `count` elements at the start of `buffer`; null if one does not fit `dtype`. */
  read(buffer: ArrayBuffer, count: number): HostTensor['data'] | null;
  /** `data` as elements, floats rounded to nearest; the index of the first value that is out of range, if any. */
  write(data: HostTensor['data']): Stored | { readonly at: number };
}

export const encodings: Readonly<Record<StoredDtype, Encoding>> = {
  F32: { bytes: 4, dtype: 'float32', read: (buffer) => new Float32Array(buffer), write: (data) => data },
  F16: {
    bytes: 2,
    dtype: 'float32',
    read: (buffer) => Float32Array.from(new Uint16Array(buffer), halfToNumber),
    write: (data) => narrowed(data, Uint16Array.from(data, numberToHalf), 0x7c00),
  },
  BF16: {
    bytes: 2,
    dtype: 'float32',
    read: (buffer) => new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer),
    write: (data) => narrowed(data, upperHalves(data), 0x7f80),
  },
  F64: { bytes: 8, dtype: 'float32', read: narrowFloat, write: (data) => Float64Array.from(data) },
  I64: { bytes: 8, dtype: 'int32', read: narrow, write: (data) => BigInt64Array.from(data, BigInt) },
  I32: { bytes: 4, dtype: 'int32', read: (buffer) => new Int32Array(buffer), write: (data) => data },
  I16: {
    bytes: 2,
    dtype: 'int32',
    read: (buffer) => Int32Array.from(new Int16Array(buffer)),
    write: (data) => exact(data, Int16Array.from(data)),
  },
  I8: {
    bytes: 1,
    dtype: 'int32',
    read: (buffer) => Int32Array.from(new Int8Array(buffer)),
    write: (data) => exact(data, Int8Array.from(data)),
  },
  U32: { bytes: 4, dtype: 'uint32', read: (buffer) => new Uint32Array(buffer), write: (data) => data },
  U8: {
    bytes: 1,
    dtype: 'uint32',
    read: (buffer) => Uint32Array.from(new Uint8Array(buffer)),
    write: (data) => exact(data, Uint8Array.from(data)),
  },
  BOOL: {
    bytes: 1,
    dtype: 'bool',
    read: (buffer) => Uint32Array.from(new Uint8Array(buffer), (byte) => Number(byte !== 0)),
    write: (data) => {
      const at = data.findIndex((value) => value !== 0 && value !== 1);
      return at < 0 ? Uint8Array.from(data) : { at };
    },
  },
};

function narrow(buffer: ArrayBuffer, count: number): Int32Array<ArrayBuffer> | null {
  const wide = new BigInt64Array(buffer);
  const values = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    values[i] = Number(wide[i]);
    if (BigInt(values[i] as number) !== wide[i]) return null;
  }
  return values;
}

/** The nearest float32 values; null if a finite number is out of range. */
function narrowFloat(buffer: ArrayBuffer): Float32Array<ArrayBuffer> | null {
  const wide = new Float64Array(buffer);
  const values = Float32Array.from(wide);
  const lost = values.some((value, i) => !Number.isFinite(value) && Number.isFinite(wide[i]));
  return lost ? null : values;
}

/** The upper 16 bits of each float32, rounded to nearest, ties to even; NaN stays NaN. */
function upperHalves(data: HostTensor['data']): Uint16Array {
  const bits = new Uint32Array(Float32Array.from(data).buffer);
  return Uint16Array.from(bits, (word) => {
    if ((word & 0x7fffffff) > 0x7f800000) return (word >>> 16) | 0x40;
    return (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  });
}

/** `halves`, unless a finite value became `infinity` (its bits): then the index of that value. */
function narrowed(data: HostTensor['data'], halves: Uint16Array, infinity: number): Uint16Array | { at: number } {
  const at = halves.findIndex((half, i) => (half & 0x7fff) === infinity && Number.isFinite(data[i]));
  return at < 0 ? halves : { at };
}

/** `stored`, unless a value did not fit: then its index. */
function exact<T extends Int16Array | Int8Array | Uint8Array>(data: HostTensor['data'], stored: T): T | { at: number } {
  const at = data.findIndex((value, i) => stored[i] !== value);
  return at < 0 ? stored : { at };
}
