// Named texts that outlive the process: in Node, files in the user's cache folder.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ValueError } from '../errors.ts';
import { cacheFolder } from './cache.node.ts';

const folder = (): string => join(cacheFolder(), 'tuned');

/** Whether MIEN_TUNE is `on`. Throws ValueError unless it is `on`, `off` or unset. */
export function environmentTune(): boolean {
  const value = process.env.MIEN_TUNE || 'off';
  if (value === 'on' || value === 'off') return value === 'on';
  throw new ValueError(`MIEN_TUNE must be on or off, got ${value}; unset it, or run mien tune --help`);
}

/** The names of all texts. */
export async function storedNames(): Promise<string[]> {
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
export async function readText(name: string): Promise<string | null> {
  try {
    return readFileSync(pathOf(name), 'utf8');
  } catch (reason) {
    if (isMissing(reason)) return null;
    throw reason;
  }
}

/** Stores `text` as `name`, atomically. */
export async function writeText(name: string, text: string): Promise<void> {
  mkdirSync(folder(), { recursive: true });
  const temporary = `${pathOf(name)}.${process.pid}`;
  writeFileSync(temporary, text);
  renameSync(temporary, pathOf(name));
}

/** Deletes the text of `name`, if there is one. */
export async function deleteText(name: string): Promise<void> {
  rmSync(pathOf(name), { force: true });
}

function pathOf(name: string): string {
  return join(folder(), `${name}.json`);
}

function isMissing(reason: unknown): boolean {
  return (reason as NodeJS.ErrnoException).code === 'ENOENT';
}
