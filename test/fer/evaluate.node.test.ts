// evaluate, confusion, curves and report of runs on a few drawn faces.
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { drawFaces, type Faces, FER2013_SPLITS, PIXELS, split } from '@mien/fer';
import {
  confusionFigure,
  curves,
  type EvaluationReport,
  evaluate,
  readEvaluation,
  repeatOf,
  report,
  type Summary,
  train,
  writeFer2013,
  writePicture,
} from '@mien/fer/node';
import { PNG } from 'pngjs';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

/** Drawn faces; the first image of PrivateTest is also one of Training. */
function withDuplicate(): Faces {
  const faces = drawFaces({ training: 3, publicTest: 2, privateTest: 2 });
  const [first, known] = [faces.splits.PrivateTest?.[0] as number, faces.splits.Training?.[5] as number];
  faces.images.copyWithin(first * PIXELS, known * PIXELS, (known + 1) * PIXELS);
  return faces;
}

const faces = withDuplicate();
const settings = { epochs: 2, batchSize: 8 } as const;

interface Place {
  readonly folder: string;
  readonly data: string;
  readonly run: string;
  readonly summary: Summary;
}

let made: Promise<Place> | null = null;

/** One run for all cases. */
function place(): Promise<Place> {
  made ??= (async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mien-evaluate-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    const [data, run] = [join(folder, 'fer2013.csv'), join(folder, 'run')];
    await writeFer2013(
      data,
      FER2013_SPLITS.map((usage) => ({ usage, split: split(faces, usage) })),
    );
    const { summary } = await train({ model: 'nano', data, out: run, config: settings });
    return { folder, data, run, summary };
  })();
  return made;
}

async function messageOf(work: () => unknown): Promise<string> {
  try {
    await work();
    return 'accepted';
  } catch (reason) {
    return (reason as Error).message;
  }
}

test('evaluate excludes duplicates of training images, and fits a temperature on PublicTest for other splits only', async () => {
  const { folder, run, summary } = await place();
  const predictions = join(folder, 'predictions.csv');
  const found = await evaluate({ weights: run, dataset: 'fer2013', split: 'private', predictions });
  assert.equal([found.n, found.nWithoutDuplicates], [14, 13]);
  assert.is(found.accuracy, summary.privateTestAccuracy);
  const rows = found.confusion.map((row) => row.reduce((sum, n) => sum + n, 0));
  assert.equal(
    found.perClass.map(({ n }) => n),
    rows,
  );
  const { temperature, fittedOn, fittedImages } = found.calibration;
  assert.ok(temperature !== null && temperature > 0);
  assert.equal([fittedOn, fittedImages], ['PublicTest', 14]);
  assert.ok(found.interval[0] <= found.accuracy && found.accuracy <= found.interval[1]);
  const open = await evaluate({ weights: run, split: 'public' });
  assert.is(open.calibration.temperature, null);
  assert.match(open.calibration.reason as string, 'the split that is reported here');
  const learnt = await evaluate({ weights: run, split: 'training', crops: 1 });
  assert.is(learnt.accuracyWithoutDuplicates, null);
  assert.is(learnt.accuracySingleView, learnt.accuracy);
  // The lines of the CSV agree with the report.
  const [head, ...lines] = readFileSync(predictions, 'utf8').trimEnd().split('\n');
  assert.is(head, 'index,label,predicted,Angry,Disgust,Fear,Happy,Sad,Surprise,Neutral');
  const cells = lines.map((line) => line.split(','));
  assert.is(cells.filter(([, label, predicted]) => label === predicted).length / lines.length, found.accuracy);
  for (const row of cells) {
    assert.ok(Math.abs(row.slice(3).reduce((sum, p) => sum + Number(p), 0) - 1) < 1e-5);
    assert.is(faces.classes[faces.labels[Number(row[0])] as number], row[1]);
  }
});

test('evaluate of an ensemble of one checkpoint twice equals evaluate of the checkpoint', async () => {
  const { run } = await place();
  const [one, two] = [
    await evaluate({ weights: run }),
    await evaluate({ weights: [run, join(run, 'last.safetensors')] }),
  ];
  assert.equal([two.members.length, two.model], [2, 'nano+nano']);
  assert.equal(two.confusion, one.confusion);
  assert.ok(Math.abs(two.ece - one.ece) < 1e-9);
});

test('evaluate refuses another data set than requested, and no weights', async () => {
  const { run, data } = await place();
  assert.match(
    await messageOf(() => evaluate({ weights: run, dataset: 'ck+' })),
    `expected ck+, got fer2013 (${data})`,
  );
  assert.match(await messageOf(() => evaluate({ weights: [] })), 'weights is empty');
});

