// The values of a PyTorch file: plain values, tensors, and the storages that tensors view.
import type { HostTensor, StoredDtype } from '../../state.ts';
import { type Encoding, encodings } from '../encodings.ts';

/** A value of a pickle. Tuples are frozen arrays; dicts of every class are Maps. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly PickleValue[]
  | ReadonlyMap<PickleValue, PickleValue>
  | PytorchTensor
  | Storage
  | StorageType
  | Callable;

/** PyTorch's element types that can be read. */
export type PytorchDtype =
  | 'float64'
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'int64'
  | 'int32'
  | 'int16'
  | 'int8'
  | 'uint8'
  | 'bool';

/** A class of storages, such as torch.FloatStorage. */
export class StorageType {
  readonly dtype: PytorchDtype;
  readonly encoding: Encoding;

  constructor(dtype: PytorchDtype, encoding: StoredDtype) {
    this.dtype = dtype;
    this.encoding = encodings[encoding];
  }
}

/** Storage classes by name in PyTorch. */
export const storageTypes: ReadonlyMap<string, StorageType> = new Map([
  ['DoubleStorage', new StorageType('float64', 'F64')],
  ['FloatStorage', new StorageType('float32', 'F32')],
  ['HalfStorage', new StorageType('float16', 'F16')],
  ['BFloat16Storage', new StorageType('bfloat16', 'BF16')],
  ['LongStorage', new StorageType('int64', 'I64')],
  ['IntStorage', new StorageType('int32', 'I32')],
  ['ShortStorage', new StorageType('int16', 'I16')],
  ['CharStorage', new StorageType('int8', 'I8')],
  ['ByteStorage', new StorageType('uint8', 'U8')],
  ['BoolStorage', new StorageType('bool', 'BOOL')],
]);

/** Elements that tensors share; the container fills in its bytes after the pickle is read. */
export class Storage {
  readonly key: string;
  readonly type: StorageType;
  readonly elements: number;
  /** Its device when it was saved: `cpu`, `cuda:0`. */
  readonly location: string;
  /** The storage that this one views, and its first element there; null for a storage with bytes. */
  readonly of: { readonly root: Storage; readonly start: number } | null;
  #bytes: Uint8Array | null = null;

  constructor(key: string, type: StorageType, elements: number, location: string, of: Storage['of'] = null) {
    this.key = key;
    this.type = type;
    this.elements = elements;
    this.location = location;
    this.of = of;
  }

  /** Its bytes, once the container has filled them in. */
  get bytes(): Uint8Array {
    if (!this.of) return this.#bytes as Uint8Array;
    const size = this.type.encoding.bytes;
    return this.of.root.bytes.subarray(this.of.start * size, (this.of.start + this.elements) * size);
  }

  /** Sets its bytes: exactly `elements` of its type. */
  fill(bytes: Uint8Array): void {
    this.#bytes = bytes;
  }
}

/** A tensor of a PyTorch file: a strided view within a storage. Values are copied on request. */
export class PytorchTensor {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  /** In elements. */
  readonly stride: readonly number[];
  readonly size: number;

  constructor(storage: Storage, offset: number, shape: readonly number[], stride: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.stride = stride;
    this.size = shape.includes(0) ? 0 : shape.reduce((product, each) => product * each, 1);
  }

  get dtype(): PytorchDtype {
    return this.storage.type.dtype;
  }

  /** Its elements in order, little-endian, as PyTorch's `contiguous()` has them. */
  bytes(): Uint8Array<ArrayBuffer> {
    const { bytes: width } = this.storage.type.encoding;
    const from = this.storage.bytes;
    const isContiguous = this.stride.every((stride, dim) => stride === product(this.shape.slice(dim + 1)));
    if (isContiguous || this.size === 0) return from.slice(this.offset * width, (this.offset + this.size) * width);
    const to = new Uint8Array(this.size * width);
    const index = this.shape.map(() => 0);
    let at = this.offset * width;
    for (let element = 0; element < this.size; element++) {
      for (let byte = 0; byte < width; byte++) to[element * width + byte] = from[at + byte] as number;
      for (let dim = index.length - 1; dim >= 0; dim--) {
        const stride = (this.stride[dim] as number) * width;
        index[dim] = (index[dim] as number) + 1;
        at += stride;
        if ((index[dim] as number) < (this.shape[dim] as number)) break;
        at -= stride * (this.shape[dim] as number);
        index[dim] = 0;
      }
    }
    return to;
  }

  /** Its values: float types as float32, int types as int32, uint8 as uint32; null if one is out of range. */
  toHost(): HostTensor | null {
    const { dtype, read } = this.storage.type.encoding;
    const data = read(this.bytes().buffer, this.size);
    return data && { shape: this.shape, dtype, data };
  }
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((all, each) => all * each, 1);
}

/** A class or function that a pickle may call. Its code is here, never in the file. */
export class Callable {
  readonly name: string;
  /** The result of a call. Throws an error of `refuse` for unexpected arguments. */
  readonly call: (args: readonly PickleValue[], refuse: Refuse) => PickleValue;

  constructor(name: string, call: Callable['call']) {
    this.name = name;
    this.call = call;
  }
}

/** An error with the file and the place in it. */
export type Refuse = (problem: string) => Error;

/** Whether a value is a list or a tuple; Array.isArray does not narrow readonly arrays. */
export function isList(value: PickleValue | undefined): value is readonly PickleValue[] {
  return Array.isArray(value);
}

/** A value in an error: short and escaped, as files are not trusted. */
export function shown(value: PickleValue | undefined): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);
  if (value === undefined) return 'nothing';
  if (isList(value)) return `a ${Object.isFrozen(value) ? 'tuple' : 'list'} of ${value.length}`;
  if (value instanceof Map) return 'a dict';
  if (value instanceof PytorchTensor) return 'a tensor';
  if (value instanceof Storage) return 'a storage';
  if (value instanceof StorageType) return `the class of ${value.dtype} storages`;
  if (value instanceof Callable) return value.name;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  return String(value).slice(0, 60);
}
