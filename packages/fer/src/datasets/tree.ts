// Folders of image files, <split>/<class>/*.png|jpg or <class>/Training_*.png, as FER2013 is often passed on (Node only).
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError } from '@mien/nn';
import { decodePhoto, readPhotoFile } from '../photos/decode.ts';
import { grayBytes, resample } from '../photos/photo.ts';
import { type Faces, PIXELS, SIDE } from './faces.ts';
import { FER2013_CLASSES, FER2013_SPLITS } from './fer2013.ts';
import { isSystemName } from './hidden.ts';

// Names of folders, in small letters. A test folder is PrivateTest where there is a validation folder, else PublicTest.
const SPLIT_NAMES: Readonly<Record<string, string>> = {
  training: 'Training',
  train: 'Training',
  publictest: 'PublicTest',
  public: 'PublicTest',
  validation: 'PublicTest',
  valid: 'PublicTest',
  val: 'PublicTest',
  privatetest: 'PrivateTest',
  private: 'PrivateTest',
  test: 'test',
};

// What class folders are called, in label order; a number is the label itself.
const CLASS_NAMES: readonly (readonly string[])[] = [
  ['angry', 'anger', '0'],
  ['disgust', 'disgusted', '1'],
  ['fear', 'fearful', '2'],
  ['happy', 'happiness', '3'],
  ['sad', 'sadness', '4'],
  ['surprise', 'surprised', '5'],
  ['neutral', '6'],
];

const IMAGE = /\.(png|jpe?g|webp|bmp|tiff?)$/i;
const PREFIX = new RegExp(`^(${FER2013_SPLITS.join('|')})_`);
// Files that are decoded at the same time.
const TOGETHER = 32;

/** One image file of a tree. */
interface Entry {
  readonly source: string;
  readonly label: number;
  readonly split: string;
}

/** The split folders of `folder`, if it has any. */
export async function splitFolders(folder: string): Promise<string[]> {
  return (await foldersIn(folder)).filter((name) => name.toLowerCase() in SPLIT_NAMES);
}

/** Whether images in `folder`'s own class folders carry their split in their name, as `Training_123.jpg` does. */
export async function hasSplitNames(folder: string): Promise<boolean> {
  for (const name of await foldersIn(folder)) {
    if (classOf(name) === null) continue;
    const files = await readdir(join(folder, name));
    if (files.some((file) => PREFIX.test(file) && IMAGE.test(file) && !isSystemName(file))) return true;
  }
  return false;
}

/**
 * Reads a tree of image files with FER2013's classes: the splits from folders' names or files', the order split by
 * split, class by class and by name. Color becomes gray (0.299 R + 0.587 G + 0.114 B) and other sizes become 48x48;
 * `converted` counts both. Throws FormatError naming the file or folder.
 */
export async function readTree(folder: string, onShare: (share: number) => void = () => {}): Promise<Faces> {
  const { entries, hidden } = await entriesOf(folder);
  const images = new Uint8Array(entries.length * PIXELS);
  const converted = { color: 0, resized: 0 };
  for (let from = 0; from < entries.length; from += TOGETHER) {
    const some = entries.slice(from, from + TOGETHER);
    const decoded = await Promise.all(some.map(({ source }) => decode(join(folder, source))));
    for (const [i, { gray, color, resized }] of decoded.entries()) {
      images.set(gray, (from + i) * PIXELS);
      converted.color += Number(color);
      converted.resized += Number(resized);
    }
    onShare((from + some.length) / entries.length);
  }
  const rows = Int32Array.from(entries.keys());
  const splits = FER2013_SPLITS.map((name) => [name, rows.filter((row) => entries[row]?.split === name)]);
  return {
    dataset: 'fer2013',
    classes: FER2013_CLASSES,
    images,
    labels: Uint8Array.from(entries, ({ label }) => label),
    splits: Object.fromEntries(splits),
    sources: entries.map(({ source }) => source),
    converted,
    hidden,
  };
}

/** The images of a tree, and how many image files were skipped because an operating system hides them. */
async function entriesOf(folder: string): Promise<{ readonly entries: readonly Entry[]; readonly hidden: number }> {
  const splits = await splitFolders(folder);
  const found: Entry[] = [];
  let hidden = 0;
  for (const name of splits.length > 0 ? splits : ['']) {
    for (const inner of await foldersIn(join(folder, name))) {
      const label = classOf(inner);
      if (label === null) {
        throw new FormatError(
          `${join(folder, name, inner)}: a folder called ${inner} is no class of FER2013, expected ${FER2013_CLASSES.join(', ')} in any letter case`,
        );
      }
      for (const file of await readdir(join(folder, name, inner))) {
        if (!IMAGE.test(file)) continue;
        if (isSystemName(file)) {
          hidden++;
          continue;
        }
        const split = PREFIX.exec(file)?.[1] ?? SPLIT_NAMES[name.toLowerCase()];
        if (!split) {
          throw new FormatError(
            `${join(folder, name, inner, file)}: of no split, expected folders train and test around the classes, or names such as Training_1.png`,
          );
        }
        found.push({ source: [name, inner, file].filter((part) => part !== '').join('/'), label, split });
      }
    }
  }
  if (found.length === 0) throw new FormatError(`${folder}: no images in <split>/<class>/`);
  const validation = found.some(({ split }) => split === 'PublicTest');
  const entries = found.map((entry) =>
    entry.split === 'test' ? { ...entry, split: validation ? 'PrivateTest' : 'PublicTest' } : entry,
  );
  const rank = ({ split }: Entry): number => FER2013_SPLITS.indexOf(split);
  entries.sort(
    (a, b) => rank(a) - rank(b) || a.label - b.label || (a.source < b.source ? -1 : Number(a.source > b.source)),
  );
  return { entries, hidden };
}

function classOf(name: string): number | null {
  const label = CLASS_NAMES.findIndex((names) => names.includes(name.toLowerCase()));
  return label < 0 ? null : label;
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && !isSystemName(entry.name))
    .map((entry) => entry.name)
    .sort();
}

/** A picture of any format, size and color as `predict` would see it, in 48x48 gray bytes: its own, if that is what it holds. */
async function decode(path: string): Promise<{ gray: Uint8Array; color: boolean; resized: boolean }> {
  const { photo } = await decodePhoto(readPhotoFile(path), path);
  const { width, height, data } = photo;
  const whole = { left: 0, top: 0, width, height };
  return {
    gray: grayBytes(resample(photo, whole, SIDE, SIDE)),
    color: data.some((value, i) => value !== data[i - (i % 3)]),
    resized: width !== SIDE || height !== SIDE,
  };
}