test('confusionFigure draws the evaluation in the last line of a file, in counts and in percent', async () => {
  const { folder, run } = await place();
  const found = await evaluate({ weights: run });
  const file = join(folder, 'evaluation.json');
  writeFileSync(file, `a line of a log\n${JSON.stringify(found)}\n`);
  const saved = readEvaluation(file);
  assert.equal(saved.confusion, found.confusion);
  const [counts, percent] = [confusionFigure(saved, 'counts'), confusionFigure(saved, 'percent')];
  assert.ok(counts !== percent && !counts.includes('NaN') && !percent.includes('NaN'));
  writePicture(join(folder, 'm.svg'), counts);
  writePicture(join(folder, 'm.PNG'), counts);
  assert.match(readFileSync(join(folder, 'm.svg'), 'utf8'), /^<svg /);
  assert.ok(PNG.sync.read(readFileSync(join(folder, 'm.PNG'))).width > 1000);
  assert.match(
    await messageOf(() => writePicture(join(folder, 'm.gif'), counts)),
    'expected the extension .svg or .png',
  );
});

test('readEvaluation refuses files without an evaluation', async () => {
  const { folder, run } = await place();
  const found: EvaluationReport = await evaluate({ weights: run });
  const file = join(folder, 'edited.json');
  const texts: [string, string][] = [
    ['', 'last line is not JSON'],
    ['[1, 2]', 'not an evaluation: model, dataset'],
    [JSON.stringify({ ...found, confusion: 'none' }), 'not an evaluation: confusion missing or edited'],
  ];
  for (const [text, sentence] of texts) {
    writeFileSync(file, text);
    assert.match(await messageOf(() => readEvaluation(file)), sentence);
  }
  writeFileSync(file, JSON.stringify({ ...found, confusion: [[1]] }));
  assert.match(await messageOf(() => confusionFigure(readEvaluation(file))), 'expected 7 rows of 7 counts');
});

test('curves draws one run and several, and refuses folders without one', async () => {
  const { folder, run } = await place();
  const [one, two] = [curves([run]), curves([run, join(run, '..', 'run')])];
  assert.ok(one !== two && !one.includes('NaN') && !two.includes('NaN'));
  assert.match(await messageOf(() => curves([folder])), 'summary.json: does not exist');
  assert.match(await messageOf(() => curves([])), 'expected one run folder or more');
  assert.match(
    await messageOf(() => curves(Array.from({ length: 40 }, () => run))),
    'expected at most 24 runs, got 40',
  );
});

test('report writes one self-contained page, also without the data', async () => {
  const { folder, run, data, summary } = await place();
  const file = await report({ run });
  assert.is(file, join(run, 'report.html'));
  const page = readFileSync(file, 'utf8');
  assert.not.match(page.replaceAll('http://www.w3.org/2000/svg', ''), /https?:|<script|<link|NaN|undefined/);
  assert.match(page, `${(100 * (summary.privateTestAccuracy as number)).toFixed(1)} %`);
  assert.match(page, `--data ${data} --epochs 2 --batch-size 8 --seed 1`);
  assert.match(page, 'not the emotion that a person felt');
  const wrong = Math.round((1 - (summary.privateTestAccuracy as number)) * 14);
  assert.is(page.split('data:image/png;base64,').length - 1, wrong);
  renameSync(data, `${data}.away`);
  try {
    const poor = readFileSync(await report({ run, out: join(folder, 'poor.html') }), 'utf8');
    assert.match(poor, 'Its data was not found');
    assert.not.match(poor, /NaN|undefined|Hardest mistakes/);
    assert.match(await messageOf(() => report({ run, data })), 'no such file or folder');
  } finally {
    renameSync(`${data}.away`, data);
  }
  assert.ok(existsSync(join(folder, 'poor.html')));
});

test('repeatOf names the settings that differ from the preset, and those without an option', async () => {
  const { summary } = await place();
  const changed = { ...summary, protocol: { ...summary.protocol, nesterov: false, ema: null, augmentation: null } };
  const { command, besides } = repeatOf({ ...changed, init: '/a b/c' }, "it's.csv");
  assert.is(
    command,
    "mien train --model nano --data 'it'\\''s.csv' --init '/a b/c' --epochs 2 --batch-size 8 --ema 0 --augment none --seed 1",
  );
  assert.equal(besides, ['nesterov']);
});
