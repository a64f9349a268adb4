import { expectTensor, kindOf } from './arguments.ts';
import { DtypeError } from './errors.ts';

/** Element types; every one takes four bytes on the device (`bool` is stored as 0 or 1 in a `u32`). */
export type DType = 'float32' | 'int32' | 'uint32' | 'bool';

/** What host reads return for each dtype. */
export type TypedArray = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

/** The name of each dtype in WGSL. */
export const wgslType: Readonly<Record<DType, 'f32' | 'i32' | 'u32'>> = {
  float32: 'f32',
  int32: 'i32',
  uint32: 'u32',
  bool: 'u32',
};

const arrayType = {
  float32: Float32Array,
  int32: Int32Array,
  uint32: Uint32Array,
  bool: Uint32Array,
} as const satisfies Record<DType, unknown>;

/** The bytes of one element, of every dtype. */
export const bytesPerElement: number = 4;

/** Wraps `buffer` in the typed array of `dtype`. */
export function typedArray(dtype: DType, buffer: ArrayBuffer, length?: number): TypedArray {
  return new arrayType[dtype](buffer, 0, length);
}

/** Whether `dtype` represents this number; float32 rounds any number. */
export function holds(dtype: DType, value: number): boolean {
  if (dtype === 'float32') return true;
  if (dtype === 'bool') return value === 0 || value === 1;
  return (dtype === 'int32' ? value | 0 : value >>> 0) === value;
}

/**
 * Copies numbers into the typed array of `dtype`; for `bool`, every value other than 0 becomes 1. Throws DtypeError for numbers
 * that an integer type does not represent and for values of other types: nothing is silently rounded, wrapped or parsed.
 */
export function toTypedArray(dtype: DType, values: ArrayLike<number>): TypedArray {
  expectDtypeName('tensor', dtype);
  expectNumbers(values);
  if (dtype === 'float32') return Float32Array.from(values);
  const array = new arrayType[dtype](values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (dtype !== 'bool' && !holds(dtype, value)) {
      throw new DtypeError(`tensor: ${dtype} does not hold ${value} (element ${i}); round it, or use float32`);
    }
    array[i] = dtype === 'bool' ? Number(value !== 0) : value;
  }
  return array;
}

/** Throws DtypeError if a list contains values other than numbers: strings, holes, big integers, null. */
function expectNumbers(values: ArrayLike<number>): void {
  if (ArrayBuffer.isView(values)) {
    if (!(values instanceof BigInt64Array || values instanceof BigUint64Array || values instanceof DataView)) return;
    const kind = values.constructor.name;
    throw new DtypeError(
      `tensor: no dtype holds the values of a ${kind}; convert them: Int32Array.from(values, Number)`,
    );
  }
  for (let i = 0; i < values.length; i++) {
    if (typeof values[i] === 'number') continue;
    throw new DtypeError(`tensor: element ${i} must be a number, got ${kindOf(values[i])}; convert it with Number()`);
  }
}

/** Throws DtypeError unless `dtype` is one. */
export function expectDtypeName(operation: string, dtype: unknown): void {
  if (typeof dtype === 'string' && Object.hasOwn(wgslType, dtype)) return;
  throw new DtypeError(`${operation}: dtype must be ${Object.keys(wgslType).join(' or ')}, got ${kindOf(dtype)}`);
}

/** Throws DtypeError unless `x` has one of the dtypes `expected`, ValueError unless it is a tensor. */
export function expectDtype(operation: string, argument: string, x: { dtype: DType }, ...expected: DType[]): void {
  expectTensor(operation, argument, x);
  if (expected.includes(x.dtype)) return;
  throw new DtypeError(
    `${operation}: expected ${argument} to be ${expected.join(' or ')}, got ${x.dtype}; convert with to('${expected[0]}')`,
  );
}
