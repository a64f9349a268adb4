// FER2013: 48x48 faces as one CSV of `emotion,pixels,Usage` (Goodfellow et al. 2013, arXiv 1307.0414).
import { FormatError } from '@mien/nn';
import Papa from 'papaparse';
import { type Dataset, IMAGE_INTERVAL } from './dataset.ts';
import { type Faces, PIXELS, type Split } from './faces.ts';

/** The seven classes of FER2013, in label order. */
export const FER2013_CLASSES: readonly string[] = ['Angry', 'Disgust', 'Fear', 'Happy', 'Sad', 'Surprise', 'Neutral'];
/** The three splits, as the `Usage` column spells them. */
export const FER2013_SPLITS: readonly string[] = ['Training', 'PublicTest', 'PrivateTest'];

/** FER2013's row of the catalog. */
export const FER2013: Dataset<'fer2013'> = {
  name: 'fer2013',
  title: 'FER2013',
  classes: FER2013_CLASSES,
  splits: {
    training: { name: 'Training', option: 'training' },
    test: { name: 'PublicTest', option: 'public' },
    heldOut: { name: 'PrivateTest', option: 'private' },
  },
  folds: null,
  unit: { name: 'image', images: 1 },
  recipes: {
    reference: { epochs: 250, batchSize: 128, schedule: { kind: 'stepwise', after: 80, every: 5, factor: 0.9 } },
    // One view in the evaluation of each epoch: ten would take nearly half of the run's time.
    best: {
      epochs: 50,
      batchSize: 128,
      learningRate: 0.1,
      schedule: { kind: 'cosine', warmup: 2 },
      ema: 0.998,
      crops: 1,
      augmentation: { rotation: 12, scale: 0.1, shift: 4, light: 0.2, erasing: 0.25 },
    },
    networks: {
      nano: {
        epochs: 40,
        learningRate: 0.2,
        augmentation: { rotation: 8, scale: 0.05, shift: 3, light: 0.1, erasing: 0 },
      },
    },
  },
  hdf5: { parts: FER2013_SPLITS, image: [PIXELS] },
  prepare: {
    summary: 'Writes FER2013 as data.h5: Training_pixel, Training_label, PublicTest_*, PrivateTest_*.',
    input: 'a fer2013.csv, an HDF5 file, or a folder of train and test images',
    file: 'data.h5',
    ferplus: true,
  },
  pytorchTest: 'PublicTest',
  noisyLabels: true,
  interval: IMAGE_INTERVAL,
  caveats: () => [
    'The labels of FER2013 are noisy: people agree with 65 ± 5 % of them (Goodfellow et al. 2013), so that some of the mistakes are wrong labels.',
  ],
};

// A row of three-digit pixels has 9,230 characters. The limit keeps a file without line ends out of memory.
const LONGEST_LINE = 65_536;
const SPACE = 32;
const ZERO = 48;

/** A growing byte array, because the number of rows is unknown until the end of the file. */
class Bytes {
  #data = new Uint8Array(1 << 16);
  #length = 0;

