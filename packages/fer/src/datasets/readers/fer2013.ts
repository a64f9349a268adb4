// FER2013 and FER+ as CSV files (Node only).
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { readFile } from '@mien/nn/files';
import type { Faces, Split } from '../faces.ts';
import { FER2013, Fer2013Reader, fer2013Lines } from '../fer2013.ts';
import { type FerPlus, parseFerPlus } from '../ferplus.ts';
import { refuseOtherKinds } from './fileKind.ts';
import { namesIn } from './hiddenFiles.ts';
import type { FolderReader } from './reader.ts';

/** Reads a fer2013.csv in chunks, so that memory grows with the images only. `onBytes` is called after each chunk. */
export async function readFer2013(path: string, onBytes?: (read: number, total: number) => void): Promise<Faces> {
  const total = (await stat(path)).size;
  const reader = new Fer2013Reader(path, total);
  let read = 0;
  const stream = createReadStream(path, { encoding: 'latin1', highWaterMark: 1 << 20 });
  for await (const chunk of stream) {
    // A byte order mark as Latin-1; all else in the format is ASCII.
    reader.push(read === 0 ? (chunk as string).replace(/^\u00EF\u00BB\u00BF/, '') : (chunk as string));
    read += (chunk as string).length;
    onBytes?.(read, total);
  }
  return reader.end();
}

/** A folder with fer2013.csv in it. */
export const fer2013Folder: FolderReader = {
  dataset: FER2013.name,
  layout: 'fer2013.csv',
  recognizes: (_, names) => csvOf(names) !== undefined,
  read: async (folder, onShare) => {
    const csv = csvOf(await namesIn(folder)) as string;
    return readFer2013(join(folder, csv), (read, total) => onShare(read / total));
  },
};

function csvOf(names: readonly string[]): string | undefined {
  return names.find((name) => name.toLowerCase() === 'fer2013.csv');
}

/** Reads a fer2013new.csv. Throws FormatError, or FileError for an unreadable file. */
export function readFerPlus(path: string): FerPlus {
  refuseOtherKinds(path, 'a fer2013new.csv');
  return parseFerPlus(Buffer.from(readFile(path)).toString('latin1'), path);
}

/** Writes splits as a FER2013 CSV in the format of Kaggle's file (LF line ends, no quotes). */
export async function writeFer2013(
  path: string,
  splits: readonly { readonly usage: string; readonly split: Split }[],
): Promise<void> {
  const out = createWriteStream(path);
  const done = finished(out);
  // Awaited below; without a handler an earlier error would end the process as unhandled.
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
