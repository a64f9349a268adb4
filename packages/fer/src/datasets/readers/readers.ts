// Reads a data set from a file or folder, recognized by its content (Node only).
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { FormatError } from '@mien/nn';
import type { DatasetName } from '../catalog.ts';
import type { Faces } from '../faces.ts';
import { affectNetTree } from './affectnet.ts';
import { ckPlusFolder, ckPlusParent } from './ckplus.ts';
import { fer2013Folder, readFer2013 } from './fer2013.ts';
import { refuseOtherKinds } from './fileKind.ts';
import { isHdf5, readHdf5 } from './hdf5.ts';
import { namesIn } from './hiddenFiles.ts';
import { fer2013Tree } from './imageTree.ts';
import { rafDbFolder } from './rafdb.ts';
import type { FolderReader } from './reader.ts';

/** The layouts of folders, in the order in which they are tried. */
const FOLDERS: readonly FolderReader[] = [
  rafDbFolder,
  affectNetTree,
  fer2013Tree,
  ckPlusFolder,
  fer2013Folder,
  ckPlusParent,
];

/**
 * Reads the data set at `path`, recognized by content: a FER2013 CSV, an HDF5 file of the reference, or a folder.
 * `dataset` decides between layouts that look alike. `onBytes` reports progress. Throws FormatError.
 */
export async function readFaces(
  path: string,
  onBytes?: (read: number, total: number) => void,
  dataset?: DatasetName,
): Promise<Faces> {
  const kind = await kindOf(path);
  const onShare = (share: number): void => onBytes?.(share, 1);
  if (!kind.isFile()) return (await readerOf(path, dataset)).read(path, onShare);
  if (isHdf5(path)) return readHdf5(path, onShare);
  refuseOtherKinds(path, 'a fer2013.csv or an HDF5 file');
  return readFer2013(path, onBytes);
}

async function kindOf(path: string): Promise<Stats> {
  try {
    return await stat(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
    throw new FormatError(`${path}: no such file or folder; pass the path of a fer2013.csv or of a data set's folder`);
  }
}

async function readerOf(folder: string, dataset: DatasetName | undefined): Promise<FolderReader> {
  const names = await namesIn(folder);
  const isAsked = (reader: FolderReader): boolean => reader.dataset === dataset;
  for (const reader of [...FOLDERS.filter(isAsked), ...FOLDERS]) {
    if (await reader.recognizes(folder, names, isAsked(reader))) return reader;
  }
  const known = FOLDERS.map(({ layout }) => layout).join('; ');
  throw new FormatError(
    `${folder}: not the folder of a data set, expected one of: ${known}; got ${names.slice(0, 5).join(', ') || 'an empty folder'}`,
  );
}
