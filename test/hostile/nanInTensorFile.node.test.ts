import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors, writeSafetensors } from '@mien/nn/safetensors';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { contentOf, inFolder, mien, refused, validRun } from './kit.ts';

test('mien evaluate and train --resume refuse a tensor file with NaN and name the element', () =>
  inFolder(async (folder) => {
    const run = await validRun(folder);
    const path = join(run, 'last.safetensors');
    const { tensors, metadata } = readSafetensors(new Uint8Array(readFileSync(path)));
    (tensors.get('classifier.bias') as { data: Float32Array }).data[4] = Number.NaN;
    writeFileSync(path, writeSafetensors(tensors, metadata));
    const before = contentOf(run);
    for (const args of [
      ['evaluate', '--weights', path],
      ['train', '--resume', run],
    ]) {
      refused(await mien(args), `${path}: tensor classifier.bias: element 4 is NaN`);
    }
    ensure(contentOf(run) === before, 'a file of the run changed');
  }));
