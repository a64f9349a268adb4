import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { evaluate, train } from '@mien/fer/node';
import { readSafetensors, writeSafetensors } from '@mien/nn/safetensors';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { contentOf, inFolder, rejected, validRun } from './kit.ts';

test('train refuses to resume a run with another model', () =>
  inFolder(async (folder) => {
    const run = await validRun(folder);
    const before = contentOf(run);
    await rejected(train({ model: 'small', resume: run }), 'is a run of nano, got --model small');
    ensure(contentOf(run) === before, 'a file of the run changed');
  }));

test('evaluate refuses a checkpoint with the tensors of another network', () =>
  inFolder(async (folder) => {
    const run = await validRun(folder);
    const path = join(run, 'last.safetensors');
    const { tensors, metadata } = readSafetensors(new Uint8Array(readFileSync(path)));
    const info = { ...JSON.parse(metadata.get('mien') ?? ''), model: 'small' };
    writeFileSync(path, writeSafetensors(tensors, new Map([['mien', JSON.stringify(info)]])));
    const before = contentOf(run);
    await rejected(evaluate({ weights: run }), 'loadStateDict: missing');
    ensure(contentOf(run) === before, 'a file of the run changed');
  }));
