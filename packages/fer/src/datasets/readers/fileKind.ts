// Recognizes files of other well-known kinds by their first bytes, to name the remedy (Node only).
import { closeSync, openSync, readSync } from 'node:fs';
import { FormatError } from '@mien/nn';
import { FileError } from '@mien/nn/files';

interface Kind {
  readonly name: string;
  /** Bytes as Latin-1 text, and where they begin. */
  readonly magic: string;
  readonly at?: number;
  readonly remedy: string;
}

const UNPACK = 'unpack it first';
const CONVERT = 'convert it to UTF-8 first';

const KINDS: readonly Kind[] = [
  { name: 'a gzip archive', magic: '\x1f\x8b', remedy: UNPACK },
  { name: 'a zip archive', magic: 'PK\x03\x04', remedy: UNPACK },
  { name: 'a tar archive', magic: 'ustar', at: 257, remedy: UNPACK },
  { name: 'a bzip2 archive', magic: 'BZh', remedy: UNPACK },
  { name: 'an xz archive', magic: '\xfd7zXZ\0', remedy: UNPACK },
  { name: 'a zstd archive', magic: '\x28\xb5\x2f\xfd', remedy: UNPACK },
  { name: 'a 7z archive', magic: '7z\xbc\xaf\x27\x1c', remedy: UNPACK },
  { name: 'a rar archive', magic: 'Rar!', remedy: UNPACK },
  { name: 'text in UTF-32', magic: '\xff\xfe\0\0', remedy: CONVERT },
  { name: 'text in UTF-16', magic: '\xff\xfe', remedy: CONVERT },
  { name: 'text in UTF-16', magic: '\xfe\xff', remedy: CONVERT },
  { name: 'a web page', magic: '<!', remedy: 'download the file itself; its site may ask for a login' },
  { name: 'a web page', magic: '<html', remedy: 'download the file itself; its site may ask for a login' },
  { name: 'a Git LFS pointer', magic: 'version https://git-lfs', remedy: 'fetch the file itself with git lfs pull' },
  { name: 'a Parquet file', magic: 'PAR1', remedy: 'export it as CSV first' },
  { name: 'a PDF document', magic: '%PDF', remedy: 'name the data file' },
  { name: 'a PNG image', magic: '\x89PNG', remedy: 'name the data file, or a folder of images' },
  { name: 'a JPEG image', magic: '\xff\xd8\xff', remedy: 'name the data file, or a folder of images' },
];

const LONGEST = Math.max(...KINDS.map(({ at = 0, magic }) => at + magic.length));

/** Throws FormatError for a file of a well-known kind that is not `expected`, FileError for an unreadable file. */
export function refuseOtherKinds(path: string, expected: string): void {
  const start = firstBytes(path);
  const other = KINDS.find(({ at = 0, magic }) => start.startsWith(magic, at));
  if (other) throw new FormatError(`${path}: expected ${expected}, got ${other.name}; ${other.remedy}`);
}

function firstBytes(path: string): string {
  const bytes = Buffer.alloc(LONGEST);
  try {
    const file = openSync(path, 'r');
    try {
      return bytes.toString('latin1', 0, readSync(file, bytes));
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw new FileError(`${path}: cannot be read (${cause instanceof Error ? cause.message : cause})`, { cause });
  }
}
