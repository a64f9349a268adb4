import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSafetensors, writeSafetensors } from '@mien/nn/safetensors';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { contentOf, inFolder, mien, refused, validRun } from './kit.ts';

test('mien train reports a loss that is not finite in one line, and changes no file', () =>
  inFolder(async (folder) => {
    const run = await validRun(folder);
    const path = join(run, 'last.safetensors');
    const { tensors, metadata } = readSafetensors(new Uint8Array(readFileSync(path)));
    // The weights are finite, so that the file is accepted, but the logits overflow.
    (tensors.get('classifier.weight') as { data: Float32Array }).data.fill(3e38);
    writeFileSync(path, writeSafetensors(tensors, metadata));
    const before = contentOf(run);
    refused(
      await mien(['train', '--resume', run, '--checkpoint-every', '1']),
      'in layer classifier is the first to produce Infinity',
    );
    ensure(contentOf(run) === before, 'a file of the run changed');
  }));
