// Files that are not photos: predict reports one line for each and still reads the others.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { predict } from '@mien/fer/node';
import { ensure } from '@mien/tensor/testing';
import { PNG } from 'pngjs';
import { ANIMATED_WEBP, CMYK } from '../fer/smallPhotos.ts';
import { test } from '../harness.ts';
import { inFolder, mien, refused, validRun } from './kit.ts';

/** A PNG of a few hundred bytes whose header claims 20000x20000 pixels. */
function decompressionBomb(): Uint8Array {
  const png = PNG.sync.write(new PNG({ width: 1, height: 1 }));
  const chunk = Buffer.alloc(25);
  chunk.writeUInt32BE(13, 0);
  chunk.write('IHDR', 4);
  chunk.writeUInt32BE(20000, 8);
  chunk.writeUInt32BE(20000, 12);
  chunk.set([8, 2, 0, 0, 0], 16);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, 21)), 21);
  const data = deflateSync(Buffer.alloc(1000));
  const body = Buffer.alloc(12 + data.length);
  body.writeUInt32BE(data.length, 0);
  body.write('IDAT', 4);
  body.set(data, 8);
  body.writeUInt32BE(crc32(body.subarray(4, 8 + data.length)), 8 + data.length);
  return Buffer.concat([png.subarray(0, 8), chunk, body, png.subarray(-12)]);
}

function crc32(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** File names, their content, and the expected messages. */
const invalid: readonly (readonly [name: string, write: (path: string) => void, message: string])[] = [
  ['text.jpg', (path) => writeFileSync(path, 'this is text'), 'text.jpg: expected JPEG, PNG'],
  ['empty.jpg', (path) => writeFileSync(path, ''), 'the file is empty'],
  ['cut.jpg', (path) => writeFileSync(path, CMYK.subarray(0, CMYK.length - 30)), 'damaged or truncated'],
  [
    'dot.png',
    (path) => writeFileSync(path, PNG.sync.write(new PNG({ width: 1, height: 1 }))),
    'expected at least 24x24 pixels, got 1x1',
  ],
  [
    'bomb.png',
    (path) => writeFileSync(path, decompressionBomb()),
    'expected at most 268,435,456 pixels, got 20000x20000',
  ],
  ['moving.webp', (path) => writeFileSync(path, ANIMATED_WEBP), 'got an animation of 3 frames; use mien video'],
  [
    'drawing.svg',
    (path) => writeFileSync(path, '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"/>'),
    'expected JPEG, PNG, WebP, GIF, TIFF or AVIF, got svg',
  ],
  ['folder', (path) => mkdirSync(path), 'is a folder; pass its photos'],
  ['missing.jpg', () => {}, 'no such file'],
];

test('predict reports each file that is not a photo in one line, and reads the others', () =>
  inFolder(async (folder) => {
    const weights = await validRun(folder);
    const valid = join(folder, 'valid.png');
    writeFileSync(valid, PNG.sync.write(new PNG({ width: 64, height: 64 })));
    const files = invalid.map(([name, write]) => {
      write(join(folder, name));
      return join(folder, name);
    });
    const { photos } = await predict([...files, valid], { weights });
    for (const [i, [name, , message]] of invalid.entries()) {
      const { error = 'no error' } = photos[i] ?? {};
      ensure(error.startsWith(`${files[i]}: `), `${error} does not begin with the file`);
      ensure(error.includes(message) && !error.includes('\n'), `${name}: ${error}`);
    }
    ensure(photos.at(-1)?.faces?.length === 0, 'the valid photo was not read');
    const all = await mien(['predict', ...files, valid, '--weights', weights]);
    ensure(all.code === 1 && all.out === `${valid}: no face\n`, `exit code ${all.code}: ${all.out}`);
    const lines = all.err.split('\n').filter((line) => line.startsWith('mien: '));
    ensure(lines.length === invalid.length + 1, `${lines.length} lines:\n${all.err}`);
    ensure(lines.at(-1) === `mien: cannot read ${invalid.length} of ${invalid.length + 1} photos`, `${lines.at(-1)}`);
    refused(await mien(['predict', files[0] as string, '--weights', weights]), 'text.jpg: expected JPEG');
    refused(await mien(['video', join(folder, 'folder'), '--weights', weights]), 'expected a folder of .jpg');
    refused(
      await mien(['video', join(folder, 'folder'), '--weights', weights, '--smooth', '-1']),
      'deviation must be 0 or more seconds, got -1',
    );
    refused(await mien(['explain', files[2] as string, '--weights', weights]), 'damaged or truncated');
  }));
