// Truncated HDF5 files, invalid labels, and paths that cannot be written.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawFaces } from '@mien/fer';
import { prepare, readFaces, writeHdf5 } from '@mien/fer/node';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';
import { inFolder, rejected, validFile } from './kit.ts';

test('readFaces refuses a truncated HDF5 file', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'data.h5');
    await writeHdf5(path, drawFaces({ training: 1, publicTest: 1, privateTest: 1 }));
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, bytes.length / 2));
    await rejected(readFaces(path), 'data.h5: incomplete HDF5 file');
  }));

test('readFaces refuses labels out of range', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'data.h5');
    const faces = drawFaces({ training: 1, publicTest: 1, privateTest: 1 });
    faces.labels[3] = 9;
    await writeHdf5(path, faces);
    await rejected(readFaces(path), 'Training_label, row 3: expected an integer from 0 to 6, got 9');
  }));

test('prepare refuses another data set, its own input and a missing folder, and leaves no files', () =>
  inFolder(async (folder) => {
    const data = await validFile(folder);
    const out = join(folder, 'data.h5');
    await rejected(prepare({ dataset: 'ck+', data, out }), 'expected CK+, got FER2013');
    await rejected(prepare({ dataset: 'fer2013', data, out: data }), 'would overwrite the input');
    await rejected(prepare({ dataset: 'fer2013', data, out, facesOnly: true }), 'needs the votes of FER+');
    const missing = join(folder, 'missing', 'data.h5');
    await rejected(prepare({ dataset: 'fer2013', data, out: missing }), 'cannot be written');
    assert.equal(readdirSync(folder), ['fer2013.csv']);
  }));
