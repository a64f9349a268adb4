// The format of torch.save since PyTorch 1.6: an uncompressed zip file with a pickle and an entry per storage.
import { unzipSync } from 'fflate';
import { FormatError } from '../../errors.ts';
import { unpickle } from './pickle.ts';
import { Storages } from './storages.ts';
import type { PickleValue } from './values.ts';

/** Whether bytes start with the signature of a zip file. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
}

/** Reads the pickled value; its storages are filled. Throws FormatError. */
export function readZip(bytes: Uint8Array, file: string): PickleValue {
  const entries = unzip(bytes, file);
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  const [name] = pickles;
  if (name === undefined || pickles.length > 1) {
    throw new FormatError(`${file}: expected one entry NAME/data.pkl, got ${pickles.length}; it is not a PyTorch file`);
  }
  const folder = name.slice(0, -'data.pkl'.length);
  const order = entries.get(`${folder}byteorder`);
  if (order && new TextDecoder().decode(order) !== 'little') {
    throw new FormatError(
      `${file}: ${folder}byteorder: expected little-endian storages; save it again on a little-endian machine`,
    );
  }
  const storages = new Storages();
  const place = `${file}: ${name}`;
  const { value } = unpickle({ place, bytes: entries.get(name) as Uint8Array, persistent: storages.persistent });
  for (const storage of storages.roots()) {
    const entry = `${folder}data/${storage.key}`;
    const content = entries.get(entry);
    const size = storage.elements * storage.type.encoding.bytes;
    if (!content) throw new FormatError(`${file}: the entry ${entry} is missing, which the pickle refers to`);
    if (content.length < size) {
      throw new FormatError(
        `${file}: ${entry}: ${storage.elements} elements of ${storage.type.dtype} need ${size} bytes, got ${content.length}`,
      );
    }
    storage.fill(content.subarray(0, size));
  }
  return value;
}

/**
 * The entries by name. torch.save compresses none: compressed pickles and storages are refused, so that the entries are never
 * larger than the file.
 */
function unzip(bytes: Uint8Array, file: string): Map<string, Uint8Array> {
  const refuse = (problem: string): FormatError => new FormatError(`${file}: ${problem}`);
  const sizes = new Map<string, number>();
  let total = 0;
  const filter = ({ name, size, originalSize, compression }: Entry): boolean => {
    if (sizes.has(name)) throw refuse(`entry ${JSON.stringify(name)} is repeated; the zip file is damaged`);
    sizes.set(name, size);
    if (!/^[^/]+\/(data\.pkl|byteorder|data\/[^/]+)$/.test(name)) return false;
    if (compression !== 0 || size !== originalSize) {
      throw refuse(
        `entry ${JSON.stringify(name)} is compressed, which torch.save never does; unpack it and zip it with -0`,
      );
    }
    total += size;
    if (total > bytes.length) {
      throw refuse(`entry ${JSON.stringify(name)} has ${size} bytes, more than the file; it is truncated`);
    }
    return true;
  };
  let unzipped: Readonly<Record<string, Uint8Array>>;
  try {
    unzipped = unzipSync(bytes, { filter });
  } catch (reason) {
    if (reason instanceof FormatError) throw reason;
    throw refuse(`the zip file has no directory at its end; it is truncated or damaged`);
  }
  const entries = new Map(Object.entries(unzipped));
  for (const [name, content] of entries) {
    if (content.length !== sizes.get(name)) throw refuse(`entry ${JSON.stringify(name)} is truncated`);
  }
  return entries;
}

/** An entry's header, as fflate reports it. */
interface Entry {
  readonly name: string;
  readonly size: number;
  readonly originalSize: number;
  readonly compression: number;
}
