// Folders without the files that an operating system adds to them (Node only).
import { readdir } from 'node:fs/promises';

/** Whether a file or folder is hidden (`._face.png`, `.DS_Store`) or was added by Windows or a macOS archive. */
export function isSystemName(name: string): boolean {
  return name.startsWith('.') || ['thumbs.db', 'desktop.ini', '__macosx'].includes(name.toLowerCase());
}

/** The files and folders in `folder`. */
export async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => !isSystemName(name));
}

/** The folders in `folder`, sorted by name. */
export async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && !isSystemName(entry.name))
    .map((entry) => entry.name)
    .sort();
}
