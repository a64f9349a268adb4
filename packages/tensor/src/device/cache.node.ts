// The folder of files that can be recreated.
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The user's cache folder for Mien; it may not exist yet. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'mien');
}
