// The safetensors format: 8 bytes of header length, a JSON header, then the tensors' bytes without holes.
// https://huggingface.co/docs/safetensors/index#format
import { type DType, ValueError } from '@mien/tensor';
import { expectOptions, kindOf } from '@mien/tensor/internal';
import { FormatError } from '../errors.ts';
import { expectHostTensor, expectState, type HostTensor, type StoredDtype } from '../state.ts';
import { encodings, type Stored } from './encodings.ts';

/** The format's own limit on its header. */
const headerLimit = 100_000_000;

type Bytes = Uint8Array<ArrayBuffer>;

/** How to write. */
export interface WriteOptions {
  /**
   * What float32 tensors are stored as, whatever their `storedDtype`: F16 halves the file and rounds to the nearest of 11
   * significant bits, BF16 of 8. Default: `storedDtype`, else F32.
   */
  readonly float32As?: 'F32' | 'F16' | 'BF16';
}

const ownDtypes: Readonly<Record<DType, StoredDtype>> = { float32: 'F32', int32: 'I32', uint32: 'U32', bool: 'BOOL' };

/** Tensors and string metadata, as a safetensors file holds them. */
export interface Safetensors {
  readonly tensors: ReadonlyMap<string, HostTensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** How to read. */
export interface ReadOptions {
  /** The file's name, for errors. */
  readonly file?: string;
  /** Whether a NaN among float values is refused; infinities are values, as masks have them. Default false. */
  readonly refuseNaN?: boolean;
}

/**
 * Reads a safetensors file. F16, BF16 and F64 become float32 (F64 rounds to it), U8 uint32, and I8, I16 and I64 int32; each
 * tensor's `storedDtype` is that of the file, and `writeSafetensors` writes it so again.
 * Throws FormatError, naming the file and the place, for anything that the format does not allow.
 */
export function readSafetensors(bytes: Uint8Array, options: ReadOptions = {}): Safetensors {
  expectOptions('readSafetensors', options, ['file', 'refuseNaN']);
  const { file = 'safetensors', refuseNaN = false } = options;
  if (!(bytes instanceof Uint8Array))
    throw new ValueError(`readSafetensors: expected the bytes of a file as a Uint8Array, got ${kindOf(bytes)}`);
  const refuse = (place: string, what: string): FormatError => new FormatError(`${file}: ${place}: ${what}`);
  const { header, start } = readHeader(bytes, refuse);
  const metadata = new Map<string, string>();
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') for (const pair of readMetadata(value, refuse)) metadata.set(...pair);
    else entries.push(readEntry(name, value, refuse));
  }
  expectNoHoles(entries, bytes.length - start, refuse);
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

type Refuse = (place: string, what: string) => FormatError;

interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly stored: StoredDtype;
  readonly from: number;
  readonly to: number;
}

