// CK+48 folders: one folder per class of 8-bit gray 48x48 PNG files (Node only).
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError } from '@mien/nn';
import { PNG } from 'pngjs';
import { CK_PLUS, CK_PLUS_CLASSES } from '../ckplus.ts';
import { type Faces, PIXELS, SIDE } from '../faces.ts';
import { foldersIn, isSystemName } from './hiddenFiles.ts';
import type { FolderReader } from './reader.ts';

/** A CK+48 folder. */
export const ckPlusFolder: FolderReader = {
  dataset: CK_PLUS.name,
  layout: `CK+48 (folders ${CK_PLUS_CLASSES.join(', ')})`,
  recognizes: (_, names) => CK_PLUS_CLASSES.some((name) => names.includes(name)),
  read: (folder) => readCkPlus(folder),
};

/** A folder with CK+48 in it. */
export const ckPlusParent: FolderReader = {
  ...ckPlusFolder,
  layout: 'a folder CK+48',
  recognizes: (_, names) => names.includes('CK+48'),
  read: (folder) => readCkPlus(join(folder, 'CK+48')),
};

/** Reads a CK+48 folder: classes in label order, files of each class by name. */
export async function readCkPlus(folder: string): Promise<Faces> {
  const folders = await foldersIn(folder);
  const missing = CK_PLUS_CLASSES.filter((name) => !folders.includes(name));
  if (missing.length > 0) {
    throw new FormatError(
      `${folder}: missing the folders ${missing.join(', ')}; a CK+48 folder has ${CK_PLUS_CLASSES.join(', ')}`,
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
    dataset: CK_PLUS.name,
    classes: CK_PLUS_CLASSES,
    images: all,
    labels: Uint8Array.from(labels),
    splits: {},
    sources,
    hidden,
  };
}

async function readGrayPng(path: string): Promise<Uint8Array> {
  let png: PNG;
  try {
    png = PNG.sync.read(await readFile(path));
  } catch (cause) {
    throw new FormatError(`${path}: not a readable PNG (${cause instanceof Error ? cause.message : cause})`);
  }
  if (png.width !== SIDE || png.height !== SIDE) {
    throw new FormatError(`${path}: expected ${SIDE}x${SIDE} pixels, got ${png.width}x${png.height}`);
  }
  const gray = new Uint8Array(PIXELS);
  for (let i = 0; i < PIXELS; i++) {
    const red = png.data[4 * i] as number;
    if (red !== png.data[4 * i + 1] || red !== png.data[4 * i + 2]) {
      throw new FormatError(`${path}: expected an 8-bit gray image, got color`);
    }
    gray[i] = red;
  }
  return gray;
}
