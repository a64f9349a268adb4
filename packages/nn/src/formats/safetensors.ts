// The safetensors format: 8 bytes of header length, a JSON header, then the tensors' bytes without gaps.
// https://huggingface.co/docs/safetensors/index#format
import { type DType, ValueError } from '@mien/tensor';
import { expectOptions, kindOf } from '@mien/tensor/internal';
import { FormatError } from '../errors.ts';
import { expectHostTensor, expectState, type HostTensor, type StoredDtype } from '../state.ts';
import { encodings, type Stored } from './encodings.ts';

/** The format's limit on the header's length. */
const headerLimit = 100_000_000;

type Bytes = Uint8Array<ArrayBuffer>;

/** Options of writeSafetensors. */
export interface WriteOptions {
  /**
   * The element type of float32 tensors, instead of their `storedDtype`. F16 halves the file and rounds to 11 significant
   * bits, BF16 to 8. Default: `storedDtype`, else F32.
   */
  readonly float32As?: 'F32' | 'F16' | 'BF16';
}

const defaultStored: Readonly<Record<DType, StoredDtype>> = {
  float32: 'F32',
  int32: 'I32',
  uint32: 'U32',
  bool: 'BOOL',
};

/** The tensors and metadata of a safetensors file. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, HostTensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Options of readSafetensors. */
export interface ReadOptions {
  /** The file's name in errors. Default `safetensors`. */
  readonly file?: string;
  /** Whether NaN is refused; infinities are not, as masks hold them. Default false. */
  readonly refuseNaN?: boolean;
}

/**
 * Reads a safetensors file. F16, BF16 and F64 become float32 (F64 is rounded), U8 becomes uint32, and I8, I16 and I64 become
 * int32; `storedDtype` keeps the file's type for `writeSafetensors`. Throws FormatError, naming the file and the place, for
 * anything that violates the format.
 */
export function readSafetensors(bytes: Uint8Array, options: ReadOptions = {}): Safetensors {
  expectOptions('readSafetensors', options, ['file', 'refuseNaN']);
  const { file = 'safetensors', refuseNaN = false } = options;
  if (!(bytes instanceof Uint8Array))
    throw new ValueError(`readSafetensors: expected the bytes of a file as a Uint8Array, got ${kindOf(bytes)}`);
  const refuse = (place: string, problem: string): FormatError => new FormatError(`${file}: ${place}: ${problem}`);
  const { header, start } = readHeader(bytes, refuse);
  const metadata = new Map<string, string>();
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') for (const pair of readMetadata(value, refuse)) metadata.set(...pair);
    else entries.push(readEntry(name, value, refuse));
  }
  expectNoGaps(entries, bytes.length - start, refuse);
  const tensors = new Map<string, HostTensor>();
  for (const { name, shape, stored, from, to } of entries) {
    const encoding = encodings[stored];
    const data = encoding.read(
      new Uint8Array(bytes.subarray(start + from, start + to)).buffer,
      (to - from) / encoding.bytes,
    );
    if (!data) {
      const wide = encoding.dtype === 'int32' ? 'I64' : 'F64';
      throw refuse(`tensor ${name}`, `an ${wide} value does not fit ${encoding.dtype}`);
    }
    if (refuseNaN && data instanceof Float32Array) {
      const at = data.findIndex(Number.isNaN);
      if (at >= 0) throw refuse(`tensor ${name}`, `element ${at} is NaN`);
    }
    tensors.set(name, { shape, dtype: encoding.dtype, data, storedDtype: stored });
  }
  return { tensors, metadata };
}

type Refuse = (place: string, problem: string) => FormatError;

interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly stored: StoredDtype;
  readonly from: number;
  readonly to: number;
}

function readHeader(bytes: Uint8Array, refuse: Refuse): { header: Readonly<Record<string, unknown>>; start: number } {
  if (bytes.length < 8) throw refuse('byte 0', `expected at least 8 bytes, got ${bytes.length}`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > headerLimit) throw refuse('byte 0', `expected a header of at most ${headerLimit} bytes, got ${length}`);
  if (length > bytes.length - 8) {
    throw refuse(
      'byte 0',
      `expected a header of ${length} bytes, got ${bytes.length - 8}; the file is truncated or not safetensors`,
    );
  }
  let header: unknown;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(8, 8 + length));
    if (!text.startsWith('{')) throw new SyntaxError('it does not start with {');
    header = JSON.parse(text);
  } catch (reason) {
    throw refuse('header', `not JSON in UTF-8 (${reason instanceof Error ? reason.message : reason})`);
  }
  return { header: header as Readonly<Record<string, unknown>>, start: 8 + length };
}

function readMetadata(value: unknown, refuse: Refuse): readonly [string, string][] {
  if (!isObject(value)) throw refuse('__metadata__', `expected an object of strings, got ${kindOf(value)}`);
  return Object.entries(value).map(([key, text]) => {
    if (typeof text !== 'string') throw refuse(`__metadata__ ${key}`, `expected a string, got ${JSON.stringify(text)}`);
    return [key, text];
  });
}

function readEntry(name: string, value: unknown, refuse: Refuse): Entry {
  const place = `tensor ${name}`;
  if (!isObject(value))
    throw refuse(place, `expected an object with dtype, shape and data_offsets, got ${kindOf(value)}`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isStoredDtype(dtype)) {
    throw refuse(place, `dtype must be one of ${Object.keys(encodings).join(', ')}, got ${JSON.stringify(dtype)}`);
  }
  if (!isSizes(shape)) throw refuse(place, `shape must be a list of sizes, got ${JSON.stringify(shape)}`);
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw refuse(place, `data_offsets must be two byte offsets, got ${JSON.stringify(offsets)}`);
  }
  const [from, to] = offsets as [number, number];
  const expected = shape.reduce((product, size) => product * size, encodings[dtype].bytes);
  if (to - from !== expected) {
    throw refuse(
      place,
      `${dtype} [${shape.join(', ')}] needs ${expected} bytes, its data_offsets [${from}, ${to}] have ${to - from}`,
    );
  }
  return { name, shape, stored: dtype, from, to };
}

