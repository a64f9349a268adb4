// How files hold elements, under safetensors' names, and what they become in host memory.
import type { DType } from '@mien/tensor';
import type { HostTensor } from '../state.ts';
import { halfToNumber } from './half.ts';

/** One type of element, little-endian. */
export interface Encoding {
  readonly bytes: number;
  readonly dtype: DType;
  /** The values of `count` elements, whose bytes start at 0 of a buffer of their own; null where one does not fit `dtype`. */
  read(buffer: ArrayBuffer, count: number): HostTensor['data'] | null;
}

export const encodings: Readonly<Record<string, Encoding>> = {
  F32: { bytes: 4, dtype: 'float32', read: (buffer) => new Float32Array(buffer) },
  F16: { bytes: 2, dtype: 'float32', read: (buffer) => Float32Array.from(new Uint16Array(buffer), halfToNumber) },
  BF16: {
    bytes: 2,
    dtype: 'float32',
    read: (buffer) => new Float32Array(Uint32Array.from(new Uint16Array(buffer), (bits) => bits << 16).buffer),
  },
  F64: { bytes: 8, dtype: 'float32', read: narrowFloat },
  I64: { bytes: 8, dtype: 'int32', read: narrow },
  I32: { bytes: 4, dtype: 'int32', read: (buffer) => new Int32Array(buffer) },
  I16: { bytes: 2, dtype: 'int32', read: (buffer) => Int32Array.from(new Int16Array(buffer)) },
  I8: { bytes: 1, dtype: 'int32', read: (buffer) => Int32Array.from(new Int8Array(buffer)) },
  U32: { bytes: 4, dtype: 'uint32', read: (buffer) => new Uint32Array(buffer) },
  U8: { bytes: 1, dtype: 'uint32', read: (buffer) => Uint32Array.from(new Uint8Array(buffer)) },
  BOOL: {
    bytes: 1,
    dtype: 'bool',
    read: (buffer) => Uint32Array.from(new Uint8Array(buffer), (byte) => Number(byte !== 0)),
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

/** The nearest float32; a finite number beyond its range has none. */
function narrowFloat(buffer: ArrayBuffer): Float32Array<ArrayBuffer> | null {
  const wide = new Float64Array(buffer);
  const values = Float32Array.from(wide);
  const lost = values.some((value, i) => !Number.isFinite(value) && Number.isFinite(wide[i]));
  return lost ? null : values;
}
