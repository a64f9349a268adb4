// HDF5 files may point outside themselves (external storage and links, virtual data sets), and the library follows: here it cannot.
import { devNull } from 'node:os';
import { resolve } from 'node:path';
import { FormatError } from '@mien/nn';

/** The library's flags for a file that is created, and for a folder (of plugins). */
const CREATED_OR_FOLDER = 0o100 | 0o200000;

/** The error for a file at `path` whose data is in `other`. */
export function refersTo(other: string, path: string): FormatError {
  return new FormatError(
    `${path}: expected an HDF5 file that holds its own data, got one that refers to ${other}; copy the data into one file (h5repack, or mien prepare)`,
  );
}

/** What of the library's file system is needed: it opens every file through `open`, with Node's own paths. */
export interface FileSystem {
  open: (path: string, flags: number, ...rest: unknown[]) => unknown;
}

/**
 * Runs `read`, during which the library can open only the file at `path`, and files that it creates: its errors go through one. Throws FormatError where the file refers to another
 * one, even if the library would go on without it.
 */
export function sealed<T>(files: FileSystem, path: string, read: () => T): T {
  const { open } = files;
  let other: string | null = null;
  files.open = (wanted, flags, ...rest) => {
    const own = resolve(wanted) === resolve(path) || (flags & CREATED_OR_FOLDER) !== 0;
    if (!own) other ??= wanted;
    // An empty file in place of the other one: of a refusal the library would print its whole trace.
    return open.call(files, own ? wanted : devNull, flags, ...rest);
  };
  const refuse = (): void => {
    if (other !== null) throw refersTo(other, path);
  };
  try {
    const result = read();
    refuse();
    return result;
  } catch (reason) {
    refuse();
    throw reason;
  } finally {
    files.open = open;
  }
}
