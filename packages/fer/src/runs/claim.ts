// Folders that one process at a time may write to (Node only).
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { FileError } from '@mien/nn/files';
import { ValueError } from '@mien/tensor';
import { makeFolder } from './folder.ts';

const FILE = 'claimed';

/** Releases the folder. */
export type Release = () => void;

/**
 * Claims a folder for this process, or returns null where another running process has claimed it. The claim of a killed
 * process is replaced; that of a process on another machine holds until its file is deleted.
 */
export function claim(folder: string): Release | null {
  makeFolder(folder);
  const file = join(folder, FILE);
  const mine = `${process.pid} ${hostname()}\n`;
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      writeFileSync(file, mine, { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') {
        throw new FileError(`${file}: cannot be written (${(cause as Error).message})`, { cause });
      }
      if (isHeld(file)) return null;
      rmSync(file, { force: true });
    }
  }
  return null;
}

/** Claims a folder like `claim`. Throws ValueError, naming `command`, where another process has claimed it. */
export function claimOrRefuse(command: string, folder: string): Release {
  const release = claim(folder);
  if (release) return release;
  const [pid, host] = holderOf(folder);
  throw new ValueError(
    `${command}: ${folder} is in use by another process (${pid} on ${host}); wait until it ends, or pass another --out`,
  );
}

function holderOf(folder: string): readonly string[] {
  try {
    return readFileSync(join(folder, FILE), 'utf8').trim().split(' ');
  } catch {
    return ['just ended', hostname()];
  }
}

function isHeld(file: string): boolean {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return false; // released meanwhile
  }
  const [pid, host] = text.trim().split(' ');
  if (host !== hostname()) return true;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (reason) {
    // Without permission to signal it, the process exists.
    return (reason as NodeJS.ErrnoException).code === 'EPERM';
  }
}
