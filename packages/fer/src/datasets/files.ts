// Data sets on disk (Node only), told apart by what they are; hdf5.ts and tree.ts read two of the kinds.
import { once } from 'node:events';
import { createReadStream, createWriteStream, type Stats } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { FormatError } from '@mien/nn';
import { readFile as readFileOf } from '@mien/nn/files';
import { PNG } from 'pngjs';
import { CK_PLUS_CLASSES } from './ckplus.ts';
import { type Faces, PIXELS, SIDE, type Split } from './faces.ts';
import { Fer2013Reader, fer2013Lines } from './fer2013.ts';
import { type FerPlus, parseFerPlus } from './ferplus.ts';
import { refuseOtherKinds } from './fileKind.ts';
import { isHdf5, readHdf5 } from './hdf5.ts';
import { isSystemName } from './hidden.ts';
import { hasSplitNames, readTree, splitFolders } from './tree.ts';

/** Reads a fer2013.csv in pieces: memory grows with the images only. `onBytes` hears how far the file is read. */
export async function readFer2013(path: string, onBytes?: (read: number, total: number) => void): Promise<Faces> {
  const total = (await information(path)).size;
  const reader = new Fer2013Reader(path, total);
  let read = 0;
  const stream = createReadStream(path, { encoding: 'latin1', highWaterMark: 1 << 20 });
  for await (const piece of stream) {
    // The bytes of a byte order mark read one by one as Latin-1; everything else in the format is ASCII.
    reader.push(read === 0 ? (piece as string).replace(/^\u00EF\u00BB\u00BF/, '') : (piece as string));
    read += (piece as string).length;
    onBytes?.(read, total);
  }
  return reader.end();
}

/** Reads a CK+48 folder: classes in label order, file names sorted inside each class, 8-bit gray 48x48 PNG files. */
export async function readCkPlus(folder: string): Promise<Faces> {
  const found = await ckPlusFolders(folder);
  const missing = CK_PLUS_CLASSES.filter((name) => !found.includes(name));
  if (missing.length > 0) {
    throw new FormatError(
      `${folder}: no folder called ${missing.join(', ')}; a CK+48 folder holds ${CK_PLUS_CLASSES.join(', ')}`,
    );
  }
  const images: Uint8Array[] = [];
  const labels: number[] = [];
  const sources: string[] = [];
  let hidden = 0;
  for (const [label, name] of CK_PLUS_CLASSES.entries()) {
    const pngs = (await readdir(join(folder, name))).filter((file) => file.toLowerCase().endsWith('.png')).sort();
    const files = pngs.filter((file) => !isSystemName(file));
    hidden += pngs.length - files.length;
    if (files.length === 0) throw new FormatError(`${join(folder, name)}: no PNG files`);
    for (const file of files) {
      images.push(await readGrayPng(join(folder, name, file)));
      labels.push(label);
      sources.push(`${name}/${file}`);
    }
  }
  const all = new Uint8Array(images.length * PIXELS);
  for (const [i, image] of images.entries()) all.set(image, i * PIXELS);
  return {
    dataset: 'ck+',
    classes: CK_PLUS_CLASSES,
    images: all,
    labels: Uint8Array.from(labels),
    splits: {},
    sources,
    hidden,
  };
}

/**
 * Reads whatever `path` holds, told apart by content: a FER2013 CSV, an HDF5 file of the reference's, a CK+48 folder, a
 * tree of image files, or a folder with fer2013.csv or CK+48 in it. `onBytes` hears how far it is. Throws FormatError.
 */
export async function readFaces(path: string, onBytes?: (read: number, total: number) => void): Promise<Faces> {
  const kind = await information(path);
  const onShare = (share: number): void => onBytes?.(share, 1);
  if (kind.isFile()) {
    if (isHdf5(path)) return readHdf5(path, onShare);
    refuseOtherKinds(path, 'a fer2013.csv or an HDF5 file');
    return readFer2013(path, onBytes);
  }
  if ((await splitFolders(path)).length > 0 || (await hasSplitNames(path))) return readTree(path, onShare);
  const names = (await readdir(path)).filter((name) => !isSystemName(name));
  if (CK_PLUS_CLASSES.some((name) => names.includes(name))) return readCkPlus(path);
  const csv = names.find((name) => name.toLowerCase() === 'fer2013.csv');
  if (csv) return readFer2013(join(path, csv), onBytes);
  if (names.includes('CK+48')) return readCkPlus(join(path, 'CK+48'));
  throw new FormatError(
    `${path}: neither a CK+48 folder (${CK_PLUS_CLASSES.join(', ')}) nor a folder with fer2013.csv, nor of train and test folders; it holds ${names.slice(0, 5).join(', ') || 'nothing'}`,
  );
}

/** Reads a fer2013new.csv. Throws FormatError, or FileError where it cannot be read. */
export function readFerPlus(path: string): FerPlus {
  refuseOtherKinds(path, 'a fer2013new.csv');
  return parseFerPlus(Buffer.from(readFileOf(path)).toString('latin1'), path);
}

/** Writes splits as a FER2013 CSV, in the form of Kaggle's file (LF line ends, no quotes). */
export async function writeFer2013(
  path: string,
  splits: readonly { readonly usage: string; readonly split: Split }[],
): Promise<void> {
  const out = createWriteStream(path);
  const done = finished(out);
  // Awaited below too; without this an error before then would end the process as unhandled.
  done.catch(() => {});
  let text = '';
  for (const line of fer2013Lines(splits)) {
    text += line;
    if (text.length < 1 << 20) continue;
    if (!out.write(text)) await Promise.race([once(out, 'drain'), done]);
    text = '';
  }
  out.end(text);
  await done;
}

async function information(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new FormatError(`${path}: no such file or folder; give the path of a fer2013.csv or of a CK+48 folder`);
  }
}

async function ckPlusFolders(folder: string): Promise<string[]> {
  await information(folder);
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

async function readGrayPng(path: string): Promise<Uint8Array> {
  let png: PNG;
  try {
    png = PNG.sync.read(await readFile(path));
  } catch (cause) {
    throw new FormatError(`${path}: not a readable PNG (${cause instanceof Error ? cause.message : cause})`);
  }
  if (png.width !== SIDE || png.height !== SIDE) {
    throw new FormatError(`${path}: ${png.width}x${png.height} pixels, ${SIDE}x${SIDE} expected`);
  }
  const gray = new Uint8Array(PIXELS);
  for (let i = 0; i < PIXELS; i++) {
    const red = png.data[4 * i] as number;
    if (red !== png.data[4 * i + 1] || red !== png.data[4 * i + 2]) {
      throw new FormatError(`${path}: ${basename(path)} is in color, 8-bit gray expected`);
    }
    gray[i] = red;
  }
  return gray;
}
