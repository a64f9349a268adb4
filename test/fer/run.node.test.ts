// Run folders: their files, stop and resume, evaluation. On a few drawn faces, for speed.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawFaces, FER2013_SPLITS, readTraining, split } from '@mien/fer';
import { type EpochMetrics, evaluate, type RunEvent, type TrainOptions, train, writeFer2013 } from '@mien/fer/node';
import { ValueError } from '@mien/tensor';
import { PNG } from 'pngjs';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

const faces = drawFaces({ training: 3, publicTest: 1, privateTest: 1 });

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mien-run-'));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Trains nano on the faces; returns the losses of all steps. */
async function run(options: TrainOptions): Promise<number[]> {
  const losses: number[] = [];
  const onEvent = (event: RunEvent): void => {
    if (event.event === 'step') losses.push(event.loss);
  };
  await train({ faces, onEvent, ...options });
  return losses;
}

const short = { model: 'nano', config: { epochs: 2, batchSize: 8 } } as const;

const metricsOf = (folder: string): EpochMetrics[] =>
  readFileSync(join(folder, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

test('train writes all files of the run folder, with accuracies as fractions', () =>
  inFolder(async (folder) => {
    const out = join(folder, 'run');
    const { summary } = await train({ ...short, faces, out });
    assert.equal(JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')), JSON.parse(JSON.stringify(summary)));
    assert.ok(summary.adapter.length > 0);
    assert.is(summary.dataset, 'drawn');
    assert.is(summary.model, 'nano');
    assert.is(summary.epochs, 2);
    assert.ok(summary.complete && summary.trainSeconds > 0 && summary.imagesPerSecond > 0);
    const metrics = metricsOf(out);
    assert.equal(
      metrics.map(({ epoch }) => epoch),
      [0, 1],
    );
    for (const line of metrics) {
      assert.ok(line.trainAccuracy >= 0 && line.trainAccuracy <= 1 && line.testAccuracy >= 0 && line.testAccuracy <= 1);
      assert.ok(
        [line.trainLoss, line.testLoss, line.learningRate, line.seconds, line.imagesPerSecond].every(Number.isFinite),
      );
    }
    // Epochs are tested with one view by this preset; the last also with ten.
    assert.equal(
      metrics.map(({ crops }) => crops),
      [1, 1],
    );
    const seen = async (crops: 1 | 10) => (await evaluate({ weights: out, faces, split: 'public', crops })).accuracy;
    assert.is(summary.testAccuracy, await seen(10));
    assert.is(metrics[1]?.testAccuracy, await seen(1));
    const best = Math.max(...metrics.map(({ testAccuracy }) => testAccuracy));
    assert.is(summary.bestTestAccuracy, best);
    assert.is(metrics[summary.bestEpoch as number]?.testAccuracy, best);
    for (const name of ['last', 'best']) {
      const { info } = readTraining(new Uint8Array(readFileSync(join(out, `${name}.safetensors`))), name);
      assert.is(info.model, 'nano');
    }
    for (const name of ['learning-curve', 'confusion-matrix']) {
      assert.ok(PNG.sync.read(readFileSync(join(out, `${name}.png`))).width > 400);
    }
    assert.not.ok(existsSync(join(out, 'last.safetensors.part')));
  }));

test('train stopped inside an epoch and resumed has exactly the losses of an uninterrupted run', () =>
  inFolder(async (folder) => {
    const whole = await run({ ...short, out: join(folder, 'whole') });
    const out = join(folder, 'parts');
    const first = await run({ ...short, out, stopAfter: 2 });
    assert.is(first.length, 2);
    const rest = await run({ resume: out });
    assert.equal([...first, ...rest], whole);
    const strip = ({ seconds: _, imagesPerSecond: __, ...line }: EpochMetrics): object => line;
    assert.equal(metricsOf(out).map(strip), metricsOf(join(folder, 'whole')).map(strip));
    assert.equal(readFileSync(join(out, 'confusion-matrix.png')).length > 1000, true);
  }));

test('train selects the epoch that is best on PrivateTest on request, and says so', () =>
  inFolder(async (folder) => {
    const { config } = short;
    const on = async (select: 'public' | 'private', out: string) =>
      (await train({ ...short, faces, out: join(folder, out), config: { ...config, select } })).summary;
    const [open, closed] = [await on('public', 'open'), await on('private', 'closed')];
    assert.is(open.selectedOn, 'PublicTest');
    assert.is(closed.selectedOn, 'PrivateTest');
    const accuracies = metricsOf(join(folder, 'closed')).map((line) => line.privateTestAccuracy as number);
    assert.is(closed.bestTestAccuracy, Math.max(...accuracies));
    assert.is(accuracies[closed.bestEpoch as number], closed.bestTestAccuracy);
    // By default PrivateTest is evaluated only at the end.
    const looks = metricsOf(join(folder, 'open')).map((line) => line.privateTestAccuracy !== undefined);
    assert.equal(looks, [false, true]);
  }));

test('train mixes labels with FER+ votes, and without votes names the command that adds them', () =>
  inFolder(async (folder) => {
    const share = { ...short.config, softLabels: 0.5 };
    let said = '';
    await train({ ...short, faces, config: share, out: join(folder, 'none') }).catch((reason) => {
      said = String(reason);
    });
    assert.match(said, /soft labels need FER\+ votes; .*mien prepare/);
    // All votes are for neutral: the network learns to predict it, although no label says so.
    const votes = Uint8Array.from({ length: 10 * faces.labels.length }, (_, i) => (i % 10 === 0 ? 10 : 0));
    const config = { ...short.config, epochs: 12, softLabels: 1 };
    const { summary } = await train({ ...short, faces: { ...faces, votes }, config, out: join(folder, 'votes') });
    assert.is(summary.protocol.softLabels, 1);
    const neutral = summary.classes.indexOf('Neutral');
    assert.ok(summary.confusion?.every((row) => row[neutral] === row.reduce((sum, n) => sum + n, 0)));
  }));

test('train resumes from the best checkpoint, as the reference does, and drops later metrics', () =>
  inFolder(async (folder) => {
    const out = join(folder, 'run');
    const { summary } = await train({ ...short, faces, out });
    await run({ resume: out, from: 'best' });
    assert.is(metricsOf(out).length, 2);
    assert.ok((summary.bestEpoch as number) >= 0);
  }));

test('train refuses a folder with a run, and another network or configuration for a resumed run', () =>
  inFolder(async (folder) => {
    const out = join(folder, 'run');
    await run({ ...short, out, stopAfter: 1 });
    const refusals: [TrainOptions, RegExp][] = [
      [{ ...short, out }, /already contains a run/],
      [{ resume: out, model: 'small' }, /is a run of nano, got --model small/],
      [{ resume: out, config: { learningRate: 0.5 } }, /cannot change learningRate/],
      [{ resume: out, config: { epochs: 9 } }, /cannot change epochs/],
      [{ resume: join(folder, 'nowhere') }, /nowhere\/last.safetensors: does not exist/],
      [{ ...short, out: join(folder, 'x'), config: { epochs: 0 } }, /epochs must be an integer from 1, got 0/],
    ];
    for (const [options, sentence] of refusals) {
      let message = 'accepted';
      try {
        await run(options);
      } catch (reason) {
        message = (reason as Error).message;
      }
      assert.match(message, sentence);
    }
  }));

test('train stops with a checkpoint when its signal is set', () =>
  inFolder(async (folder) => {
    const stop = new AbortController();
    const out = join(folder, 'run');
    const { summary } = await train({
      ...short,
      faces,
      out,
      signal: stop.signal,
      onEvent: (event) => {
        if (event.event === 'step') stop.abort();
      },
    });
    assert.not.ok(summary.complete);
    assert.is(summary.testAccuracy, null);
    const rest = await run({ resume: out });
    assert.is(rest.length + summary.steps, 6);
  }));

test('evaluate of the last checkpoint equals the report of its run', () =>
  inFolder(async (folder) => {
    const out = join(folder, 'run');
    const data = join(folder, 'fer2013.csv');
    await writeFer2013(
      data,
      FER2013_SPLITS.map((usage) => ({ usage, split: split(faces, usage) })),
    );
    const { summary } = await train({ ...short, config: { ...short.config, epochs: 1 }, data, out });
    assert.is(summary.dataset, 'fer2013');
    const figure = join(folder, 'matrix.png');
    const report = await evaluate({ weights: out, figure });
    assert.is(report.split, 'PublicTest');
    assert.is(report.accuracy, summary.testAccuracy);
    assert.equal(report.confusion, summary.confusion);
    assert.ok(existsSync(figure));
    const training = await evaluate({ weights: join(out, 'best.safetensors'), split: 'training', crops: 1 });
    assert.is(training.n, 21);
    let message = 'accepted';
    try {
      await evaluate({ weights: out, split: 'test' });
    } catch (reason) {
      assert.instance(reason, ValueError);
      message = (reason as Error).message;
    }
    assert.match(message, 'has the splits training, public, private, got test');
  }));
