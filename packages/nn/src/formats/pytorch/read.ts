// Reads files of torch.save, in the zip and the legacy format.
import { ValueError } from '@mien/tensor';
import { expectOptions, kindOf } from '@mien/tensor/internal';
import { FormatError } from '../../errors.ts';
import { isLegacy, readLegacy } from './legacy.ts';
import { isList, type PickleValue, PytorchTensor, shown } from './values.ts';
import { isZip, readZip } from './zip.ts';

/** A file of torch.save. */
export interface PytorchFile {
  readonly format: 'zip' | 'legacy';
  /** The saved value: tensors in dicts, lists and tuples, with numbers and strings. */
  readonly value: PickleValue;
  /** Every tensor by its path of keys and indices, `net.features.0.weight`; a single tensor is `tensor`. */
  readonly tensors: ReadonlyMap<string, PytorchTensor>;
}

/**
 * Reads a file of torch.save: state dicts and checkpoints, with strided and shared storages. No code in it is run, and time
 * and memory are proportional to its size. Throws FormatError, naming `file` and the place, for pickled modules, TorchScript,
 * names that weights do not need, and damaged files.
 */
export function readPytorch(bytes: Uint8Array, options: { readonly file?: string } = {}): PytorchFile {
  expectOptions('readPytorch', options, ['file']);
  if (!(bytes instanceof Uint8Array)) {
    throw new ValueError(`readPytorch: expected the bytes of a file as a Uint8Array, got ${kindOf(bytes)}`);
  }
  const { file = 'pytorch' } = options;
  const format = isZip(bytes) ? 'zip' : 'legacy';
  if (format === 'legacy' && !isLegacy(bytes)) throw new FormatError(`${file}: byte 0: ${guess(bytes)}`);
  const value = format === 'zip' ? readZip(bytes, file) : readLegacy(bytes, file);
  return { format, value, tensors: tensorsOf(value, bytes.length, file) };
}

function guess(bytes: Uint8Array): string {
  const least = 15;
  if (bytes.length < least) return `expected at least ${least} bytes, got ${bytes.length}; the file is truncated`;
  if (new TextDecoder('latin1').decode(bytes.subarray(257, 262)) === 'ustar') {
    return 'it is a tar file of PyTorch before 0.1.10; load and save it with a later PyTorch';
  }
  return "it is neither a zip file nor torch.save's legacy format";
}

/** Deeper than any state dict. */
const MAX_DEPTH = 64;
const MAX_NAME_LENGTH = 1000;
/** The limit on the bytes of all tensors, as a multiple of the file's: views share elements. */
const MAX_EXPANSION = 16;
/** Bytes that are allowed for any file. */
const ALWAYS_ALLOWED = 1 << 20;

/** The tensors of a value. Refuses one that contains itself, or repeats parts to more values than the file has bytes. */
function tensorsOf(value: PickleValue, fileBytes: number, file: string): Map<string, PytorchTensor> {
  const tensors = new Map<string, PytorchTensor>();
  const refuse = (path: string, problem: string): FormatError => {
    return new FormatError(`${file}: ${shown(path || 'value').slice(1, -1)}: ${problem}`);
  };
  const open = new Set<PickleValue>();
  let [steps, bytes] = [0, 0];
  const walk = (each: PickleValue, path: string): void => {
    if (path.length > MAX_NAME_LENGTH)
      throw refuse(path, `expected a name of at most ${MAX_NAME_LENGTH} characters, got ${path.length}`);
    if (++steps > fileBytes) throw refuse(path, 'its values repeat each other to more than the size of the file');
    if (each instanceof PytorchTensor) {
      const name = path || 'tensor';
      if (tensors.has(name)) throw refuse(name, 'two tensors have this name');
      bytes += each.size * each.storage.type.encoding.bytes;
      if (bytes > MAX_EXPANSION * fileBytes + ALWAYS_ALLOWED) {
        throw refuse(name, `its tensors have ${bytes} bytes, more than ${MAX_EXPANSION} times the file`);
      }
      tensors.set(name, each);
      return;
    }
    const items = each instanceof Map ? each : isList(each) ? each.entries() : null;
    if (!items) return;
    if (open.has(each)) throw refuse(path, 'it contains itself');
    if (open.size >= MAX_DEPTH) throw refuse(path, `values are nested more than ${MAX_DEPTH} deep`);
    open.add(each);
    for (const [key, item] of items) walk(item, path ? `${path}.${nameOf(key)}` : nameOf(key));
    open.delete(each);
  };
  walk(value, '');
  return tensors;
}

/** A key as part of a name. */
function nameOf(key: PickleValue): string {
  return typeof key === 'string' ? key : shown(key);
}
