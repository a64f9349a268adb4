// HDF5 files that are cut off, or of something else, and places where none can be written.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawFaces } from '@mien/fer';
import { prepare, readFaces, writeHdf5 } from '@mien/fer/node';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';
import { inFolder, rejected, soundFile } from './kit.ts';

test('readFaces refuses an HDF5 file that was cut off', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'data.h5');
    await writeHdf5(path, drawFaces({ training: 1, publicTest: 1, privateTest: 1 }));
    const whole = readFileSync(path);
    writeFileSync(path, whole.subarray(0, whole.length / 2));
    await rejected(readFaces(path), 'data.h5: incomplete HDF5 file');
  }));

test('readFaces refuses labels that are no class', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'data.h5');
    const faces = drawFaces({ training: 1, publicTest: 1, privateTest: 1 });
    faces.labels[3] = 9;
    await writeHdf5(path, faces);
    await rejected(readFaces(path), 'Training_label, row 3: expected an integer from 0 to 6, got 9');
  }));

test('prepare refuses another data set, its own input, and a folder that is not there, and leaves nothing behind', () =>
  inFolder(async (folder) => {
    const data = await soundFile(folder);
    const out = join(folder, 'data.h5');
    await rejected(prepare({ dataset: 'ck+', data, out }), 'expected CK+, got FER2013');
    await rejected(prepare({ dataset: 'fer2013', data, out: data }), 'would overwrite the input');
    await rejected(prepare({ dataset: 'fer2013', data, out, facesOnly: true }), 'needs the votes of FER+');
    const nowhere = join(folder, 'nowhere', 'data.h5');
    await rejected(prepare({ dataset: 'fer2013', data, out: nowhere }), 'cannot be written');
    assert.equal(readdirSync(folder), ['fer2013.csv']);
  }));
