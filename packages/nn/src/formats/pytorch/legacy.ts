// The container of torch.save before PyTorch 1.6, and of the reference's .t7 files: five pickles (magic number, version,
// machine, value, keys of storages), then for each key an int64 count and the elements.
import { FormatError } from '../../errors.ts';
import { unpickle } from './pickle.ts';
import { Storages } from './storages.ts';
import { isList, type PickleValue, shown } from './values.ts';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const VERSION = 1001;

/** Whether bytes begin as such a file does: with the pickle of the magic number. */
export function isLegacy(bytes: Uint8Array): boolean {
  const start = [0x80, bytes[1] ?? 0, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
  return start.every((byte, i) => bytes[i] === byte);
}

/** Reads the pickled value; its storages are filled. Throws FormatError. */
export function readLegacy(bytes: Uint8Array, file: string): PickleValue {
  const storages = new Storages();
  let at = 0;
  const next = (): PickleValue => {
    const { value, end } = unpickle({ place: file, bytes, persistent: storages.persistent }, at);
    at = end;
    return value;
  };
  const [magic, version, machine, value] = [next(), next(), next(), next()];
  const refuse = (what: string): FormatError => new FormatError(`${file}: byte ${at}: ${what}`);
  if (magic !== MAGIC) throw refuse(`the magic number is ${shown(magic)}; no PyTorch file`);
  if (version !== VERSION) throw refuse(`version ${shown(version)} of the format, ${VERSION} is read`);
  if (machine instanceof Map && machine.get('little_endian') === false) {
    throw refuse('it was saved on a big-endian machine; save it again on another one');
  }
  const keys = next();
  if (!isList(keys)) throw refuse(`the storages' keys are ${shown(keys)}, a list is expected`);
  const left = new Map(storages.roots().map((storage) => [storage.key, storage]));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const key of keys) {
    const storage = typeof key === 'string' ? left.get(key) : undefined;
    if (!storage)
      throw refuse(`elements of the storage ${shown(key)} follow, which no tensor has or which came before`);
    left.delete(storage.key);
    const size = storage.elements * storage.type.encoding.bytes;
    if (bytes.length - at < 8 + size) {
      throw refuse(
        `storage ${shown(key)} takes ${8 + size} bytes and ${bytes.length - at} follow; the file is cut short`,
      );
    }
    const count = view.getBigInt64(at, true);
    if (count !== BigInt(storage.elements)) {
      throw refuse(`storage ${shown(key)} has ${count} elements, the pickle says ${storage.elements}`);
    }
    storage.fill(bytes.subarray(at + 8, at + 8 + size));
    at += 8 + size;
  }
  const [lost] = left.keys();
  if (lost !== undefined) throw refuse(`the elements of storage ${shown(lost)} are missing; the file is cut short`);
  return value;
}
