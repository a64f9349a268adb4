// Hidden files that macOS and Windows add to folders of images are skipped and counted.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { audit, readFaces, video } from '@mien/fer/node';
import { ensure } from '@mien/tensor/testing';
import { PNG } from 'pngjs';
import { test } from '../harness.ts';
import { inFolder, mien } from './kit.ts';

const APPLE_DOUBLE = '\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        ';

function image(shade: number, side = 48): Buffer {
  const png = new PNG({ width: side, height: side });
  for (let p = 0; p < png.data.length; p++) png.data[p] = p % 4 === 3 ? 255 : (shade + (p >> 6)) % 256;
  return PNG.sync.write(png);
}

/** Adds the hidden files of macOS and Windows to every folder of images, and the __MACOSX folder of an archive. */
function addHiddenFiles(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.startsWith('.')) continue;
    writeFileSync(join(entry.parentPath, `._${entry.name}`), APPLE_DOUBLE, 'latin1');
    for (const name of ['.DS_Store', 'Thumbs.db', 'desktop.ini']) writeFileSync(join(entry.parentPath, name), '');
  }
  const copy = mkdtempSync(join(tmpdir(), 'mien-hidden-'));
  cpSync(folder, copy, { recursive: true });
  cpSync(copy, join(folder, '__MACOSX'), { recursive: true });
  rmSync(copy, { recursive: true });
}

const TREE = ['angry', 'disgust', 'fear', 'happy', 'sad', 'surprise', 'neutral'];
const CK_PLUS = ['anger', 'contempt', 'disgust', 'fear', 'happy', 'sadness', 'surprise'];

test('readFaces and audit skip and count hidden system files in an image tree and in CK+48', () =>
  inFolder(async (folder) => {
    for (const [kind, parts, classes] of [
      ['tree', ['train', 'test'], TREE],
      ['named', [''], TREE],
      ['CK+48', [''], CK_PLUS],
    ] as const) {
      const root = join(folder, kind);
      for (const [i, part] of parts.entries())
        for (const [label, name] of classes.entries()) {
          mkdirSync(join(root, part, name), { recursive: true });
          const file = kind === 'named' ? `Training_${label}.png` : `S010_00${i}_0000000${label}.png`;
          writeFileSync(join(root, part, name, file), image(30 * label + 7 * i));
        }
      const before = await readFaces(root);
      addHiddenFiles(root);
      const after = await readFaces(root);
      ensure(Buffer.compare(before.images, after.images) === 0, `${kind}: the images differ`);
      ensure((before.hidden ?? 0) === 0 && after.hidden === 7 * parts.length, `${kind}: ${after.hidden} hidden`);
      if (kind !== 'CK+48')
        ensure((await audit({ data: root })).hidden === after.hidden, `${kind}: audit reports another count`);
    }
    const { code, out, err } = await mien(['audit', join(folder, 'tree')]);
    ensure(code === 0 && out.includes('14 images skipped: hidden files'), `${code}: ${out}${err}`);
  }));

test('video skips hidden system files in a folder of frames', () =>
  inFolder(async (folder) => {
    for (let i = 0; i < 3; i++) writeFileSync(join(folder, `${i}.png`), image(40 * i, 64));
    addHiddenFiles(folder);
    const { frames, errors } = await video(folder, { weights: 'nano', detect: false });
    ensure(frames === 3 && errors.length === 0, `${frames} frames, ${errors}`);
  }));
