import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type TrainOptions, train } from '@mien/fer/node';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { inFolder, mien, refused, rejected, soundFile } from './kit.ts';

/** What somebody typed, and what is said of it. */
const typed: readonly (readonly [words: readonly string[], sentence: string])[] = [
  [['--epochs', '0'], 'epochs is 0, expected an integer from 1'],
  [['--epochs', '-3'], 'An integer is expected'],
  [['--lr', 'fast'], 'A number is expected'],
  [['--adapter', 'voodoo'], 'voodoo'],
];

test('mien train refuses options out of range with one line, before it makes a folder', () =>
  inFolder(async (folder) => {
    const [data, out] = [await soundFile(folder), join(folder, 'run')];
    for (const [words, sentence] of typed) {
      refused(await mien(['train', '--model', 'nano', '--data', data, '--out', out, ...words]), sentence);
      ensure(!existsSync(out), `${words.join(' ')}: a folder was made`);
    }
  }));

/** What a program asked for, and what is said of it. */
const asked: readonly (readonly [options: TrainOptions, sentence: string])[] = [
  [{ protocol: { batchSize: 0 } }, 'batchSize is 0, expected an integer from 2'],
  [{ protocol: { batchSize: 1 } }, 'batchSize is 1, expected an integer from 2'],
  [{ protocol: { learningRate: -1 } }, 'learningRate is -1, expected a number above 0'],
  [{ protocol: { learningRate: Number.NaN } }, 'learningRate is NaN, expected a number above 0'],
  [{ protocol: { momentum: -0.5 } }, 'momentum is -0.5, expected 0 to below 1'],
  [{ protocol: { labelSmoothing: 2 } }, 'labelSmoothing is 2, expected 0 to below 1'],
  [{ protocol: { ema: 1.5 } }, 'ema is 1.5, expected null, or 0 to below 1'],
  [{ seed: 1e20 }, 'seed 100000000000000000000, expected an integer'],
  [{ seed: -1 }, 'seed -1, expected an integer'],
  [{ dataset: 'ck+' }, 'is fer2013, not ck+'],
  [{ checkpointEvery: 0 }, 'checkpointEvery is 0, expected a positive number of steps'],
  [{ stopAfter: 1.5 }, 'stopAfter is 1.5, expected a positive number of steps'],
];

test('train refuses options out of range, before it makes a folder', () =>
  inFolder(async (folder) => {
    const [data, out] = [await soundFile(folder), join(folder, 'run')];
    for (const [options, sentence] of asked) {
      await rejected(train({ model: 'nano', data, out, ...options }), sentence);
      ensure(!existsSync(out), `${JSON.stringify(options)}: a folder was made`);
    }
  }));
