import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { inFolder, mien, refused, soundFile } from './kit.ts';

/** What somebody typed, and what is said of it. */
const options: readonly (readonly [words: readonly string[], sentence: string])[] = [
  [['--epochs', '0'], 'epochs'],
  [['--epochs', '-3'], 'A whole number is expected'],
  [['--batch-size', '0'], 'batchSize'],
  [['--lr', '-1'], 'learningRate'],
  [['--lr', 'fast'], 'A number is expected'],
  [['--momentum', '-0.5'], 'momentum'],
  [['--label-smoothing', '2'], 'labelSmoothing'],
  [['--ema', '1.5'], 'ema'],
  [['--seed', '99999999999999999999'], 'seed'],
  [['--dataset', 'ck+'], 'is fer2013, not ck+'],
  [['--checkpoint-every', '0'], 'checkpointEvery'],
  [['--adapter', 'voodoo'], 'voodoo'],
];

test('mien train refuses options out of range with one line, before it makes a folder', () =>
  inFolder(async (folder) => {
    const [data, out] = [await soundFile(folder), join(folder, 'run')];
    for (const [words, sentence] of options) {
      refused(await mien(['train', '--model', 'nano', '--data', data, '--out', out, ...words]), sentence);
      ensure(!existsSync(out), `${words.join(' ')}: a folder was made`);
    }
  }));