/** Throws unless the tensors' ranges cover exactly the bytes after the header, without overlaps. */
function expectNoGaps(entries: readonly Entry[], available: number, refuse: Refuse): void {
  let end = 0;
  for (const { name, from, to } of [...entries].sort((a, b) => a.from - b.from || a.to - b.to)) {
    if (from < end)
      throw refuse(`tensor ${name}`, `starts at byte ${from} of the data, before the previous tensor ends (${end})`);
    if (from > end)
      throw refuse(
        `tensor ${name}`,
        `starts at byte ${from} of the data, after a gap: the previous tensor ends at ${end}`,
      );
    if (to > available) {
      throw refuse(`tensor ${name}`, `ends at byte ${to} of the data, the file has ${available}; it is truncated`);
    }
    end = to;
  }
  if (end !== available) throw refuse('data', `${available - end} extra bytes after the last tensor`);
}

/**
 * The bytes of a safetensors file. Tensors are stored as their `storedDtype`, else float32 as F32, int32 as I32, uint32 as U32
 * and bool as BOOL. Equal tensors in equal order give equal bytes. Throws ValueError where data, dtype and shape disagree, and
 * for values out of the stored type's range.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, HostTensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
  options: WriteOptions = {},
): Bytes {
  expectState('writeSafetensors', tensors);
  if (!(metadata instanceof Map))
    throw new ValueError(`writeSafetensors: metadata must be a Map of strings, got ${kindOf(metadata)}`);
  expectOptions('writeSafetensors', options, ['float32As']);
  const { float32As } = options;
  const header: Record<string, unknown> = Object.create(null);
  if (metadata.size > 0) header.__metadata__ = metadataOf(metadata);
  const encoded = [...tensors].map(([name, tensor]) => {
    if (name === '__metadata__')
      throw new ValueError('writeSafetensors: __metadata__ is reserved by the format; rename the tensor');
    expectHostTensor(`writeSafetensors: ${name}`, tensor);
    expectConsistent(name, tensor);
    const { shape, dtype, storedDtype = defaultStored[dtype] } = tensor;
    const stored = dtype === 'float32' ? (float32As ?? storedDtype) : storedDtype;
    return { name, shape, stored, elements: elements(name, tensor, stored) };
  });
  // Larger elements come first, so that each tensor starts at a multiple of its element size.
  encoded.sort((a, b) => b.elements.BYTES_PER_ELEMENT - a.elements.BYTES_PER_ELEMENT);
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const { name, shape, stored, elements } of encoded) {
    const part = new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);
    header[name] = { dtype: stored, shape, data_offsets: [end, end + part.length] };
    parts.push(part);
    end += part.length;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const start = 8 + Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(start + end).fill(0x20, 8, start);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.set(json, 8);
  let at = start;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Throws ValueError unless data, dtype and shape agree. */
function expectConsistent(name: string, { shape, dtype, data }: HostTensor): void {
  const encoding = Object.hasOwn(defaultStored, dtype) ? encodings[defaultStored[dtype]] : null;
  if (!encoding)
    throw new ValueError(
      `writeSafetensors: ${name} must have one of the dtypes ${Object.keys(defaultStored).join(', ')}, got ${kindOf(dtype)}`,
    );
  const kind = dtype === 'float32' ? Float32Array : dtype === 'int32' ? Int32Array : Uint32Array;
  if (!(data instanceof kind)) {
    throw new ValueError(
      `writeSafetensors: ${name} is ${dtype}, so its data must be a ${kind.name}, got ${kindOf(data)}`,
    );
  }
  if (!isSizes(shape))
    throw new ValueError(`writeSafetensors: ${name} must have a shape of sizes, got ${JSON.stringify(shape)}`);
  const size = shape.reduce((product, each) => product * each, 1);
  if (size === data.length) return;
  throw new ValueError(`writeSafetensors: ${name} [${shape.join(', ')}] needs ${size} elements, got ${data.length}`);
}

function metadataOf(metadata: ReadonlyMap<string, string>): Record<string, string> {
  const object: Record<string, string> = Object.create(null);
  for (const [key, text] of metadata) {
    if (typeof text !== 'string')
      throw new ValueError(`writeSafetensors: metadata ${key} must be a string, got ${kindOf(text)}`);
    object[key] = text;
  }
  return object;
}

/** The tensor's values in the stored type. */
function elements(name: string, { dtype, data }: HostTensor, stored: StoredDtype): Stored {
  const encoding = isStoredDtype(stored) ? encodings[stored] : null;
  if (encoding?.dtype !== dtype) {
    throw new ValueError(`writeSafetensors: ${name} is ${dtype} and cannot be stored as ${kindOf(stored)}`);
  }
  const written = encoding.write(data);
  if (!('at' in written) || typeof written.at !== 'number') return written as Stored;
  const wider = dtype === 'float32' ? 'F32' : defaultStored[dtype];
  throw new ValueError(
    `writeSafetensors: element ${written.at} of ${name} is ${data[written.at]}, out of range of ${stored}; store it as ${wider}`,
  );
}

function isStoredDtype(value: unknown): value is StoredDtype {
  return typeof value === 'string' && Object.hasOwn(encodings, value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((each) => Number.isSafeInteger(each) && each >= 0);
}
