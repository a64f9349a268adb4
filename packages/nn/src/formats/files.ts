// Files, in Node only: whole reads, and writes that either happen completely or leave the earlier file as it was.
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { MienError } from '@mien/tensor';

/** The file system refused: make room, name another path, or change permissions. */
export class FileError extends MienError {}

/** The bytes of a file. Throws FileError where it cannot be read. */
export function readFile(path: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(readFileSync(path));
  } catch (reason) {
    throw new FileError(`${path}: cannot be read (${words(reason)})`, { cause: reason });
  }
}

/**
 * Writes a file beside `path`, has it reach the disk, and renames it. At no moment is `path` incomplete: after a full disk
 * or a killed process the earlier file is there. A handler of Ctrl-C runs before or after it. Throws FileError.
 */
export function writeFile(path: string, content: Uint8Array | string): void {
  const beside = `${path}.part`;
  try {
    const file = openSync(beside, 'w');
    try {
      writeFileSync(file, content);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(beside, path);
    syncFolder(dirname(path));
  } catch (reason) {
    rmSync(beside, { force: true });
    throw new FileError(`${path}: cannot be written (${words(reason)}); the earlier file, if any, is as it was`, {
      cause: reason,
    });
  }
}

/** The rename itself reaches the disk with its folder; not every system lets folders be synchronized. */
function syncFolder(path: string): void {
  let folder: number | undefined;
  try {
    folder = openSync(path, 'r');
    fsyncSync(folder);
  } catch {
    // The file is complete under one of its names either way.
  } finally {
    if (folder !== undefined) closeSync(folder);
  }
}

function words(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
