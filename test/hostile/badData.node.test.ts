// Invalid data sets: train reports one line and creates no folder.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { train } from '@mien/fer/node';
import { ensure } from '@mien/tensor/testing';
import { PNG } from 'pngjs';
import { test } from '../harness.ts';
import { inFolder, mien, refused, rejected, validLines } from './kit.ts';

/** Writes invalid data into a folder and returns its path. */
type WriteData = (folder: string) => string;

function csv(change: (lines: string[]) => void): WriteData {
  return (folder) => {
    const [path, lines] = [join(folder, 'fer2013.csv'), validLines()];
    change(lines);
    writeFileSync(path, lines.join(''));
    return path;
  };
}

function images(names: readonly string[], [width, height]: readonly [number, number]): WriteData {
  return (folder) => {
    for (const name of names) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'S1.png'), PNG.sync.write(new PNG({ width, height })));
    }
    return folder;
  };
}

const SIX_CLASSES = ['anger', 'disgust', 'fear', 'happy', 'sadness', 'surprise'];

const cases: Readonly<Record<string, readonly [WriteData, string]>> = {
  'a short pixel row': [
    csv((lines) => lines.splice(3, 1, (lines[3] as string).replace(/ \d+,/, ','))),
    'line 4: expected 2304 pixels (48 x 48), got 2303',
  ],
  'a label of 9': [
    csv((lines) => lines.splice(5, 1, (lines[5] as string).replace(/^\d/, '9'))),
    'line 6: emotion must be 0 to 6, got "9"',
  ],
  'a missing column': [
    csv((lines) => lines.splice(0, 1, 'emotion,Usage\n')),
    'line 1: expected the columns emotion,pixels,Usage',
  ],
  'no training rows': [
    csv((lines) => lines.splice(0, lines.length, ...lines.filter((line) => !line.includes('Training')))),
    'Training',
  ],
  'no test rows': [
    csv((lines) => lines.splice(0, lines.length, ...lines.filter((line) => !line.includes('PublicTest')))),
    'PublicTest',
  ],
  'a missing path': [(folder) => join(folder, 'missing'), 'missing: no such file or folder'],
  'a missing class folder': [images(SIX_CLASSES, [48, 48]), 'missing the folders contempt'],
  'an image of the wrong size': [
    images([...SIX_CLASSES, 'contempt'], [48, 47]),
    'S1.png: expected 48x48 pixels, got 48x47',
  ],
  'too few images for the folds': [images([...SIX_CLASSES, 'contempt'], [48, 48]), 'expected the 981 images of CK+48'],
  'an image instead of a CSV file': [
    (folder) => {
      const path = join(folder, 'photo.png');
      writeFileSync(path, PNG.sync.write(new PNG({ width: 48, height: 48 })));
      return path;
    },
    'expected a fer2013.csv or an HDF5 file, got a PNG image',
  ],
};

for (const [name, [write, message]] of Object.entries(cases)) {
  test(`train refuses ${name}`, () =>
    inFolder(async (folder) => {
      const out = join(folder, 'run');
      await rejected(train({ model: 'nano', data: write(folder), out }), message);
      ensure(!existsSync(out), 'a folder was created');
    }));
}

test('mien train reports missing data in one line and exits with an error code', () =>
  inFolder(async (folder) => {
    const out = join(folder, 'run');
    const path = join(folder, 'missing');
    refused(await mien(['train', '--model', 'nano', '--data', path, '--out', out]), `${path}: no such file or folder`);
    ensure(!existsSync(out), 'a folder was created');
  }));
