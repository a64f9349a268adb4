import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTraining } from '@mien/fer';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { inFolder, mien, validRun } from './kit.ts';

test(
  'mien train leaves a complete checkpoint after two Ctrl-C during saves',
  () =>
    inFolder(async (folder) => {
      const run = await validRun(folder);
      // With a save after each step, signals at different delays interrupt all of its phases.
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
        ensure(sent && code !== 0, `exit code ${code} before the interrupt`);
        const path = join(run, 'last.safetensors');
        ensure(readTraining(new Uint8Array(readFileSync(path)), path).name === 'nano', 'got another network');
      }
    }),
  { seconds: 300 },
);
