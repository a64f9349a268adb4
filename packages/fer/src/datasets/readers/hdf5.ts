// The reference's HDF5 files, data.h5 of FER2013 and CK_data.h5 of CK+, with the HDF5 library as WebAssembly (Node only).
import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync } from 'node:fs';
import { FormatError } from '@mien/nn';
import { FileError } from '@mien/nn/files';
import { ValueError } from '@mien/tensor';
import type { Dataset as Hdf5Dataset } from 'h5wasm/node';
import { CATALOG, datasetOf, splitNames } from '../catalog.ts';
import type { Dataset } from '../dataset.ts';
import { type Faces, PIXELS, SIDE } from '../faces.ts';
import { FER_PLUS_COLUMNS } from '../ferplus.ts';
import { type FileSystem, refersTo, sealed } from './hdf5Sealed.ts';

type Library = typeof import('h5wasm/node');
type File5 = InstanceType<Library['File']>;

// Rows per read; HDF5 buffers twice as many.
const ROWS = 2048;
const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** Whether a file has the signature of HDF5. Throws FileError for an unreadable file. */
export function isHdf5(path: string): boolean {
  const start = new Uint8Array(SIGNATURE.length);
  try {
    const file = openSync(path, 'r');
    try {
      readSync(file, start);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw new FileError(`${path}: cannot be read (${cause instanceof Error ? cause.message : cause})`, { cause });
  }
  return SIGNATURE.every((byte, i) => start[i] === byte);
}

/** Reads FER2013's data.h5 (`Training_pixel`, `Training_label`, ...) or CK+'s CK_data.h5 (`data_pixel`, `data_label`). Throws FormatError. */
export async function readHdf5(path: string, onShare: (share: number) => void = () => {}): Promise<Faces> {
  const { File, FS } = await library();
  return sealed(FS, path, () => readFile(File, path, onShare));
}

function readFile(File: Library['File'], path: string, onShare: (share: number) => void): Faces {
  const file = opened(path, () => new File(path, 'r'));
  try {
    const names = file.keys();
    const partsOf = ({ hdf5 }: Dataset): string[] =>
      hdf5?.parts.filter((part) => names.includes(`${part}_pixel`)) ?? [];
    const row = CATALOG.find((each) => partsOf(each).length > 0);
    if (!row) {
      throw new FormatError(
        `${path}: expected an HDF5 file with Training_pixel or data_pixel, got one with ${names.slice(0, 5).join(', ') || 'no data'}; create it with: mien prepare`,
      );
    }
    return { dataset: row.name, classes: row.classes, ...readParts(file, path, partsOf(row), row, onShare) };
  } finally {
    file.close();
  }
}

interface Part {
  readonly pixels: Hdf5Dataset;
  readonly labels: Hdf5Dataset;
  readonly votes: Hdf5Dataset | null;
  readonly rows: number;
}

function readParts(
  file: File5,
  path: string,
  names: readonly string[],
  row: Dataset,
  onShare: (share: number) => void,
): Pick<Faces, 'images' | 'labels' | 'splits' | 'votes'> {
  const classes = row.classes.length;
  const parts = names.map((name) => part(file, path, name));
  const total = parts.reduce((sum, { rows }) => sum + rows, 0);
  if (total === 0) throw new FormatError(`${path}: no images`);
  const images = new Uint8Array(total * PIXELS);
  const labels = new Uint8Array(total);
  const votes = parts.every((one) => one.votes) ? new Uint8Array(total * FER_PLUS_COLUMNS.length) : null;
  const splits: Record<string, Int32Array> = {};
  let at = 0;
  for (const [i, { pixels, labels: numbers, votes: counted, rows }] of parts.entries()) {
    const name = names[i] as string;
    for (let from = 0; from < rows; from += ROWS) {
      const to = Math.min(from + ROWS, rows);
      images.set(slice(pixels, from, to, path), (at + from) * PIXELS);
      for (const [row, value] of slice(numbers, from, to, path).entries()) {
        const label = Number(value);
        if (!(label >= 0 && label < classes && Number.isInteger(label))) {
          throw new FormatError(
            `${path}, ${name}_label, row ${from + row}: expected an integer from 0 to ${classes - 1}, got ${value}`,
          );
        }
        labels[at + from + row] = label;
      }
      if (votes && counted) votes.set(slice(counted, from, to, path), (at + from) * FER_PLUS_COLUMNS.length);
      onShare((at + to) / total);
    }
    splits[name] = Int32Array.from({ length: rows }, (_, row) => at + row);
    at += rows;
  }
  // A data set with folds has no splits; a missing split of another one is empty.
  const all = splitNames(row).map((split) => [split.name, splits[split.name] ?? new Int32Array(0)]);
  return { images, labels, splits: Object.fromEntries(all), ...(votes ? { votes } : {}) };
}

/** The data sets of one split, of fitting shapes and types. */
function part(file: File5, path: string, name: string): Part {
  const find = (what: string): Hdf5Dataset | null => {
    const found = file.get(`${name}_${what}`);
    if (!found || !('shape' in found)) return null;
    // Reading it would fail with a trace that the library prints itself.
    const [source] = (found as Hdf5Dataset).metadata.virtual_sources ?? [];
    if (source) throw refersTo(source.file_name, path);
    return found as Hdf5Dataset;
  };
  const [pixels, labels, votes] = [find('pixel'), find('label'), find('votes')];
  if (!pixels || !labels) throw new FormatError(`${path}: expected the data sets ${name}_pixel and ${name}_label`);
  const [rows = 0, ...rest] = pixels.shape ?? [];
  const fits = rest.length > 0 && rest.join() === (rest.length === 1 ? [PIXELS] : [SIDE, SIDE]).join();
  if (!fits || pixels.dtype !== '<B') {
    throw new FormatError(
      `${path}, ${name}_pixel: expected uint8 [images, ${SIDE}, ${SIDE}] or [images, ${PIXELS}], got ${described(pixels)}`,
    );
  }
  if (labels.shape?.join() !== String(rows) || !/^[<>][bBhHiIqQ]$/.test(String(labels.dtype))) {
    throw new FormatError(`${path}, ${name}_label: expected integers [${rows}], got ${described(labels)}`);
  }
  if (votes && (votes.shape?.join() !== `${rows},${FER_PLUS_COLUMNS.length}` || votes.dtype !== '<B')) {
    throw new FormatError(
      `${path}, ${name}_votes: expected uint8 [${rows}, ${FER_PLUS_COLUMNS.length}], got ${described(votes)}`,
    );
  }
  return { pixels, labels, votes, rows };
}

function described({ dtype, shape }: Hdf5Dataset): string {
  return `${typeof dtype === 'string' ? dtype : 'a compound type'} [${shape?.join(', ') ?? ''}]`;
}

function slice(from: Hdf5Dataset, start: number, end: number, path: string): Uint8Array {
  return opened(path, () => from.slice([[start, end]])) as Uint8Array;
}

/**
 * Writes faces as the reference's files: fixed splits as `<split>_pixel` uint8 [n, 2304] and `<split>_label` int64 [n], CK+
 * as `data_pixel` uint8 [n, 48, 48] and `data_label` int64 [n], and FER+ votes as `<split>_votes` uint8 [n, 10]. The file
 * is written beside `path` and renamed when it is complete. Throws FileError, or ValueError for a data set without HDF5 form.
 */
export async function writeHdf5(path: string, faces: Faces): Promise<void> {
  const row = datasetOf(faces.dataset);
  if (!row.hdf5) throw new ValueError(`writeHdf5: ${row.title} has no HDF5 form`);
  const { parts, image } = row.hdf5;
  const { File } = await library();
  const beside = `${path}.part`;
  try {
    // Opened by Node first, whose errors for a missing folder are clearer than HDF5's.
    closeSync(openSync(beside, 'w'));
    const file = new File(beside, 'w');
    try {
      const all = Int32Array.from(faces.labels.keys());
      for (const name of parts)
        put(file, name, faces, row.splits ? (faces.splits[name] ?? all.subarray(0, 0)) : all, image);
    } finally {
      file.close();
    }
    const written = openSync(beside, 'r+');
    fsyncSync(written);
    closeSync(written);
    renameSync(beside, path);
  } catch (cause) {
    rmSync(beside, { force: true });
    throw new FileError(`${path}: cannot be written (${plain(cause)}); an earlier file is unchanged`, {
      cause,
    });
  }
}

function put(
  file: File5,
  name: string,
  { images, labels, votes }: Faces,
  rows: Int32Array,
  image: readonly number[],
): void {
  // The library does not accept empty data sets.
  if (rows.length === 0) return;
  const pixels = gather(images, rows, PIXELS);
  file.create_dataset({ name: `${name}_pixel`, data: pixels, shape: [rows.length, ...image], dtype: '<B' });
  const numbers = BigInt64Array.from(rows, (row) => BigInt(labels[row] as number));
  file.create_dataset({ name: `${name}_label`, data: numbers, shape: [rows.length], dtype: '<q' });
  if (!votes) return;
  const columns = FER_PLUS_COLUMNS.length;
  const counted = gather(votes, rows, columns);
  file.create_dataset({ name: `${name}_votes`, data: counted, shape: [rows.length, columns], dtype: '<B' });
}

/** The given rows of a table. */
function gather(table: Uint8Array, rows: Int32Array, width: number): Uint8Array {
  const out = new Uint8Array(rows.length * width);
  for (const [i, row] of rows.entries()) out.set(table.subarray(row * width, (row + 1) * width), i * width);
  return out;
}

/** The library, loaded on first use; its errors are thrown instead of printed. */
async function library(): Promise<{ readonly File: Library['File']; readonly FS: FileSystem }> {
  const { File, ready } = await import('h5wasm/node');
  const module = await ready;
  module.activate_throwing_error_handler();
  return { File, FS: module.FS as unknown as FileSystem };
}

function opened<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new FormatError(`${path}: incomplete HDF5 file (${plain(cause)}); recreate it with: mien prepare`, {
      cause,
    });
  }
}

/** One line of an error: the innermost call of HDF5's trace. */
function plain(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  const calls = [...message.matchAll(/ in \w+\(\): (.+)$/gm)];
  return calls.at(-1)?.[1] ?? (message.split('\n')[0] as string);
}
