// The ten folds on drawn faces with the classes and counts of CK+.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { CK_PLUS_CLASSES, CK_PLUS_COUNTS, drawFaces, type Faces, PIXELS } from '@mien/fer';
import { type FoldEvent, type KFoldOptions, type KFoldReport, kfold, poolFolds, type RunEvent } from '@mien/fer/node';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

/** Drawn faces with the class counts of CK+, class by class. */
function like(): Faces {
  const drawn = drawFaces({ training: 1, publicTest: 1, privateTest: 1 });
  const labels = CK_PLUS_COUNTS.flatMap((n, label) => Array.from({ length: n }, () => label));
  const images = new Uint8Array(labels.length * PIXELS);
  for (const [i, label] of labels.entries()) {
    const from = drawn.labels.indexOf(label);
    images.set(drawn.images.subarray(from * PIXELS, (from + 1) * PIXELS), i * PIXELS);
    images[i * PIXELS + (i % PIXELS)] = i % 256;
  }
  const sources = labels.map((label, i) => {
    const sequence = Math.floor(i / 3);
    return `${CK_PLUS_CLASSES[label]}/S${String(sequence % 60).padStart(3, '0')}_${String(sequence).padStart(3, '0')}_0000000${i % 3}.png`;
  });
  return { dataset: 'ck+', classes: CK_PLUS_CLASSES, images, labels: Uint8Array.from(labels), splits: {}, sources };
}

const faces = like();
const short = { model: 'nano', faces, config: { epochs: 1, batchSize: 441, crops: 1 } } as const;

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mien-kfold-'));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs folds; returns the report and the fold events. */
async function folds(options: KFoldOptions): Promise<{ readonly report: KFoldReport; readonly states: string[] }> {
  const states: string[] = [];
  const onEvent = (event: RunEvent | FoldEvent): void => {
    if (event.event === 'fold') states.push(`${event.fold} ${event.state}`);
  };
  return { report: await kfold({ onEvent, ...options }), states };
}

test('kfold works in several calls, resumes inside a fold, and pools all ten: n = 990 for the reference’s folds', () =>
  inFolder(async (folder) => {
    const out = join(folder, 'folds');
    const stop = new AbortController();
    const stopped = await kfold({
      ...short,
      out,
      only: [1, 1],
      signal: stop.signal,
      onEvent: (event) => {
        if (event.event === 'step') stop.abort();
      },
    });
    assert.is(stopped.results.length, 0);
    assert.is(stopped.missing.length, 10);
    const first = await folds({ faces, out, only: [1, 2] });
    assert.equal(first.states, ['1 resumed', '2 new']);
    assert.is(first.report.seeds[0]?.finished, 2);
    assert.is(first.report.seeds[0]?.last.n, 198);
    // The other folds, as another process could leave them: they must be read, not trained again.
    const folder2 = join(out, 'seed-1', 'fold-02');
    for (const rest of ['03', '04', '05', '06', '07', '08', '09', '10']) {
      cpSync(folder2, join(out, 'seed-1', `fold-${rest}`), { recursive: true });
    }
    const before = statSync(join(out, 'seed-1', 'fold-04', 'last.safetensors')).mtimeMs;
    const { report, states } = await folds({ faces, out });
    assert.ok(states.every((state) => state.endsWith('finished')) && states.length === 10);
    assert.is(statSync(join(out, 'seed-1', 'fold-04', 'last.safetensors')).mtimeMs, before);
    const pooled = report.seeds[0]?.last;
    assert.equal([pooled?.n, pooled?.sequences, report.missing.length], [990, 319, 0]);
    // The only epoch is both last and best; evaluations of its checkpoints agree with its run.
    assert.equal(report.seeds[0]?.best, pooled);
    for (const { fold, last } of report.results) {
      const summary = join(out, 'seed-1', `fold-${String(fold).padStart(2, '0')}`, 'summary.json');
      assert.is(last, JSON.parse(readFileSync(summary, 'utf8')).testAccuracy);
    }
    const { tested, testedTwice, testedNever, sharedSequence } = report.leaks;
    assert.equal([tested, testedTwice, testedNever, sharedSequence], [990, 33, 24, 0]);
    assert.equal(JSON.parse(readFileSync(join(out, 'result.json'), 'utf8')), JSON.parse(JSON.stringify(report)));
    assert.ok(readdirSync(out).includes('confusion-last.png') && existsSync(join(out, 'confusion-best.png')));
  }));

test('kfold refuses other settings in a folder with folds, and options out of range', () =>
  inFolder(async (folder) => {
    const out = join(folder, 'folds');
    await kfold({ ...short, out, only: [1, 1], signal: AbortSignal.abort() });
    const refusals: [KFoldOptions, RegExp][] = [
      [{ ...short, out, model: 'small' }, /has folds with another model; pass another --out/],
      [{ ...short, out, config: { epochs: 2 } }, /has folds with another configuration/],
      [{ ...short, out, only: [3, 11] }, /only must be folds from 1 to 10, got 3 to 11/],
      [{ ...short, out, seeds: [0.5] }, /a seed must be an integer from 0, got 0.5/],
      [{ faces, out: join(folder, 'new') }, /model is required/],
      [{ ...short, faces: drawFaces({ training: 1 }), out: join(folder, 'new') }, /expected CK\+, got drawn faces/],
    ];
    for (const [options, sentence] of refusals) {
      const message = await kfold(options).then(
        () => 'accepted',
        (reason: Error) => reason.message,
      );
      assert.match(message, sentence);
    }
    writeFileSync(join(out, 'settings.json'), '{');
    const message = await kfold({ ...short, out }).then(
      () => 'accepted',
      (reason: Error) => reason.message,
    );
    assert.match(message, /settings.json: not JSON/);
  }));

test('kfold skips a fold of another process, and resumes that of a dead one', () =>
  inFolder(async (folder) => {
    const out = join(folder, 'folds');
    await kfold({ ...short, out, only: [1, 1], signal: AbortSignal.abort() });
    const fold = join(out, 'seed-1', 'fold-07');
    mkdirSync(fold, { recursive: true });
    writeFileSync(join(fold, 'claimed'), `${process.pid} ${hostname()}\n`);
    assert.equal((await folds({ faces, out, only: [7, 7] })).states, ['7 elsewhere']);
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(join(fold, 'claimed'), `${dead} ${hostname()}\n`);
    const stop = new AbortController();
    const states: string[] = [];
    const onEvent = (event: RunEvent | FoldEvent): void => {
      if (event.event === 'fold') states.push(event.state);
      if (event.event === 'step') stop.abort();
    };
    await kfold({ faces, out, only: [7, 7], signal: stop.signal, onEvent });
    assert.equal(states, ['new']);
    assert.not.ok(existsSync(join(fold, 'claimed')));
  }));

test('poolFolds counts an image of two folds twice and its sequence once', () => {
  const pooled = poolFolds(
    [
      {
        tested: [0, 1, 2, 3, 4, 5],
        confusion: [
          [3, 0],
          [1, 2],
        ],
      },
      {
        tested: [3, 4, 5],
        confusion: [
          [0, 0],
          [0, 3],
        ],
      },
    ],
    ['a', 'b'],
  );
  assert.equal([pooled.n, pooled.correct, pooled.sequences], [9, 8, 2]);
  assert.is(pooled.accuracy, 8 / 9);
  assert.is(pooled.mean, (5 / 6 + 1) / 2);
  assert.ok(Math.abs((pooled.deviation as number) - Math.sqrt(2) / 12) < 1e-12);
  assert.throws(() => poolFolds([], ['a']), /expected one fold or more/);
});
