// The command as a user sees it: arguments, output and exit codes.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawFaces, FER2013_SPLITS, split } from '@mien/fer';
import { writeFer2013 } from '@mien/fer/node';
import { device } from '@mien/tensor';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs `mien` with these arguments; `onOut` is called with standard output and may interrupt the child. */
function mien(words: readonly string[], onOut: (text: string, kill: () => void) => void = () => {}): Promise<Ended> {
  return new Promise((done) => {
    const child = spawn(process.execPath, ['scripts/run.mjs', 'packages/fer/src/commands/main.ts', ...words], {
      // The adapter of the tests.
      env: { ...process.env, INIT_CWD: process.cwd(), MIEN_ADAPTER: process.env.MIEN_ADAPTER ?? device().facts.name },
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (text) => {
      out += text;
      onOut(out, () => child.kill('SIGINT'));
    });
    child.stderr.on('data', (text) => {
      err += text;
    });
    child.on('close', (code) => done({ code, out, err }));
  });
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mien-cli-'));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('mien --version and --help print to standard output and exit with 0', async () => {
  const version = await mien(['--version']);
  assert.is(version.code, 0);
  assert.match(version.out, /^\d+\.\d+\.\d+\n$/);
  const help = await mien(['train', '--help']);
  assert.is(help.code, 0);
  for (const option of [
    '--model',
    '--data',
    '--epochs',
    '--batch-size',
    '--lr',
    '--fold',
    '--seed',
    '--out',
    '--resume',
  ]) {
    assert.match(help.out, option);
  }
});

test('mien reports wrong arguments in one sentence with exit code 1', () =>
  inFolder(async (folder) => {
    const cases: [string[], string][] = [
      [['train', '--model', 'vgg20'], "argument 'vgg20' is invalid"],
      [['train', '--model', 'nano', '--epochs', 'many'], 'Expected an integer'],
      [['train'], 'train needs --model'],
      [['train', '--model', 'nano', '--data', join(folder, 'nowhere')], 'nowhere: no such file or folder'],
      [['evaluate', '--weights', join(folder, 'no.safetensors')], 'no.safetensors: cannot be read'],
      [['sing'], "unknown command 'sing'"],
    ];
    for (const [words, sentence] of cases) {
      const { code, out, err } = await mien(words);
      assert.is(code, 1, words.join(' '));
      assert.is(out, '');
      assert.match(err, sentence);
      assert.not.match(err, /\n\s+at .*\.[cm]?[jt]s:\d+/);
    }
  }));

test('mien train --json writes only JSON lines; Ctrl-C stops it with a checkpoint, and --resume finishes the run', () =>
  inFolder(async (folder) => {
    const faces = drawFaces({ training: 8, publicTest: 1, privateTest: 1 });
    const data = join(folder, 'fer2013.csv');
    await writeFer2013(
      data,
      FER2013_SPLITS.map((usage) => ({ usage, split: split(faces, usage) })),
    );
    const out = join(folder, 'run');
    const words = ['train', '--model', 'nano', '--data', data, '--epochs', '2', '--batch-size', '8', '--json'];
    words.push('--augment', 'none', '--out', out);
    let asked = false;
    const stopped = await mien(words, (text, interrupt) => {
      if (asked || !text.includes('"event":"step"')) return;
      asked = true;
      interrupt();
    });
    assert.is(stopped.code, 130, stopped.err);
    assert.ok(existsSync(join(out, 'last.safetensors')));
    const rest = await mien(['train', '--resume', out, '--json']);
    assert.is(rest.code, 0, rest.err);
    const events = [stopped, rest].map(({ out }) =>
      out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );
    const steps = events.flat().filter(({ event }) => event === 'step');
    assert.equal(
      steps.map(({ step }) => step),
      Array.from({ length: 14 }, (_, i) => i),
    );
    const end = events[1]?.at(-1);
    assert.is(end.event, 'end');
    assert.is(end.summary.protocol.augmentation, null);
    assert.ok(end.summary.testAccuracy >= 0 && end.summary.testAccuracy <= 1);
    assert.match(rest.err, 'adapter: ');
    assert.is(readFileSync(join(out, 'metrics.jsonl'), 'utf8').trimEnd().split('\n').length, 2);
    const found = await mien(['evaluate', '--weights', out, '--split', 'private', '--json']);
    assert.is(JSON.parse(found.out).accuracy, end.summary.privateTestAccuracy);
  }));

test('mien profile writes the time of each kernel of a training step as a table, JSON, a trace and a figure', () =>
  inFolder(async (folder) => {
    const words = ['profile', '--model', 'nano', '--batch-size', '8', '--out', folder];
    const table = await mien(words);
    assert.is(table.code, 0, table.err);
    assert.match(table.out, /^adapter: .*GFLOP\/s in registers/);
    assert.match(table.out, /nano, 8 images: a training step takes [\d.]+ m?s, of which JavaScript/);
    assert.match(table.out, /\n +\d+ .* gemm/);
    assert.equal(readdirSync(folder).sort(), ['profile.json', 'profile.png', 'trace.json']);
    const report = JSON.parse((await mien([...words, '--json'])).out);
    assert.equal(report, JSON.parse(readFileSync(join(folder, 'profile.json'), 'utf8')));
    const calls = report.rows.reduce((sum: number, row: { calls: number }) => sum + row.calls, 0);
    const { traceEvents } = JSON.parse(readFileSync(join(folder, 'trace.json'), 'utf8'));
    assert.is(traceEvents.filter((event: { ph: string }) => event.ph === 'X').length, calls);
  }));

test('mien train names a broken checkpoint and does not change it', () =>
  inFolder(async (folder) => {
    writeFileSync(join(folder, 'last.safetensors'), 'not a checkpoint at all');
    const { code, err } = await mien(['train', '--resume', folder]);
    assert.is(code, 1);
    assert.match(err, 'last.safetensors');
    assert.is(readFileSync(join(folder, 'last.safetensors'), 'utf8'), 'not a checkpoint at all');
  }));
