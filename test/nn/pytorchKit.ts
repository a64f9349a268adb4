// Builds PyTorch files byte by byte, valid and invalid: the operations of a pickle, and both file formats.

/** Bytes of a pickle. */
export type Code = readonly number[];

const uint32 = (value: number): Code => [...new Uint8Array(Uint32Array.of(value).buffer)];
const ascii = (text: string): Code => [...new TextEncoder().encode(text)];

export const text = (value: string): Code => [0x58, ...uint32(ascii(value).length), ...ascii(value)];
export const int = (value: number): Code =>
  Number.isSafeInteger(value) && value === (value | 0)
    ? [0x4a, ...uint32(value)]
    : [0x8a, 8, ...new Uint8Array(BigInt64Array.of(BigInt(value)).buffer)];
export const tuple = (...items: readonly Code[]): Code => [0x28, ...items.flat(), 0x74];
export const list = (...items: readonly Code[]): Code => [0x5d, 0x28, ...items.flat(), 0x65];
export const dict = (...items: readonly Code[]): Code => [0x7d, 0x28, ...items.flat(), 0x75];
export const global = (module: string, name: string): Code => [0x63, ...ascii(`${module}\n${name}\n`)];
export const call = (callee: Code, ...args: readonly Code[]): Code => [...callee, ...tuple(...args), 0x52];
export const keep = (index: number): Code => [0x72, ...uint32(index)];
export const kept = (index: number): Code => [0x6a, ...uint32(index)];
export const no: Code = [0x89];
export const orderedDict: Code = call(global('collections', 'OrderedDict'));

/** A storage by its persistent id. */
export const storage = (type = 'FloatStorage', key = '0', elements = 4, ...view: readonly Code[]): Code => [
  ...tuple(text('storage'), global('torch', type), text(key), text('cpu'), int(elements), ...view),
  0x51,
];

/** A tensor on a storage. */
export const tensor = (on: Code, shape: readonly number[], stride: readonly number[], offset = 0): Code =>
  call(
    global('torch._utils', '_rebuild_tensor_v2'),
    on,
    int(offset),
    tuple(...shape.map(int)),
    tuple(...stride.map(int)),
    no,
    orderedDict,
  );

/** A complete pickle in protocol 2. */
export const pickle = (...parts: readonly Code[]): Uint8Array => Uint8Array.from([0x80, 2, ...parts.flat(), 0x2e]);

/** An entry of a zip file, with false values for its headers. */
export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly compression?: number;
  readonly size?: number;
  readonly originalSize?: number;
}

/** A zip file of stored entries, without checksums, which PyTorch ignores too. */
export function zip(entries: readonly ZipEntry[]): Uint8Array {
  const header = (signature: number, entry: ZipEntry, at: number | null): Code => {
    const { name, bytes, compression = 0, size = bytes.length, originalSize = size } = entry;
    const common = new DataView(new ArrayBuffer(26));
    common.setUint16(0, 20, true);
    common.setUint16(4, compression, true);
    common.setUint32(14, size, true);
    common.setUint32(18, originalSize, true);
    common.setUint16(22, name.length, true);
    const place = at === null ? [] : [...new Array<number>(10).fill(0), ...uint32(at)];
    const made = at === null ? [] : [20, 0];
    return [...uint32(signature), ...made, ...new Uint8Array(common.buffer), ...place, ...ascii(name)];
  };
  const [out, directory]: [number[], number[]] = [[], []];
  for (const entry of entries) {
    directory.push(...header(0x02014b50, entry, out.length));
    out.push(...header(0x04034b50, entry, null));
    for (const byte of entry.bytes) out.push(byte);
  }
  const count = [entries.length & 255, entries.length >> 8];
  const end = [
    ...uint32(0x06054b50),
    0,
    0,
    0,
    0,
    ...count,
    ...count,
    ...uint32(directory.length),
    ...uint32(out.length),
  ];
  return Uint8Array.from([...out, ...directory, ...end, 0, 0]);
}

const bytesOf = (values: ArrayLike<number>): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);

/** Four float32 elements: the storage of these tests' tensors. */
export const four: Uint8Array = bytesOf([1, 2, 3, 4]);

/** A zip file as torch.save writes it. */
export function zipFile(code: Uint8Array, storages: Readonly<Record<string, Uint8Array>> = { 0: four }): Uint8Array {
  return zip([
    { name: 'archive/data.pkl', bytes: code },
    ...Object.entries(storages).map(([key, bytes]) => ({ name: `archive/data/${key}`, bytes })),
    { name: 'archive/version', bytes: Uint8Array.of(0x33, 0x0a) },
  ]);
}

/** Parts of a legacy file. */
export interface LegacyParts {
  readonly magic?: Code;
  readonly version?: number;
  readonly machine?: Code;
  readonly keys?: readonly string[];
  /** The counts and elements after the keys. */
  readonly elements?: Code;
}

export const magic: Code = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/** A storage of a legacy file: a count and its elements. */
export const counted = (bytes: Uint8Array, count: number): Code => [
  ...new Uint8Array(BigInt64Array.of(BigInt(count)).buffer),
  ...bytes,
];

/** A legacy file as torch.save wrote it. */
export function legacyFile(code: Uint8Array, parts: LegacyParts = {}): Uint8Array {
  const { version = 1001, machine = dict(text('little_endian'), [0x88]), keys = ['0'] } = parts;
  return Uint8Array.from([
    ...pickle(parts.magic ?? magic),
    ...pickle(int(version)),
    ...pickle(machine),
    ...code,
    ...pickle(list(...keys.map(text))),
    ...(parts.elements ?? counted(four, 4)),
  ]);
}
