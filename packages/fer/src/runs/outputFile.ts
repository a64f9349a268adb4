// Default names of output files (Node only).
import { existsSync } from 'node:fs';
import { FileError } from '@mien/nn/files';

/** `file` with another extension. Throws FileError where that file exists: it may be the only copy of a checkpoint. */
export function freeName(file: string, extension: string): string {
  const out = file.replace(/(\.pth\.tar|\.[^./\\]*)?$/, extension);
  if (existsSync(out)) throw new FileError(`${out}: exists already; pass another --out`);
  return out;
}
