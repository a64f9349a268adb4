import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTraining } from '@mien/fer';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { inFolder, mien, soundRun } from './kit.ts';

test(
  'mien train leaves a whole checkpoint after Ctrl-C twice in the middle of saves',
  () =>
    inFolder(async (folder) => {
      const run = await soundRun(folder);
      // A save after each step: signals at different delays meet all of its parts.
      for (const delay of [1, 5]) {
        let sent = false;
        const { code } = await mien(
          ['train', '--resume', run, '--checkpoint-every', '1', '--json'],
          (text, interrupt) => {
            if (sent || !text.includes('"event":"checkpoint"')) return;
            sent = true;
            setTimeout(() => {
              interrupt('SIGINT');
              interrupt('SIGINT');
            }, delay);
          },
        );
        ensure(sent && code !== 0, `it ended with ${code} before it was interrupted`);
        const path = join(run, 'last.safetensors');
        ensure(readTraining(new Uint8Array(readFileSync(path)), path).name === 'nano', 'it holds another network');
      }
    }),
  { seconds: 300 },
);
