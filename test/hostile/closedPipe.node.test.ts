// Closed output pipes, as in `mien ... | head`: the command stops quietly, or continues without printing progress.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTraining } from '@mien/fer';
import { device } from '@mien/tensor';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { inFolder, validFile } from './kit.ts';

/** Runs `mien` and closes one of its outputs after the first chunk. Returns the exit code and the text of the other output. */
function mienUntilClosed(
  args: readonly string[],
  closed: 'stdout' | 'stderr',
): Promise<{ code: number | null; other: string }> {
  const child = spawn(process.execPath, ['scripts/run.mjs', 'packages/fer/src/commands/main.ts', ...args], {
    env: { ...process.env, INIT_CWD: process.cwd(), MIEN_ADAPTER: process.env.MIEN_ADAPTER ?? device().facts.name },
  });
  let other = '';
  child[closed].once('data', () => child[closed].destroy());
  child[closed === 'stdout' ? 'stderr' : 'stdout'].on('data', (text) => {
    other += text;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, other })));
}

test(
  'mien train --json saves a checkpoint and stops quietly when its output is closed',
  () =>
    inFolder(async (folder) => {
      const [data, out] = [await validFile(folder), join(folder, 'run')];
      const args = ['train', '--model', 'nano', '--data', data, '--epochs', '400', '--json', '--out', out];
      const { code, other } = await mienUntilClosed(args, 'stdout');
      ensure(code === 141, `exit code ${code}: ${other}`);
      ensure(!/Unhandled|\n\s+at |EPIPE|mien: /.test(other), other);
      const path = join(out, 'last.safetensors');
      ensure(readTraining(new Uint8Array(readFileSync(path)), path).name === 'nano', 'got another network');
      ensure(!existsSync(join(out, 'claimed')), 'the folder is still claimed');
    }),
  { seconds: 240 },
);

test(
  'mien train finishes when its progress output is closed',
  () =>
    inFolder(async (folder) => {
      const [data, out] = [await validFile(folder), join(folder, 'run')];
      const args = ['train', '--model', 'nano', '--data', data, '--epochs', '3', '--out', out];
      const { code, other } = await mienUntilClosed(args, 'stderr');
      ensure(code === 0 && other.includes('written to'), `exit code ${code}: ${other}`);
      const epochs = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n').length;
      ensure(epochs === 3, `${epochs} epochs`);
    }),
  { seconds: 240 },
);