function readHeader(bytes: Uint8Array, refuse: Refuse): { header: Readonly<Record<string, unknown>>; start: number } {
  if (bytes.length < 8) throw refuse('byte 0', `the file has ${bytes.length} bytes, a header length takes 8`);
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (length > headerLimit) throw refuse('byte 0', `a header of ${length} bytes; at most ${headerLimit} are allowed`);
  if (length > bytes.length - 8) {
    throw refuse(
      'byte 0',
      `a header of ${length} bytes, ${bytes.length - 8} follow; the file is cut short or not safetensors`,
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
  if (!isObject(value)) throw refuse('__metadata__', 'an object of strings is expected');
  return Object.entries(value).map(([key, text]) => {
    if (typeof text !== 'string')
      throw refuse(`__metadata__ ${key}`, `a string is expected, got ${JSON.stringify(text)}`);
    return [key, text];
  });
}

function readEntry(name: string, value: unknown, refuse: Refuse): Entry {
  const place = `tensor ${name}`;
  if (!isObject(value)) throw refuse(place, 'an object with dtype, shape and data_offsets is expected');
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isStoredDtype(dtype)) {
    throw refuse(
      place,
      `dtype ${JSON.stringify(dtype)} cannot be read; these can: ${Object.keys(encodings).join(', ')}`,
    );
  }
  if (!isSizes(shape)) throw refuse(place, `shape ${JSON.stringify(shape)} is not a list of sizes`);
  if (!isSizes(offsets) || offsets.length !== 2) {
    throw refuse(place, `data_offsets ${JSON.stringify(offsets)} are not two byte offsets`);
  }
  const [from, to] = offsets as [number, number];
  const expected = shape.reduce((product, size) => product * size, encodings[dtype].bytes);
  if (to - from !== expected) {
    throw refuse(
      place,
      `${dtype} [${shape.join(', ')}] takes ${expected} bytes, its data_offsets [${from}, ${to}] hold ${to - from}`,
    );
  }
  return { name, shape, stored: dtype, from, to };
}

/** The tensors' ranges, in order, must cover exactly the bytes after the header. */
function expectNoHoles(entries: readonly Entry[], available: number, refuse: Refuse): void {
  let end = 0;
  for (const { name, from, to } of [...entries].sort((a, b) => a.from - b.from || a.to - b.to)) {
    if (from < end)
      throw refuse(`tensor ${name}`, `starts at byte ${from} of the data, inside the tensor that ends at ${end}`);
    if (from > end)
      throw refuse(`tensor ${name}`, `starts at byte ${from} of the data, the tensor before it ends at ${end}`);
    if (to > available) {
      throw refuse(`tensor ${name}`, `ends at byte ${to} of the data, the file holds ${available}; it is cut short`);
    }
    end = to;
  }
  if (end !== available) throw refuse('data', `${available - end} bytes follow the last tensor`);
}

/**
 * Writes a safetensors file: each tensor as its `storedDtype`, else float32 as F32, int32 as I32, uint32 as U32 and bool as
 * BOOL. Equal tensors in equal order give equal bytes. Throws ValueError where data, dtype and shape disagree, and for a
 * value that the stored type does not reach.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, HostTensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
  options: WriteOptions = {},
): Bytes {
  expectState('writeSafetensors', tensors);
  if (!(metadata instanceof Map))
    throw new ValueError(`writeSafetensors: metadata must be a Map of texts, got ${kindOf(metadata)}`);
  expectOptions('writeSafetensors', options, ['float32As']);
  const { float32As } = options;
  const header: Record<string, unknown> = Object.create(null);
  if (metadata.size > 0) header.__metadata__ = metadataOf(metadata);
  const encoded = [...tensors].map(([name, tensor]) => {
    if (name === '__metadata__') throw new ValueError('writeSafetensors: no tensor can be named __metadata__');
    expectHostTensor(`writeSafetensors: ${name}`, tensor);
    expectConsistent(name, tensor);
    const { shape, dtype, storedDtype = ownDtypes[dtype] } = tensor;
    const stored = dtype === 'float32' ? (float32As ?? storedDtype) : storedDtype;
    return { name, shape, stored, elements: elements(name, tensor, stored) };
  });
  // Small elements come last, so that all lie at a multiple of their size.
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
  const own = Object.hasOwn(ownDtypes, dtype) ? encodings[ownDtypes[dtype]] : null;
  if (!own)
    throw new ValueError(
      `writeSafetensors: ${name} has the dtype ${kindOf(dtype)}; these are written: ${Object.keys(ownDtypes).join(', ')}`,
    );
  const kind = dtype === 'float32' ? Float32Array : dtype === 'int32' ? Int32Array : Uint32Array;
  if (!(data instanceof kind)) {
    throw new ValueError(
      `writeSafetensors: ${name} is ${dtype}, whose data must be a ${kind.name}, got ${kindOf(data)}`,
    );
  }
  if (!isSizes(shape)) throw new ValueError(`writeSafetensors: ${name} has the shape ${JSON.stringify(shape)}`);
  const size = shape.reduce((product, each) => product * each, 1);
  if (size === data.length) return;
  throw new ValueError(`writeSafetensors: ${name} [${shape.join(', ')}] takes ${size} elements, got ${data.length}`);
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

/** The elements as they are stored. */
function elements(name: string, { dtype, data }: HostTensor, stored: StoredDtype): Stored {
  const encoding = isStoredDtype(stored) ? encodings[stored] : null;
  if (encoding?.dtype !== dtype) {
    throw new ValueError(`writeSafetensors: ${name} is ${dtype}, which cannot be stored as ${kindOf(stored)}`);
  }
  const found = encoding.write(data);
  if (!('at' in found) || typeof found.at !== 'number') return found as Stored;
  const wider = dtype === 'float32' ? 'F32' : ownDtypes[dtype];
  throw new ValueError(
    `writeSafetensors: element ${found.at} of ${name} is ${data[found.at]}, out of range of ${stored}; write ${wider}`,
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
