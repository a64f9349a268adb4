// Keeps the HDF5 library from following references to other files (external storage and links, virtual data sets).
import { devNull } from 'node:os';
import { resolve } from 'node:path';
import { FormatError } from '@mien/nn';

/** The library's flags for a file that is created, and for a folder (of plugins). */
const CREATED_OR_FOLDER = 0o100 | 0o200000;

/** The error for a file at `path` whose data is in `other`. */
export function refersTo(other: string, path: string): FormatError {
  return new FormatError(
    `${path}: expected a self-contained HDF5 file, got one that refers to ${other}; copy the data into one file (h5repack, or mien prepare)`,
  );
}

/** The part of the library's file system that opens files, with Node's paths. */
export interface FileSystem {
  open: (path: string, flags: number, ...rest: unknown[]) => unknown;
}

/**
 * Runs `read`, during which the library can open only the file at `path` and files that it creates, which its error
 * reporting needs. Throws FormatError where the file refers to another one, even if the library ignores that.
 */
export function sealed<T>(files: FileSystem, path: string, read: () => T): T {
  const { open } = files;
  let other: string | null = null;
  files.open = (wanted, flags, ...rest) => {
    const own = resolve(wanted) === resolve(path) || (flags & CREATED_OR_FOLDER) !== 0;
    if (!own) other ??= wanted;
    // An empty file instead of the other one: for an error the library would print its trace.
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
