// A folder that one process works in: another that comes by leaves it alone.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { FileError } from '@mien/nn/files';
import { makeFolder } from './folder.ts';

/** Gives the folder back. */
export type Release = () => void;

/**
 * Claims a folder for this process, or gives null where a living one has it. What a killed process left is taken over;
 * of a process on another machine nobody can tell, so that its claim stands until the file is deleted.
 */
export function claim(folder: string): Release | null {
  makeFolder(folder);
  const file = join(folder, 'claimed');
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

function isHeld(file: string): boolean {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return false; // given back in the meantime
  }
  const [pid, host] = text.trim().split(' ');
  if (host !== hostname()) return true;
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (reason) {
    // No permission to signal it means that it lives.
    return (reason as NodeJS.ErrnoException).code === 'EPERM';
  }
}
