// RAF-DB's folder: list_patition_label.txt with aligned/train_00001_aligned.jpg (Node only).
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError } from '@mien/nn';
import { readFile } from '@mien/nn/files';
import type { Faces } from '../faces.ts';
import { parseRafDbList, RAF_DB } from '../rafdb.ts';
import { IMAGE, readImageFiles } from './imageFiles.ts';
import type { FolderReader } from './reader.ts';

/** The list and the images, flat or in the folders of the original archive. */
const LISTS = ['list_patition_label.txt', 'EmoLabel/list_patition_label.txt'];
const IMAGES = ['aligned', 'Image/aligned'];

/** RAF-DB's folder. */
export const rafDbFolder: FolderReader = {
  dataset: RAF_DB.name,
  layout: 'RAF-DB (list_patition_label.txt and a folder aligned)',
  recognizes: (folder) => LISTS.some((list) => existsSync(join(folder, list))),
  read: readRafDb,
};

/** Reads RAF-DB's aligned images in the order of its list. Throws FormatError naming the file. */
export async function readRafDb(folder: string, onShare: (share: number) => void = () => {}): Promise<Faces> {
  const list = LISTS.find((path) => existsSync(join(folder, path))) ?? (LISTS[0] as string);
  const images = IMAGES.find((path) => existsSync(join(folder, path)));
  if (!images) throw new FormatError(`${join(folder, 'aligned')}: no such folder; RAF-DB has its images in aligned/`);
  const entries = parseRafDbList(Buffer.from(readFile(join(folder, list))).toString('utf8'), join(folder, list));
  const files = new Map(
    (await readdir(join(folder, images)))
      .filter((file) => IMAGE.test(file))
      .map((file) => [file.replace(/_aligned\.\w+$/, ''), file]),
  );
  const found = entries.map(({ name, label, split }) => {
    const file = files.get(name);
    if (!file) throw new FormatError(`${join(folder, images, `${name}_aligned.jpg`)}: missing, but listed in ${list}`);
    return { source: `${images}/${file}`, label, split };
  });
  return readImageFiles(folder, found, RAF_DB, onShare);
}