  /** Adds room for `extra` bytes and returns their start. */
  grow(extra: number): number {
    const start = this.#length;
    if (start + extra > this.#data.length) this.reserve(Math.max(start + extra, 2 * this.#data.length));
    this.#length += extra;
    return start;
  }

  get data(): Uint8Array {
    return this.#data;
  }

  /** Reserves `length` bytes in total, which avoids copies. Reserved memory that is never written is not used. */
  reserve(length: number): void {
    if (length <= this.#data.length) return;
    const larger = new Uint8Array(length);
    larger.set(this.#data.subarray(0, this.#length));
    this.#data = larger;
  }

  /** The written bytes. */
  finish(): Uint8Array {
    return this.#data.subarray(0, this.#length);
  }
}

interface Columns {
  readonly emotion: number;
  readonly pixels: number;
  readonly usage: number;
}

/** Finds the three columns by trimmed name, in any order and letter case; other columns are ignored. */
function findColumns(header: readonly string[], file: string): Columns {
  const names = header.map((name) =>
    name
      .replace(/^\uFEFF/, '')
      .trim()
      .toLowerCase(),
  );
  const find = (name: string): number => {
    const index = names.indexOf(name);
    if (index < 0) {
      const columns = names.slice(0, 8).map((n) => n.slice(0, 40));
      throw new FormatError(
        `${file}, line 1: expected the columns emotion,pixels,Usage, got ${columns.join(',') || 'none'} without ${name}`,
      );
    }
    return index;
  };
  return { emotion: find('emotion'), pixels: find('pixels'), usage: find('usage') };
}

/** Writes the gray values of `text` to out[start ..]. Returns the problem of the text, or null. */
function readPixels(text: string, out: Uint8Array, start: number): string | null {
  let written = 0;
  let value = -1;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : SPACE;
    if (code >= ZERO && code <= ZERO + 9) {
      value = (value < 0 ? 0 : value * 10) + code - ZERO;
      if (value > 255) return `pixel ${written + 1} is over 255`;
    } else if (code === SPACE || code === 9) {
      if (value < 0) continue;
      if (written < PIXELS) out[start + written] = value;
      written++;
      value = -1;
    } else {
      return `pixel ${written + 1}: expected a digit, got ${JSON.stringify(text[i])}`;
    }
  }
  return written === PIXELS ? null : `expected ${PIXELS} pixels (48 x 48), got ${written}`;
}

/** Parses the text of a FER2013 file in chunks; `end` returns the faces. Throws FormatError with the line. */
export class Fer2013Reader {
  readonly #file: string;
  /** Characters of the file, if known, and characters read. */
  readonly #size: number | null;
  #read = 0;
  readonly #images = new Bytes();
  readonly #labels = new Bytes();
  readonly #splits: number[][] = FER2013_SPLITS.map(() => []);
  readonly #classes: readonly string[] = FER2013_CLASSES;
  #columns: Columns | null = null;
  #rest = '';
  #line = 0;

  /** `file` is its name in errors; `size`, the number of characters of the file, allows reserving memory for all images. */
  constructor(file: string, size: number | null = null) {
    this.#file = file;
    this.#size = size;
  }

  /** Parses the complete lines of `text` and keeps the rest for the next call. */
  push(text: string): void {
    const end = text.lastIndexOf('\n');
    if (end < 0) {
      this.#rest += text;
      this.#refuseLong();
      return;
    }
    const lines = this.#rest + text.slice(0, end + 1);
    this.#rest = text.slice(end + 1);
    this.#lines(lines);
    this.#refuseLong();
  }

  /** Parses the rest and returns the faces. */
  end(): Faces {
    if (this.#rest !== '') this.#lines(this.#rest);
    this.#rest = '';
    if (!this.#columns) throw new FormatError(`${this.#file}: expected emotion,pixels,Usage, got an empty file`);
    const labels = this.#labels.finish();
    if (labels.length === 0) throw new FormatError(`${this.#file}: expected rows after the header, got none`);
    const splits = FER2013_SPLITS.map((name, i) => [name, Int32Array.from(this.#splits[i] as number[])]);
    const images = this.#images.finish();
    return { dataset: FER2013.name, classes: this.#classes, images, labels, splits: Object.fromEntries(splits) };
  }

  #refuseLong(): void {
    if (this.#rest.length <= LONGEST_LINE) return;
    throw new FormatError(`${this.#file}, line ${this.#line + 1}: over ${LONGEST_LINE} characters without a line end`);
  }

  #lines(text: string): void {
    const unix = text.includes('\r') ? text.replaceAll('\r\n', '\n') : text;
    const { data } = Papa.parse<string[]>(unix, { delimiter: ',', newline: '\n' });
    // Papa returns an empty row after the final line end.
    if (data.at(-1)?.join() === '') data.pop();
    this.#read += text.length;
    const rows = this.#line + data.length;
    if (this.#size !== null && rows * PIXELS > this.#images.data.length) {
      // The number of rows by their mean length so far, plus 5 %; a row has at least two characters per pixel.
      const expected = Math.min(1.05 * rows * (this.#size / this.#read), this.#size / (2 * PIXELS) + 1);
      this.#images.reserve(Math.ceil(Math.max(rows, expected)) * PIXELS);
    }
    for (const row of data) {
      this.#line++;
      this.#row(row);
    }
  }

  #row(row: readonly string[]): void {
    if (!this.#columns) {
      this.#columns = findColumns(row, this.#file);
      return;
    }
    if (row.length === 1 && (row[0] as string).trim() === '') return;
    const { emotion, pixels, usage } = this.#columns;
    if (row.some((field) => field.includes('\n'))) this.#fail('a quotation mark is not closed');
    const labelText = row[emotion]?.trim() ?? '';
    const pixelText = row[pixels];
    const usageText = row[usage]?.trim();
    if (pixelText === undefined || usageText === undefined) {
      this.#fail(`expected ${Math.max(emotion, pixels, usage) + 1} columns, got ${row.length}`);
    }
    const label = /^\d+$/.test(labelText) ? Number(labelText) : -1;
    if (label < 0 || label >= this.#classes.length) {
      this.#fail(`emotion must be 0 to ${this.#classes.length - 1}, got ${JSON.stringify(labelText.slice(0, 40))}`);
    }
    const which = FER2013_SPLITS.indexOf(usageText);
    if (which < 0) {
      this.#fail(`Usage must be one of ${FER2013_SPLITS.join(', ')}, got ${JSON.stringify(usageText.slice(0, 40))}`);
    }
    const start = this.#images.grow(PIXELS);
    const problem = readPixels(pixelText, this.#images.data, start);
    if (problem) this.#fail(problem);
    const at = this.#labels.grow(1);
    this.#labels.data[at] = label;
    this.#splits[which]?.push(at);
  }

  #fail(problem: string): never {
    throw new FormatError(`${this.#file}, line ${this.#line}: ${problem}`);
  }
}

/** Parses the text of a FER2013 file; use `Fer2013Reader` for large files. */
export function parseFer2013(text: string, file = 'fer2013.csv'): Faces {
  const reader = new Fer2013Reader(file);
  reader.push(text);
  return reader.end();
}

/** The lines of a FER2013 file with their line ends, header first, byte for byte like Kaggle's file. */
export function* fer2013Lines(splits: readonly { readonly usage: string; readonly split: Split }[]): Generator<string> {
  yield 'emotion,pixels,Usage\n';
  for (const { usage, split } of splits) {
    for (const i of split.indices) {
      const pixels = split.faces.images.subarray(i * PIXELS, (i + 1) * PIXELS);
      yield `${split.faces.labels[i]},${pixels.join(' ')},${usage}\n`;
    }
  }
}
