// mien tune as a user sees it: its output, its stored choices, and training with them.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { device } from '@mien/tensor';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';

test(
  'mien tune prints a line per shape, stores, lists and deletes it; training with MIEN_TUNE=on reports tuning',
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'mien-tune-'));
    const mien = (words: readonly string[], tune = 'off'): { code: number | null; out: string; err: string } => {
      const adapter = process.env.MIEN_ADAPTER ?? device().facts.name;
      const own = { INIT_CWD: process.cwd(), XDG_CACHE_HOME: folder, MIEN_TUNE: tune, MIEN_ADAPTER: adapter };
      const command = ['scripts/run.mjs', 'packages/fer/src/commands/main.ts', ...words];
      const ended = spawnSync(process.execPath, command, { env: { ...process.env, ...own }, encoding: 'utf8' });
      return { code: ended.status, out: ended.stdout, err: ended.stderr };
    };
    try {
      const empty = mien(['tune', '--list']);
      ensure(empty.code === 0 && empty.out.startsWith('no choices are stored'), empty.out + empty.err);
      const out = join(folder, 'run');
      const train = ['train', '--model', 'nano', '--batch-size', '4', '--stop-after', '1', '--out', out];
      const trained = mien(train, 'on');
      ensure(trained.code === 0 && trained.err.includes('tuning: timing the algorithms'), trained.err);
      const tuned = mien(['tune', '--model', 'nano', '--batch-size', '4', '--json']);
      ensure(tuned.code === 0, tuned.err);
      const { ratio, results } = JSON.parse(tuned.out) as { ratio: number; results: { known: boolean }[] };
      ensure(ratio > 0 && results.length > 10 && results.every(({ known }) => known), tuned.out);
      const listed = mien(['tune', '--list']);
      ensure(/ms +fixed ms +ratio +algorithm/.test(listed.out) && listed.out.includes('conv2d 4x1x44x44'), listed.out);
      const deleted = mien(['tune', '--delete']);
      ensure(/^deleted the choices for \d+ operations and shapes\n$/.test(deleted.out), deleted.out);
      ensure(mien(['tune', '--list']).out === empty.out, 'nothing is left');
      const wrong = mien(['tune', '--model', 'nano'], 'perhaps');
      ensure(wrong.code === 1 && wrong.err.includes('MIEN_TUNE must be on or off, got perhaps'), wrong.err);
      ensure(mien(['tune']).err.includes('tune needs --model'), 'it says what it needs');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  { seconds: 400 },
);
