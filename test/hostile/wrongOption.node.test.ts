import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type TrainOptions, train } from '@mien/fer/node';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { inFolder, mien, refused, rejected, validFile } from './kit.ts';

/** Command-line options, and the expected messages. */
const commands: readonly (readonly [args: readonly string[], message: string])[] = [
  [['--epochs', '0'], 'epochs must be an integer from 1, got 0'],
  [['--epochs', '-3'], 'Expected an integer'],
  [['--lr', 'fast'], 'Expected a number'],
  [['--adapter', 'voodoo'], 'voodoo'],
];

test('mien train refuses options out of range in one line, before it creates a folder', () =>
  inFolder(async (folder) => {
    const [data, out] = [await validFile(folder), join(folder, 'run')];
    for (const [args, message] of commands) {
      refused(await mien(['train', '--model', 'nano', '--data', data, '--out', out, ...args]), message);
      ensure(!existsSync(out), `${args.join(' ')}: a folder was created`);
    }
  }));

/** Options of train, and the expected messages. */
const calls: readonly (readonly [options: TrainOptions, message: string])[] = [
  [{ config: { batchSize: 0 } }, 'batchSize must be an integer from 2, got 0'],
  [{ config: { batchSize: 1 } }, 'batchSize must be an integer from 2, got 1'],
  [{ config: { learningRate: -1 } }, 'learningRate must be a number above 0'],
  [{ config: { learningRate: Number.NaN } }, 'learningRate must be a number above 0'],
  [{ config: { momentum: -0.5 } }, 'momentum must be 0 to below 1, got -0.5'],
  [{ config: { labelSmoothing: 2 } }, 'labelSmoothing must be 0 to below 1, got 2'],
  [{ config: { ema: 1.5 } }, 'ema must be null, or 0 to below 1, got 1.5'],
  [{ seed: 1e20 }, 'seed must be an integer from 0, got 100000000000000000000'],
  [{ seed: -1 }, 'seed must be an integer from 0, got -1'],
  [{ dataset: 'ck+' }, 'expected ck+, got fer2013'],
  [{ checkpointEvery: 0 }, 'checkpointEvery must be a positive number of steps, got 0'],
  [{ stopAfter: 1.5 }, 'stopAfter must be a positive number of steps, got 1.5'],
];

test('train refuses options out of range, before it creates a folder', () =>
  inFolder(async (folder) => {
    const [data, out] = [await validFile(folder), join(folder, 'run')];
    for (const [options, message] of calls) {
      await rejected(train({ model: 'nano', data, out, ...options }), message);
      ensure(!existsSync(out), `${JSON.stringify(options)}: a folder was created`);
    }
  }));
