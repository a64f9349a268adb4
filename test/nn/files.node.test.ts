import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileError, readFile, writeFile } from '@mien/nn/files';
import { ensure, refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

function inFolder(use: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), 'mien-'));
  try {
    use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('writeFile replaces a file and leaves nothing beside it', () => {
  inFolder((folder) => {
    const path = join(folder, 'last');
    writeFile(path, 'one');
    writeFile(path, Uint8Array.of(50));
    ensure(readFile(path).join() === '50', 'the content is another');
    ensure(!existsSync(`${path}.part`), 'the part is still there');
  });
});

test('writeFile keeps the earlier file on a full disk', () => {
  inFolder((folder) => {
    const path = join(folder, 'last');
    writeFileSync(path, 'earlier');
    // Linux has a device that is always full; the temporary file is a link to it.
    if (!existsSync('/dev/full')) return;
    symlinkSync('/dev/full', `${path}.part`);
    refuses(() => writeFile(path, 'newer'), FileError, 'ENOSPC');
    ensure(readFileSync(path, 'utf8') === 'earlier', 'the earlier file changed');
    ensure(!existsSync(`${path}.part`), 'the part is still there');
  });
});

test('writeFile replaces a temporary file left by an interruption', () => {
  inFolder((folder) => {
    const path = join(folder, 'last');
    writeFileSync(`${path}.part`, 'half of a very long fi');
    writeFile(path, 'whole');
    ensure(readFileSync(path, 'utf8') === 'whole', 'the content is another');
  });
});

test('readFile and writeFile name the path that does not exist', () => {
  inFolder((folder) => {
    refuses(() => readFile(join(folder, 'none')), FileError, 'none: cannot be read (ENOENT');
    refuses(() => writeFile(join(folder, 'none', 'last'), ''), FileError, 'last: cannot be written (ENOENT');
  });
});
