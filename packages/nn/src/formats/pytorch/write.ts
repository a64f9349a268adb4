// Writes what torch.load reads: a zip file of a pickle in protocol 2 and an entry a storage, byte for byte the pickle that
// torch.save writes.
import { Tensor, ValueError } from '@mien/tensor';
import { kindOf } from '@mien/tensor/internal';
import { zipSync } from 'fflate';
import type { HostTensor } from '../../state.ts';

/** A tensor to be written; int64, which Mien computes nothing in, is there for counts that PyTorch keeps so. */
export type WritableTensor =
  | HostTensor
  | { readonly shape: readonly number[]; readonly dtype: 'int64'; readonly data: BigInt64Array<ArrayBuffer> };

/** What can be written: a Map becomes an OrderedDict, as state dicts are, and any other object a dict. */
export type Writable =
  | null
  | boolean
  | number
  | string
  | WritableTensor
  | readonly Writable[]
  | ReadonlyMap<string, Writable>
  | { readonly [key: string]: Writable };

/** Storage classes of what is written; PyTorch has no class for uint32. */
const STORAGES: Readonly<Record<string, string>> = {
  float32: 'FloatStorage',
  int32: 'IntStorage',
  int64: 'LongStorage',
  bool: 'BoolStorage',
};

/** Storages begin at multiples of this many bytes, as torch.save's do, so that they can be mapped into memory. */
const ALIGNMENT = 64;

/** The fixed parts of a zip file's local header, and of an extra field. */
const [LOCAL_HEADER, EXTRA_HEADER] = [30, 4];
/** The extra field that PyTorch pads with: `FB`. */
const PADDING = 0x4246;

/**
 * The bytes of a file that `torch.load(file, weights_only=True)` takes. Equal values give equal bytes. Throws ValueError for
 * uint32 tensors, and where data and shape disagree.
 */
export function writePytorch(value: Writable): Uint8Array<ArrayBuffer> {
  const pickler = new Pickler();
  const pickle = pickler.pickle(value);
  const storages = pickler.storages.map((bytes, key): [string, Uint8Array] => [`data/${key}`, bytes]);
  const text = (words: string): Uint8Array => new TextEncoder().encode(words);
  // A date without a time zone, so that the bytes are the same everywhere.
  const fixed = { level: 0, mtime: new Date(1980, 0, 1) } as const;
  const files: Record<string, [Uint8Array, object]> = {};
  let at = 0;
  for (const [entry, bytes] of [
    ['data.pkl', pickle] as const,
    ['byteorder', text('little')] as const,
    ...storages,
    ['version', text('3\n')] as const,
  ]) {
    const name = `archive/${entry}`;
    const start = at + LOCAL_HEADER + name.length + EXTRA_HEADER;
    const padding = (ALIGNMENT - (start % ALIGNMENT)) % ALIGNMENT;
    files[name] = [bytes, { ...fixed, extra: { [PADDING]: new Uint8Array(padding).fill(0x5a) } }];
    at = start + padding + bytes.length;
  }
  return zipSync(files as Parameters<typeof zipSync>[0]);
}

/** Sizes of batches in which torch.save sets the items of a dict. */
const BATCH = 1000;

class Pickler {
  readonly #bytes: number[] = [];
  /** Numbers of what will be asked for again: texts and classes. */
  readonly #memo = new Map<string, number>();
  #kept = 0;
  readonly storages: Uint8Array[] = [];
  /** The storage of each list of values: tensors that share one (tied weights) share it in the file. */
  readonly #stored = new Map<WritableTensor['data'], number>();

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
      this.#keep();
      this.#items(Object.entries(value));
    }
  }

  /** BININT1, BININT2 or BININT where it is one, else BINFLOAT. */
  #number(value: number): void {
    const whole = Number.isInteger(value) && value === (value | 0) && !Object.is(value, -0);
    if (whole && value >= 0 && value < 1 << 8) this.#code(0x4b, value);
    else if (whole && value >= 0 && value < 1 << 16) this.#code(0x4d, value & 255, value >> 8);
    else if (whole) this.#code(0x4a, ...new Uint8Array(Int32Array.of(value).buffer));
    else this.#code(0x47, ...new Uint8Array(Float64Array.of(value).buffer).reverse());
  }

  #text(text: string): void {
    if (this.#again(text)) return;
    const bytes = new TextEncoder().encode(text);
    this.#code(0x58, ...new Uint8Array(Uint32Array.of(bytes.length).buffer));
    for (const byte of bytes) this.#bytes.push(byte);
    this.#keep(text);
  }

  #global(module: string, name: string): void {
    const key = `${module}\n${name}\n`;
    if (this.#again(key)) return;
    this.#code(0x63, ...new TextEncoder().encode(key));
    this.#keep(key);
  }

  #list(items: readonly Writable[]): void {
    this.#code(0x5d);
    this.#keep();
    this.#batches(items, 0x61, 0x65, (item) => this.#value(item));
  }

  #ordered(items: readonly (readonly [string, Writable])[]): void {
    this.#global('collections', 'OrderedDict');
    this.#code(0x29, 0x52);
    this.#keep();
    this.#items(items);
  }

  #items(items: readonly (readonly [string, Writable])[]): void {
    this.#batches(items, 0x73, 0x75, ([key, value]) => {
      this.#text(key);
      this.#value(value);
    });
  }

  /** One item with the operation `one`, more between a mark and `many`. */
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
      throw new ValueError(`writePytorch: PyTorch has no ${dtype} storages; convert it to int32 or float32`);
    const size = shape.reduce((product, each) => product * each, 1);
    if (size !== data.length) {
      throw new ValueError(`writePytorch: a tensor [${shape.join(', ')}] takes ${size} elements, got ${data.length}`);
    }
    this.#global('torch._utils', '_rebuild_tensor_v2');
    this.#code(0x28, 0x28);
    this.#text('storage');
    this.#global('torch', storage);
    const known = this.#stored.get(data);
    this.#text(String(known ?? this.storages.length));
    this.#text('cpu');
    this.#number(size);
    this.#code(0x74);
    this.#keep();
    this.#code(0x51);
    this.#number(0);
    this.#sizes(shape);
    this.#sizes(shape.map((_, dim) => shape.slice(dim + 1).reduce((product, each) => product * Math.max(each, 1), 1)));
    this.#code(0x89);
    this.#ordered([]);
    this.#code(0x74);
    this.#keep();
    this.#code(0x52);
    this.#keep();
    if (known !== undefined) return;
    this.#stored.set(data, this.storages.length);
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
    if (sizes.length > 0) this.#keep();
  }

  /** Keeps what is on top of the stack, under `key` if it will be asked for again. */
  #keep(key?: string): void {
    if (key !== undefined) this.#memo.set(key, this.#kept);
    const bytes = new Uint8Array(Uint32Array.of(this.#kept).buffer);
    if (this.#kept < 1 << 8) this.#code(0x71, this.#kept);
    else this.#code(0x72, ...bytes);
    this.#kept++;
  }

  /** Pushes what was kept under `key`, if anything was. */
  #again(key: string): boolean {
    const found = this.#memo.get(key);
    if (found === undefined) return false;
    if (found < 1 << 8) this.#code(0x68, found);
    else this.#code(0x6a, ...new Uint8Array(Uint32Array.of(found).buffer));
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
