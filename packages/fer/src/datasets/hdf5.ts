// The reference's HDF5 files (Node only): data.h5 of FER2013 and CK_data.h5 of CK+, by the HDF5 library itself as WebAssembly.
import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync } from 'node:fs';
import { FormatError } from '@mien/nn';
import { FileError } from '@mien/nn/files';
import type { Dataset } from 'h5wasm/node';
import { CK_PLUS_CLASSES } from './ckplus.ts';
import { type Faces, PIXELS, SIDE } from './faces.ts';
import { FER2013_CLASSES, FER2013_SPLITS } from './fer2013.ts';
import { FER_PLUS_COLUMNS } from './ferplus.ts';
import { type FileSystem, refersTo, sealed } from './hdf5Sealed.ts';

type Library = typeof import('h5wasm/node');
type File5 = InstanceType<Library['File']>;

// Rows that are read at once: what HDF5 holds of them is twice this.
const ROWS = 2048;
const SIGNATURE = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** Whether a file begins as an HDF5 file does. Throws FileError where it cannot be read. */
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
    const ck = names.includes('data_pixel');
    const parts = ck ? ['data'] : FER2013_SPLITS.filter((split) => names.includes(`${split}_pixel`));
    if (parts.length === 0) {
      throw new FormatError(
        `${path}: an HDF5 file without Training_pixel or data_pixel (it holds ${names.slice(0, 5).join(', ') || 'nothing'}); mien prepare writes such files`,
      );
    }
    const classes = ck ? CK_PLUS_CLASSES : FER2013_CLASSES;
    return { dataset: ck ? 'ck+' : 'fer2013', classes, ...readParts(file, path, parts, classes.length, onShare) };
  } finally {
    file.close();
  }
}

interface Part {
  readonly pixels: Dataset;
  readonly labels: Dataset;
  readonly votes: Dataset | null;
  readonly rows: number;
}

function readParts(
  file: File5,
  path: string,
  names: readonly string[],
  classes: number,
  onShare: (share: number) => void,
): Pick<Faces, 'images' | 'labels' | 'splits' | 'votes'> {
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
            `${path}, ${name}_label, row ${from + row}: ${value}, expected an integer from 0 to ${classes - 1}`,
          );
        }
        labels[at + from + row] = label;
      }
      if (votes && counted) votes.set(slice(counted, from, to, path), (at + from) * FER_PLUS_COLUMNS.length);
      onShare((at + to) / total);
    }
    if (name !== 'data') splits[name] = Int32Array.from({ length: rows }, (_, row) => at + row);
    at += rows;
  }
  if (names[0] !== 'data') for (const name of FER2013_SPLITS) splits[name] ??= new Int32Array(0);
  return { images, labels, splits, ...(votes ? { votes } : {}) };
}

/** The data sets of one split, of fitting shapes and types. */
function part(file: File5, path: string, name: string): Part {
  const find = (what: string): Dataset | null => {
    const found = file.get(`${name}_${what}`);
    if (!found || !('shape' in found)) return null;
    // Read through a seal it would fail with a trace that the library prints itself.
    const [source] = (found as Dataset).metadata.virtual_sources ?? [];
    if (source) throw refersTo(source.file_name, path);
    return found as Dataset;
  };
  const [pixels, labels, votes] = [find('pixel'), find('label'), find('votes')];
  if (!pixels || !labels) throw new FormatError(`${path}: ${name}_pixel and ${name}_label, one of them is no data set`);
  const [rows = 0, ...rest] = pixels.shape ?? [];
  const fits = rest.length > 0 && rest.join() === (rest.length === 1 ? [PIXELS] : [SIDE, SIDE]).join();
  if (!fits || pixels.dtype !== '<B') {
    throw new FormatError(
      `${path}, ${name}_pixel: ${described(pixels)}, expected uint8 [images, ${SIDE}, ${SIDE}] or [images, ${PIXELS}]`,
    );
  }
  if (labels.shape?.join() !== String(rows) || !/^[<>][bBhHiIqQ]$/.test(String(labels.dtype))) {
    throw new FormatError(`${path}, ${name}_label: ${described(labels)}, expected integers [${rows}]`);
  }
  if (votes && (votes.shape?.join() !== `${rows},${FER_PLUS_COLUMNS.length}` || votes.dtype !== '<B')) {
    throw new FormatError(
      `${path}, ${name}_votes: ${described(votes)}, expected uint8 [${rows}, ${FER_PLUS_COLUMNS.length}]`,
    );
  }
  return { pixels, labels, votes, rows };
}

function described({ dtype, shape }: Dataset): string {
  return `${typeof dtype === 'string' ? dtype : 'a compound type'} [${shape?.join(', ') ?? ''}]`;
}

function slice(from: Dataset, start: number, end: number, path: string): Uint8Array {
  return opened(path, () => from.slice([[start, end]])) as Uint8Array;
}

/**
 * Writes faces as the reference's files: a data set of splits as `<split>_pixel` uint8 [n, 2304] and `<split>_label`
 * int64 [n], CK+ as `data_pixel` uint8 [n, 48, 48] and `data_label` int64 [n]; FER+ votes, where there are any, as
 * `<split>_votes` uint8 [n, 10]. It grows beside `path` and takes its place when it is complete. Throws FileError.
 */
export async function writeHdf5(path: string, faces: Faces): Promise<void> {
  const { File } = await library();
  const beside = `${path}.part`;
  try {
    // Opened by Node first: its words for a folder that is missing or closed are plainer than HDF5's.
    closeSync(openSync(beside, 'w'));
    const file = new File(beside, 'w');
    try {
      if (faces.dataset === 'ck+') put(file, 'data', faces, Int32Array.from(faces.labels.keys()), [SIDE, SIDE]);
      else for (const [name, rows] of Object.entries(faces.splits)) put(file, name, faces, rows, [PIXELS]);
    } finally {
      file.close();
    }
    const written = openSync(beside, 'r+');
    fsyncSync(written);
    closeSync(written);
    renameSync(beside, path);
  } catch (cause) {
    rmSync(beside, { force: true });
    throw new FileError(`${path}: cannot be written (${plain(cause)}); the earlier file, if any, is as it was`, {
      cause,
    });
  }
}

function put(file: File5, name: string, { images, labels, votes }: Faces, rows: Int32Array, image: number[]): void {
  // HDF5 by way of WebAssembly takes no empty data.
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

/** The given rows of a table, one after the other. */
function gather(table: Uint8Array, rows: Int32Array, width: number): Uint8Array {
  const out = new Uint8Array(rows.length * width);
  for (const [i, row] of rows.entries()) out.set(table.subarray(row * width, (row + 1) * width), i * width);
  return out;
}

/** The library, loaded when it is first needed; its errors are thrown instead of printed. */
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
    throw new FormatError(`${path}: not a whole HDF5 file (${plain(cause)}); make it anew with mien prepare`, {
      cause,
    });
  }
}

/** One line of an error: of HDF5's trace, what its innermost call says. */
function plain(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  const calls = [...message.matchAll(/ in \w+\(\): (.+)$/gm)];
  return calls.at(-1)?.[1] ?? (message.split('\n')[0] as string);
}
