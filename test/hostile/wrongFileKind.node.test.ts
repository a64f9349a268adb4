// Files of other well-known formats instead of data, and control characters for terminals.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readFaces, readFerPlus } from '@mien/fer/node';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { inFolder, mien, refused, rejected } from './kit.ts';

const tar = Buffer.alloc(1024);
tar.write('fer2013/fer2013.csv', 0, 'latin1');
tar.write('ustar', 257, 'latin1');

const KINDS: readonly (readonly [name: string, start: Buffer, message: string])[] = [
  ['data.tar', tar, 'got a tar archive; unpack it first'],
  ['data.csv', tar, 'got a tar archive; unpack it first'],
  ['data.csv.gz', Buffer.from('1f8b0800', 'hex'), 'got a gzip archive; unpack it first'],
  ['data.zip', Buffer.from('PK\x03\x04', 'latin1'), 'got a zip archive; unpack it first'],
  ['data.xz', Buffer.from('\xfd7zXZ\0', 'latin1'), 'got an xz archive; unpack it first'],
  ['data.csv', Buffer.from('\ufeffemotion,pixels,Usage\n', 'utf16le'), 'got text in UTF-16; convert it to UTF-8 first'],
  ['data.csv', Buffer.from('<!DOCTYPE html>'), 'got a web page; download the file itself'],
  ['data.csv', Buffer.from('version https://git-lfs.github.com/spec/v1\n'), 'git lfs pull'],
];

test('readFaces and readFerPlus name the format of another file, and the remedy', () =>
  inFolder(async (folder) => {
    for (const [name, start, message] of KINDS) {
      const path = join(folder, name);
      writeFileSync(path, start);
      await rejected(readFaces(path), message);
      await rejected(
        Promise.resolve().then(() => readFerPlus(path)),
        message,
      );
    }
  }));

test('mien escapes the control characters of a file', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'data.csv');
    // Sets the terminal's title, clears its screen, a C1 control in UTF-8, and a bell.
    writeFileSync(path, '\x1b]0;owned\x07\x1b[2J\u009b31m,pixels\x07,Usage\n');
    const result = await mien(['audit', path]);
    refused(result, 'expected the columns emotion,pixels,Usage');
    ensure(result.err.includes('\\x1b]0;owned\\x07'), result.err);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not occur
    ensure(!/[\0-\x08\x0b-\x1f\x7f-\x9f]/.test(result.err + result.out), JSON.stringify(result.err));
  }));
