// Texts that outlive the process, by name: in Node files in the user's cache folder.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ValueError } from '../errors.ts';
import { cacheFolder } from './cache.node.ts';

const folder = (): string => join(cacheFolder(), 'tuned');

/** Whether the environment asks for the tuner. Throws ValueError for a word that it does not know. */
export function environmentTune(): boolean {
  const word = process.env.MIEN_TUNE || 'off';
  if (word === 'on' || word === 'off') return word === 'on';
  throw new ValueError(`MIEN_TUNE is on or off, got ${word}; unset it, or run mien tune --help`);
}

/** The names of all texts. */
export async function keptNames(): Promise<string[]> {
  try {
    return readdirSync(folder())
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.slice(0, -'.json'.length))
      .sort();
  } catch (reason) {
    if (isMissing(reason)) return [];
    throw reason;
  }
}

/** The text of `name`, or null. */
export async function readKept(name: string): Promise<string | null> {
  try {
    return readFileSync(pathOf(name), 'utf8');
  } catch (reason) {
    if (isMissing(reason)) return null;
    throw reason;
  }
}

/** Keeps `text` as `name`, wholly or not at all. */
export async function writeKept(name: string, text: string): Promise<void> {
  mkdirSync(folder(), { recursive: true });
  const half = `${pathOf(name)}.${process.pid}`;
  writeFileSync(half, text);
  renameSync(half, pathOf(name));
}

/** Forgets `name`. */
export async function removeKept(name: string): Promise<void> {
  rmSync(pathOf(name), { force: true });
}

function pathOf(name: string): string {
  return join(folder(), `${name}.json`);
}

function isMissing(reason: unknown): boolean {
  return (reason as NodeJS.ErrnoException).code === 'ENOENT';
}
