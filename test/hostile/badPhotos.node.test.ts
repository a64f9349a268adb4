// Files that are no photos: one plain line each, and the photos beside them are read all the same.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { predict } from '@mien/fer/node';
import { ensure } from '@mien/tensor/testing';
import { PNG } from 'pngjs';
import { ANIMATED_WEBP, CMYK } from '../fer/smallPhotos.ts';
import { test } from '../harness.ts';
import { inFolder, mien, refused, soundRun } from './kit.ts';

/** A PNG of some hundred bytes whose header says 20000x20000. */
function bomb(): Uint8Array {
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

/** What is written under a name, and what must be said of it. */
const bad: readonly (readonly [name: string, make: (path: string) => void, sentence: string])[] = [
  ['text.jpg', (path) => writeFileSync(path, 'these are words'), 'text.jpg: expected JPEG, PNG'],
  ['empty.jpg', (path) => writeFileSync(path, ''), 'the file is empty'],
  ['cut.jpg', (path) => writeFileSync(path, CMYK.subarray(0, CMYK.length - 30)), 'damaged or truncated'],
  [
    'dot.png',
    (path) => writeFileSync(path, PNG.sync.write(new PNG({ width: 1, height: 1 }))),
    'expected at least 24x24 pixels, got 1x1',
  ],
  ['bomb.png', (path) => writeFileSync(path, bomb()), 'expected at most 268,435,456 pixels, got 20000x20000'],
  ['moving.webp', (path) => writeFileSync(path, ANIMATED_WEBP), 'got an animation of 3 frames; use mien video'],
  [
    'drawing.svg',
    (path) => writeFileSync(path, '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"/>'),
    'expected JPEG, PNG, WebP, GIF, TIFF or AVIF, got svg',
  ],
  ['folder', (path) => mkdirSync(path), 'is a folder; pass its photos'],
  ['missing.jpg', () => {}, 'no such file'],
];

test('predict says in one line what is wrong with each file that is no photo, and reads the others', () =>
  inFolder(async (folder) => {
    const weights = await soundRun(folder);
    const sound = join(folder, 'sound.png');
    writeFileSync(sound, PNG.sync.write(new PNG({ width: 64, height: 64 })));
    const files = bad.map(([name, make]) => {
      make(join(folder, name));
      return join(folder, name);
    });
    const { photos } = await predict([...files, sound], { weights });
    for (const [i, [name, , sentence]] of bad.entries()) {
      const { error = 'nothing was refused' } = photos[i] ?? {};
      ensure(error.startsWith(`${files[i]}: `), `${error} does not begin with the file`);
      ensure(error.includes(sentence) && !error.includes('\n'), `${name}: ${error}`);
    }
    ensure(photos.at(-1)?.faces?.length === 0, 'the sound photo was not read');
    const all = await mien(['predict', ...files, sound, '--weights', weights]);
    ensure(all.code === 1 && all.out === `${sound}: no face\n`, `it ended with ${all.code}: ${all.out}`);
    const lines = all.err.split('\n').filter((line) => line.startsWith('mien: '));
    ensure(lines.length === bad.length + 1, `${lines.length} lines:\n${all.err}`);
    ensure(lines.at(-1) === `mien: cannot read ${bad.length} of ${bad.length + 1} photos`, `${lines.at(-1)}`);
    refused(await mien(['predict', files[0] as string, '--weights', weights]), 'text.jpg: expected JPEG');
    refused(await mien(['video', join(folder, 'folder'), '--weights', weights]), 'expected a folder of .jpg');
    refused(
      await mien(['video', join(folder, 'folder'), '--weights', weights, '--smooth', '-1']),
      'deviation must be 0 or more seconds, got -1',
    );
    refused(await mien(['explain', files[2] as string, '--weights', weights]), 'damaged or truncated');
  }));
