// A folder that one process works in: another one leaves it alone, or is refused.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { FileError } from '@mien/nn/files';
import { ValueError } from '@mien/tensor';
import { makeFolder } from './folder.ts';

const FILE = 'claimed';

/** Gives the folder back. */
export type Release = () => void;

/**
 * Claims a folder for this process, or gives null where a living one has it. What a killed process left is taken over;
 * of a process on another machine nobody can tell, so that its claim stands until the file is deleted.
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

/** Claims a folder as `claim` does. Throws ValueError, in the name of `command`, where another process has it. */
export function claimOrRefuse(command: string, folder: string): Release {
  const release = claim(folder);
  if (release) return release;
  const [pid, host] = holderOf(folder);
  throw new ValueError(
    `${command}: ${folder} is in use by another process (${pid} on ${host}); wait until it ends, or name another folder with --out`,
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
