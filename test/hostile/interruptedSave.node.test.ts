// A process that is killed while it saves after every step leaves a complete checkpoint.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTraining } from '@mien/fer';
import { device } from '@mien/tensor';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

test('mien train leaves a readable checkpoint when it is killed during a save', async () => {
  const out = mkdtempSync(join(tmpdir(), 'mien-killed-'));
  try {
    const args = ['train', '--model', 'nano', '--out', out, '--batch-size', '2', '--checkpoint-every', '1', '--json'];
    const child = spawn(process.execPath, ['scripts/run.mjs', 'packages/fer/src/commands/main.ts', ...args], {
      env: { ...process.env, INIT_CWD: process.cwd(), MIEN_ADAPTER: process.env.MIEN_ADAPTER ?? device().facts.name },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let text = '';
    let saves = 0;
    child.stdout.on('data', (chunk) => {
      text += chunk;
      saves = text.split('"event":"checkpoint"').length - 1;
      if (saves >= 5) child.kill('SIGKILL');
    });
    await new Promise((resolve) => child.on('close', resolve));
    assert.ok(saves >= 5, text.slice(0, 500));
    const path = join(out, 'last.safetensors');
    const { info } = readTraining(new Uint8Array(readFileSync(path)), path);
    assert.ok(info.step >= 5);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
});
