// Files, in Node only: reads, and atomic writes, which on failure leave the earlier file unchanged.
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { MienError } from '@mien/tensor';

/** The file system refused: free space, choose another path, or change permissions. */
export class FileError extends MienError {}

/** The bytes of a file. Throws FileError if it cannot be read. */
export function readFile(path: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (reason) {
    throw new FileError(`${path}: cannot be read (${messageOf(reason)})`, { cause: reason });
  }
}

/**
 * Writes `path` atomically: writes `path.part`, synchronizes it to disk, and renames it. After a full disk or a killed process
 * the earlier file is still there. Handlers of Ctrl-C run before or after the write. Throws FileError.
 */
export function writeFile(path: string, content: Uint8Array | string): void {
  const temporary = `${path}.part`;
  try {
    const file = openSync(temporary, 'w');
    try {
      writeFileSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (reason) {
    rmSync(temporary, { force: true });
    throw new FileError(`${path}: cannot be written (${messageOf(reason)}); the earlier file, if any, is unchanged`, {
      cause: reason,
    });
  }
}

/** Synchronizes the rename to disk; not every system supports it for folders. */
function syncFolder(path: string): void {
  let folder: number | undefined;
  try {
    folder = openSync(path, 'r');
    fsyncSync(folder);
  } catch {
    // The file is complete under one of its names in any case.
  } finally {
    if (folder !== undefined) closeSync(folder);
  }
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
