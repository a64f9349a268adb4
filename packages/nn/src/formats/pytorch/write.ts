// Writes files for torch.load: a zip file with a pickle of protocol 2, byte for byte that of torch.save, and an entry per
// storage.
import { Tensor, ValueError } from '@mien/tensor';
import { kindOf } from '@mien/tensor/internal';
import { zipSync } from 'fflate';
import type { HostTensor } from '../../state.ts';

/** A tensor to write. PyTorch keeps counts as int64, which Mien's operations do not support. */
export type WritableTensor =
  | HostTensor
  | { readonly shape: readonly number[]; readonly dtype: 'int64'; readonly data: BigInt64Array<ArrayBuffer> };

/** Values that can be written: a Map becomes an OrderedDict, as state dicts are, any other object a dict. */
export type Writable =
  | null
  | boolean
  | number
  | string
  | WritableTensor
  | readonly Writable[]
  | ReadonlyMap<string, Writable>
  | { readonly [key: string]: Writable };

/** Storage classes by dtype; PyTorch has none for uint32. */
const STORAGES: Readonly<Record<string, string>> = {
  float32: 'FloatStorage',
  int32: 'IntStorage',
  int64: 'LongStorage',
  bool: 'BoolStorage',
};

/** Storages start at multiples of this many bytes, as in torch.save, so that they can be memory-mapped. */
const ALIGNMENT = 64;

/** Bytes of a zip file's local header and of an extra field's, without names and data. */
const [LOCAL_HEADER, EXTRA_HEADER] = [30, 4];
/** The id of the extra field with which PyTorch pads: `FB`. */
const PADDING = 0x4246;

/**
 * The bytes of a file for `torch.load(file, weights_only=True)`. Equal values give equal bytes. Throws ValueError for uint32
 * tensors, and where data and shape disagree.
 */
export function writePytorch(value: Writable): Uint8Array<ArrayBuffer> {
  const pickler = new Pickler();
  const pickle = pickler.pickle(value);
  const storages = pickler.storages.map((bytes, key): [string, Uint8Array] => [`data/${key}`, bytes]);
  const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
  // A fixed local date, so that the bytes do not depend on time or time zone.
  const fixed = { level: 0, mtime: new Date(1980, 0, 1) } as const;
  const files: Record<string, [Uint8Array, object]> = {};
  let offset = 0;
  for (const [entry, bytes] of [
    ['data.pkl', pickle] as const,
    ['byteorder', utf8('little')] as const,
    ...storages,
    ['version', utf8('3\n')] as const,
  ]) {
    const name = `archive/${entry}`;
    const start = offset + LOCAL_HEADER + name.length + EXTRA_HEADER;
    const padding = (ALIGNMENT - (start % ALIGNMENT)) % ALIGNMENT;
    files[name] = [bytes, { ...fixed, extra: { [PADDING]: new Uint8Array(padding).fill(0x5a) } }];
    offset = start + padding + bytes.length;
  }
  return zipSync(files as Parameters<typeof zipSync>[0]);
}

/** torch.save sets the items of a dict in batches of this size. */
const BATCH = 1000;

class Pickler {
  readonly #bytes: number[] = [];
  /** Memo indices of strings and classes. */
  readonly #memo = new Map<string, number>();
  #memoSize = 0;
  readonly storages: Uint8Array[] = [];
  /** Storages by data: tensors that share data (tied weights) share it in the file. */
  readonly #storageOf = new Map<WritableTensor['data'], number>();

  pickle(value: Writable): Uint8Array {
    this.#code(0x80, 2);
    this.#value(value);
    this.#code(0x2e);
    return Uint8Array.from(this.#bytes);
  }

  #code(...bytes: readonly number[]): void {
    for (const byte of bytes) this.#bytes.push(byte);
  }

