// Image files of any format, size and color as 48x48 gray images (Node only).
import { join } from 'node:path';
import { decodePhoto, readPhotoFile } from '../../photos/decode.ts';
import { grayBytes, resample } from '../../photos/photo.ts';
import { splitNames } from '../catalog.ts';
import type { Dataset } from '../dataset.ts';
import { type Faces, PIXELS, SIDE } from '../faces.ts';

/** The image formats that are read. */
export const IMAGE: RegExp = /\.(png|jpe?g|webp|bmp|tiff?)$/i;

/** Files that are decoded at the same time. */
const AT_ONCE = 32;

/** One image file: its path below the folder, label and split. */
export interface ImageFile {
  readonly source: string;
  readonly label: number;
  readonly split: string;
}

/**
 * Reads image files in the order of `files`. Color becomes gray (0.299 R + 0.587 G + 0.114 B) and other sizes become 48x48;
 * `converted` counts both. Throws FormatError naming the file.
 */
export async function readImageFiles(
  folder: string,
  files: readonly ImageFile[],
  row: Dataset,
  onShare: (share: number) => void,
): Promise<Faces> {
  const images = new Uint8Array(files.length * PIXELS);
  const converted = { color: 0, resized: 0 };
  for (let start = 0; start < files.length; start += AT_ONCE) {
    const some = files.slice(start, start + AT_ONCE);
    const decoded = await Promise.all(some.map(({ source }) => decode(join(folder, source))));
    for (const [i, { gray, color, resized }] of decoded.entries()) {
      images.set(gray, (start + i) * PIXELS);
      converted.color += Number(color);
      converted.resized += Number(resized);
    }
    onShare((start + some.length) / files.length);
  }
  const rows = Int32Array.from(files.keys());
  const splits = splitNames(row).map(({ name }) => [name, rows.filter((i) => files[i]?.split === name)]);
  return {
    dataset: row.name,
    classes: row.classes,
    images,
    labels: Uint8Array.from(files, ({ label }) => label),
    splits: Object.fromEntries(splits),
    sources: files.map(({ source }) => source),
    converted,
  };
}

/** A picture as `predict` would see it, as 48x48 gray bytes; a 48x48 gray image is unchanged. */
async function decode(path: string): Promise<{ gray: Uint8Array; color: boolean; resized: boolean }> {
  const { photo } = await decodePhoto(readPhotoFile(path), path);
  const { width, height, data } = photo;
  const all = { left: 0, top: 0, width, height };
  return {
    gray: grayBytes(resample(photo, all, SIDE, SIDE)),
    color: data.some((value, i) => value !== data[i - (i % 3)]),
    resized: width !== SIDE || height !== SIDE,
  };
}
