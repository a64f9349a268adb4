// The format of torch.save before PyTorch 1.6, and of the reference's .t7 files: five pickles (magic number, version, machine,
// value, storage keys), then for each key an int64 count and the elements.
import { FormatError } from '../../errors.ts';
import { unpickle } from './pickle.ts';
import { Storages } from './storages.ts';
import { isList, type PickleValue, shown } from './values.ts';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const VERSION = 1001;

/** Whether bytes start with the pickle of the magic number. */
export function isLegacy(bytes: Uint8Array): boolean {
  const start = [0x80, bytes[1] ?? 0, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
  return start.every((byte, i) => bytes[i] === byte);
}

/** Reads the pickled value; its storages are filled. Throws FormatError. */
export function readLegacy(bytes: Uint8Array, file: string): PickleValue {
  const storages = new Storages();
  let offset = 0;
  const next = (): PickleValue => {
    const { value, end } = unpickle({ place: file, bytes, persistent: storages.persistent }, offset);
    offset = end;
    return value;
  };
  const [magic, version, machine, value] = [next(), next(), next(), next()];
  const refuse = (problem: string): FormatError => new FormatError(`${file}: byte ${offset}: ${problem}`);
  if (magic !== MAGIC) throw refuse(`unknown magic number ${shown(magic)}; it is not a PyTorch file`);
  if (version !== VERSION) throw refuse(`expected format version ${VERSION}, got ${shown(version)}`);
  if (machine instanceof Map && machine.get('little_endian') === false) {
    throw refuse('it was saved on a big-endian machine; save it again on a little-endian one');
  }
  const keys = next();
  if (!isList(keys)) throw refuse(`expected a list of storage keys, got ${shown(keys)}`);
  const pending = new Map(storages.roots().map((storage) => [storage.key, storage]));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const key of keys) {
    const storage = typeof key === 'string' ? pending.get(key) : undefined;
    if (!storage)
      throw refuse(`unexpected elements of storage ${shown(key)}, which no tensor uses or which is repeated`);
    pending.delete(storage.key);
    const size = storage.elements * storage.type.encoding.bytes;
    if (bytes.length - offset < 8 + size) {
      throw refuse(
        `storage ${shown(key)}: expected ${8 + size} bytes, got ${bytes.length - offset}; the file is truncated`,
      );
    }
    const count = view.getBigInt64(offset, true);
    if (count !== BigInt(storage.elements)) {
      throw refuse(`storage ${shown(key)}: expected ${storage.elements} elements, got ${count}`);
    }
    storage.fill(bytes.subarray(offset + 8, offset + 8 + size));
    offset += 8 + size;
  }
  const [missing] = pending.keys();
  if (missing !== undefined) {
    throw refuse(`the elements of storage ${shown(missing)} are missing; the file is truncated`);
  }
  return value;
}
