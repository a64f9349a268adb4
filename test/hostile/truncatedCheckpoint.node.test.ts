import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { train } from '@mien/fer/node';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { contentOf, inFolder, rejected, validRun } from './kit.ts';

/** Positions of truncation, and the expected messages. */
const cuts: readonly (readonly [where: string, length: (size: number) => number, message: string])[] = [
  [
    'in its last tensor',
    (size) => size - 1,
    'tensor ema.classifier.bias: ends at byte 317512 of the data, the file has 317511',
  ],
  ['in its header', () => 100, 'expected a header of 18720 bytes, got 92'],
  ['before its header', () => 3, 'expected at least 8 bytes, got 3'],
  ['at byte 0', () => 0, 'expected at least 8 bytes, got 0'],
];

for (const [where, length, message] of cuts) {
  test(`train refuses to resume a checkpoint that ends ${where}, and changes no file`, () =>
    inFolder(async (folder) => {
      const run = await validRun(folder);
      const path = join(run, 'last.safetensors');
      const bytes = readFileSync(path);
      writeFileSync(path, bytes.subarray(0, length(bytes.length)));
      const before = contentOf(run);
      await rejected(train({ resume: run }), message);
      await rejected(train({ resume: run }), path);
      ensure(contentOf(run) === before, 'a file of the run changed');
    }));
}
