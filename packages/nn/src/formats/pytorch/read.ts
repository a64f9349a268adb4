// Reads what torch.save wrote, in either container.
import { ValueError } from '@mien/tensor';
import { expectOptions, kindOf } from '@mien/tensor/internal';
import { FormatError } from '../../errors.ts';
import { isLegacy, readLegacy } from './legacy.ts';
import { isList, type PickleValue, PytorchTensor, shown } from './values.ts';
import { isZip, readZip } from './zip.ts';

/** A file of torch.save. */
export interface PytorchFile {
  readonly format: 'zip' | 'legacy';
  /** All that was saved: tensors in dicts, lists and tuples, with numbers and texts. */
  readonly value: PickleValue;
  /** Every tensor under its path, keys and indices joined by dots: `net.features.0.weight`; a tensor alone is `tensor`. */
  readonly tensors: ReadonlyMap<string, PytorchTensor>;
}

/**
 * Reads a file of torch.save: state dicts and checkpoints, legacy or zip, strided and shared storages. Nothing in it is ever
 * run, and time and memory grow with its bytes only. Throws FormatError, naming `file` and the place, for anything else:
 * whole modules, TorchScript, names that weights have no use for, damaged files.
 */
export function readPytorch(bytes: Uint8Array, options: { readonly file?: string } = {}): PytorchFile {
  expectOptions('readPytorch', options, ['file']);
  if (!(bytes instanceof Uint8Array)) {
    throw new ValueError(`readPytorch: expected the bytes of a file as a Uint8Array, got ${kindOf(bytes)}`);
  }
  const { file = 'pytorch' } = options;
  const format = isZip(bytes) ? 'zip' : 'legacy';
  if (format === 'legacy' && !isLegacy(bytes)) throw new FormatError(`${file}: ${guess(bytes)}`);
  const value = format === 'zip' ? readZip(bytes, file) : readLegacy(bytes, file);
  return { format, value, tensors: tensorsOf(value, bytes.length, file) };
}

function guess(bytes: Uint8Array): string {
  const least = 15;
  if (bytes.length < least) return `byte 0: a file of ${bytes.length} bytes is none of torch.save's; it is cut short`;
  if (new TextDecoder('latin1').decode(bytes.subarray(257, 262)) === 'ustar') {
    return 'byte 0: a tar file, as PyTorch wrote before 0.1.10; load and save it with a later PyTorch';
  }
  return "byte 0: neither a zip file nor torch.save's older format";
}

/** Deeper than any state dict. */
const DEEPEST = 64;
const LONGEST_NAME = 1000;
/** Bytes of all tensors over those of the file: views may share elements, but not without end. */
const MOST_SHARED = 16;
const ALWAYS_ALLOWED = 1 << 20;

/** Walks the value; one that contains itself, or shares its parts to more values than the file has bytes, is refused. */
function tensorsOf(value: PickleValue, fileBytes: number, file: string): Map<string, PytorchTensor> {
  const found = new Map<string, PytorchTensor>();
  const refuse = (path: string, what: string): FormatError => {
    return new FormatError(`${file}: ${shown(path || 'value').slice(1, -1)}: ${what}`);
  };
  const open = new Set<PickleValue>();
  let [steps, bytes] = [0, 0];
  const walk = (each: PickleValue, path: string): void => {
    if (path.length > LONGEST_NAME) throw refuse(path, `a name of ${path.length} letters`);
    if (++steps > fileBytes) throw refuse(path, 'its values repeat each other to more than the size of the file');
    if (each instanceof PytorchTensor) {
      const name = path || 'tensor';
      if (found.has(name)) throw refuse(name, 'two tensors have this name');
      bytes += each.size * each.storage.type.encoding.bytes;
      if (bytes > MOST_SHARED * fileBytes + ALWAYS_ALLOWED) {
        throw refuse(name, `its tensors come to ${bytes} bytes, more than ${MOST_SHARED} times the file`);
      }
      found.set(name, each);
      return;
    }
    const items = each instanceof Map ? each : isList(each) ? each.entries() : null;
    if (!items) return;
    if (open.has(each)) throw refuse(path, 'it contains itself');
    if (open.size >= DEEPEST) throw refuse(path, `values inside each other more than ${DEEPEST} deep`);
    open.add(each);
    for (const [key, item] of items) walk(item, path ? `${path}.${nameOf(key)}` : nameOf(key));
    open.delete(each);
  };
  walk(value, '');
  return found;
}

/** A key as part of a name. */
function nameOf(key: PickleValue): string {
  return typeof key === 'string' ? key : shown(key);
}