  #value(value: Writable): void {
    expectWritable(value);
    if (value === null) this.#code(0x4e);
    else if (typeof value === 'boolean') this.#code(value ? 0x88 : 0x89);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'string') this.#text(value);
    else if (isTensor(value)) this.#tensor(value);
    else if (Array.isArray(value)) this.#list(value);
    else if (value instanceof Map) this.#ordered([...value]);
    else {
      this.#code(0x7d);
      this.#memoize();
      this.#items(Object.entries(value));
    }
  }

  /** BININT1, BININT2 or BININT for integers that fit, else BINFLOAT. */
  #number(value: number): void {
    const isInteger = Number.isInteger(value) && value === (value | 0) && !Object.is(value, -0);
    if (isInteger && value >= 0 && value < 1 << 8) this.#code(0x4b, value);
    else if (isInteger && value >= 0 && value < 1 << 16) this.#code(0x4d, value & 255, value >> 8);
    else if (isInteger) this.#code(0x4a, ...new Uint8Array(Int32Array.of(value).buffer));
    else this.#code(0x47, ...new Uint8Array(Float64Array.of(value).buffer).reverse());
  }

  #text(text: string): void {
    if (this.#recall(text)) return;
    const bytes = new TextEncoder().encode(text);
    this.#code(0x58, ...new Uint8Array(Uint32Array.of(bytes.length).buffer));
    for (const byte of bytes) this.#bytes.push(byte);
    this.#memoize(text);
  }

  #global(module: string, name: string): void {
    const key = `${module}\n${name}\n`;
    if (this.#recall(key)) return;
    this.#code(0x63, ...new TextEncoder().encode(key));
    this.#memoize(key);
  }

  #list(items: readonly Writable[]): void {
    this.#code(0x5d);
    this.#memoize();
    this.#batches(items, 0x61, 0x65, (item) => this.#value(item));
  }

  #ordered(items: readonly (readonly [string, Writable])[]): void {
    this.#global('collections', 'OrderedDict');
    this.#code(0x29, 0x52);
    this.#memoize();
    this.#items(items);
  }

  #items(items: readonly (readonly [string, Writable])[]): void {
    this.#batches(items, 0x73, 0x75, ([key, value]) => {
      this.#text(key);
      this.#value(value);
    });
  }

  /** A batch of one item with the operation `one`, others between MARK and `many`. */
  #batches<T>(items: readonly T[], one: number, many: number, write: (item: T) => void): void {
    for (let start = 0; start < items.length; start += BATCH) {
      const batch = items.slice(start, start + BATCH);
      if (batch.length > 1) this.#code(0x28);
      for (const item of batch) write(item);
      this.#code(batch.length > 1 ? many : one);
    }
  }

  /** _rebuild_tensor_v2(storage by its persistent id, 0, shape, strides, requires_grad, hooks). */
  #tensor({ shape, dtype, data }: WritableTensor): void {
    const storage = STORAGES[dtype];
    if (!storage)
      throw new ValueError(`writePytorch: PyTorch has no ${dtype} storages; convert the tensor to int32 or float32`);
    const size = shape.reduce((product, each) => product * each, 1);
    if (size !== data.length) {
      throw new ValueError(`writePytorch: a tensor [${shape.join(', ')}] needs ${size} elements, got ${data.length}`);
    }
    this.#global('torch._utils', '_rebuild_tensor_v2');
    this.#code(0x28, 0x28);
    this.#text('storage');
    this.#global('torch', storage);
    const known = this.#storageOf.get(data);
    this.#text(String(known ?? this.storages.length));
    this.#text('cpu');
    this.#number(size);
    this.#code(0x74);
    this.#memoize();
    this.#code(0x51);
    this.#number(0);
    this.#sizes(shape);
    this.#sizes(shape.map((_, dim) => shape.slice(dim + 1).reduce((product, each) => product * Math.max(each, 1), 1)));
    this.#code(0x89);
    this.#ordered([]);
    this.#code(0x74);
    this.#memoize();
    this.#code(0x52);
    this.#memoize();
    if (known !== undefined) return;
    this.#storageOf.set(data, this.storages.length);
    this.storages.push(
      dtype === 'bool'
        ? Uint8Array.from(data as Uint32Array)
        : new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    );
  }

  #sizes(sizes: readonly number[]): void {
    if (sizes.length > 3) this.#code(0x28);
    for (const size of sizes) this.#number(size);
    this.#code([0x29, 0x85, 0x86, 0x87][sizes.length] ?? 0x74);
    if (sizes.length > 0) this.#memoize();
  }

  /** Memoizes the top of the stack, by `key` for #recall. */
  #memoize(key?: string): void {
    if (key !== undefined) this.#memo.set(key, this.#memoSize);
    const bytes = new Uint8Array(Uint32Array.of(this.#memoSize).buffer);
    if (this.#memoSize < 1 << 8) this.#code(0x71, this.#memoSize);
    else this.#code(0x72, ...bytes);
    this.#memoSize++;
  }

  /** Pushes the value memoized by `key`. False if there is none. */
  #recall(key: string): boolean {
    const index = this.#memo.get(key);
    if (index === undefined) return false;
    if (index < 1 << 8) this.#code(0x68, index);
    else this.#code(0x6a, ...new Uint8Array(Uint32Array.of(index).buffer));
    return true;
  }
}

/** Throws ValueError for what no file holds: tensors on the device, functions, undefined. */
function expectWritable(value: unknown): void {
  if (value === null || ['boolean', 'number', 'string'].includes(typeof value)) return;
  if (typeof value === 'object' && !(value instanceof Tensor)) return;
  const remedy = value instanceof Tensor ? '; copy tensors to the host first: await toHost(state)' : '';
  throw new ValueError(`writePytorch: expected host tensors, lists, dicts and numbers, got ${kindOf(value)}${remedy}`);
}

function isTensor(value: object): value is WritableTensor {
  return 'data' in value && ArrayBuffer.isView(value.data);
}
