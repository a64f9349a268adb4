// Output that nobody reads any more, as of `mien ... | head`: the command stops quietly, or goes on without its progress.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTraining } from '@mien/fer';
import { device } from '@mien/tensor';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { inFolder, soundFile } from './kit.ts';

/** Runs `mien` and closes one of its outputs after its first text: the exit code, and what the other output said. */
function mienUntilClosed(
  words: readonly string[],
  closed: 'stdout' | 'stderr',
): Promise<{ code: number | null; other: string }> {
  const child = spawn(process.execPath, ['scripts/run.mjs', 'packages/fer/src/commands/main.ts', ...words], {
    env: { ...process.env, INIT_CWD: process.cwd(), MIEN_ADAPTER: process.env.MIEN_ADAPTER ?? device().facts.name },
  });
  let other = '';
  child[closed].once('data', () => child[closed].destroy());
  child[closed === 'stdout' ? 'stderr' : 'stdout'].on('data', (text) => {
    other += text;
  });
  return new Promise((done) => child.on('close', (code) => done({ code, other })));
}

test(
  'mien train --json saves a checkpoint and ends quietly when its output is closed',
  () =>
    inFolder(async (folder) => {
      const [data, out] = [await soundFile(folder), join(folder, 'run')];
      const words = ['train', '--model', 'nano', '--data', data, '--epochs', '400', '--json', '--out', out];
      const { code, other } = await mienUntilClosed(words, 'stdout');
      ensure(code === 141, `it ended with ${code}: ${other}`);
      ensure(!/Unhandled|\n\s+at |EPIPE|mien: /.test(other), other);
      const path = join(out, 'last.safetensors');
      ensure(readTraining(new Uint8Array(readFileSync(path)), path).name === 'nano', 'it holds another network');
      ensure(!existsSync(join(out, 'claimed')), 'the folder is still claimed');
    }),
  { seconds: 240 },
);

test(
  'mien train trains to its end when its progress is closed',
  () =>
    inFolder(async (folder) => {
      const [data, out] = [await soundFile(folder), join(folder, 'run')];
      const words = ['train', '--model', 'nano', '--data', data, '--epochs', '3', '--out', out];
      const { code, other } = await mienUntilClosed(words, 'stderr');
      ensure(code === 0 && other.includes('written to'), `it ended with ${code}: ${other}`);
      const epochs = readFileSync(join(out, 'metrics.jsonl'), 'utf8').trim().split('\n').length;
      ensure(epochs === 3, `${epochs} epochs`);
    }),
  { seconds: 240 },
);
