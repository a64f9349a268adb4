// RAF-DB's and AffectNet's layouts, with drawn faces in place of the real images.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AFFECT_NET_CLASSES, drawFaces, PIXELS, RAF_DB_CLASSES, SIDE } from '@mien/fer';
import { evaluate, meaningOf, readFaces, train } from '@mien/fer/node';
import { ValueError } from '@mien/tensor';
import { PNG } from 'pngjs';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';
import { readerRefusal } from './readerRefusal.ts';

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mien-test-'));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const faces = drawFaces({ training: 4, publicTest: 1, privateTest: 1 });
const image = (row: number): Uint8Array => faces.images.subarray(row * PIXELS, (row + 1) * PIXELS);

function grayPng(row: number): Buffer {
  const png = new PNG({ width: SIDE, height: SIDE });
  for (const [i, value] of image(row).entries()) png.data.set([value, value, value, 255], 4 * i);
  return PNG.sync.write(png);
}

/** RAF-DB with `perClass` training and one test image of each class, and the rows of `faces` in the list's order. */
function writeRafDb(folder: string, perClass: number): { readonly rows: number[]; readonly labels: number[] } {
  mkdirSync(join(folder, 'aligned'), { recursive: true });
  const [rows, labels, lines]: [number[], number[], string[]] = [[], [], []];
  for (const [split, count] of [
    ['train', perClass],
    ['test', 1],
  ] as const) {
    for (let label = 0; label < RAF_DB_CLASSES.length; label++) {
      for (let i = 0; i < count; i++) {
        const name = `${split}_${String(rows.length + 1).padStart(5, '0')}`;
        lines.push(`${name}.jpg ${label + 1}`);
        writeFileSync(join(folder, 'aligned', `${name}_aligned.png`), grayPng(rows.length));
        rows.push(rows.length);
        labels.push(label);
      }
    }
  }
  writeFileSync(join(folder, 'list_patition_label.txt'), `${lines.join('\n')}\n`);
  return { rows, labels };
}

test('readFaces reads RAF-DB by its list: labels from 1, splits by name, aligned images', () =>
  inFolder(async (folder) => {
    const { rows, labels } = writeRafDb(folder, 2);
    const read = await readFaces(folder);
    assert.is(read.dataset, 'raf-db');
    assert.equal(read.classes, RAF_DB_CLASSES);
    assert.equal([...read.labels], labels);
    assert.equal([...(read.splits.training as Int32Array)], rows.slice(0, 14));
    assert.equal([...(read.splits.test as Int32Array)], rows.slice(14));
    for (const row of rows) assert.equal(read.images.subarray(row * PIXELS, (row + 1) * PIXELS), image(row));
  }));

test('readFaces reads the folders of the original RAF-DB archive, and color images of 100x100', () =>
  inFolder(async (folder) => {
    mkdirSync(join(folder, 'EmoLabel'));
    mkdirSync(join(folder, 'Image', 'aligned'), { recursive: true });
    const color = new PNG({ width: 100, height: 100 });
    for (let i = 0; i < 100 * 100; i++) color.data.set([200, 100, 50, 255], 4 * i);
    writeFileSync(join(folder, 'Image', 'aligned', 'train_00001_aligned.png'), PNG.sync.write(color));
    writeFileSync(join(folder, 'EmoLabel', 'list_patition_label.txt'), 'train_00001.jpg 4\r\n');
    const read = await readFaces(folder);
    assert.equal([...read.labels], [RAF_DB_CLASSES.indexOf('Happiness')]);
    assert.equal(read.converted, { color: 1, resized: 1 });
  }));

test('readFaces names the line of a wrong RAF-DB label and the image that is missing', () =>
  inFolder(async (folder) => {
    writeRafDb(folder, 1);
    const list = join(folder, 'list_patition_label.txt');
    writeFileSync(list, 'train_00001.jpg 1\ntrain_00002.jpg 8\n');
    assert.match(
      await readerRefusal(folder),
      'list_patition_label.txt, line 2: expected a line such as train_00001.jpg 5',
    );
    writeFileSync(list, 'train_99999.jpg 1\n');
    assert.match(
      await readerRefusal(folder),
      'train_99999_aligned.jpg: missing, but listed in list_patition_label.txt',
    );
    rmSync(join(folder, 'aligned'), { recursive: true });
    assert.match(await readerRefusal(folder), 'aligned: no such folder');
  }));

test('readFaces recognizes AffectNet by contempt, and seven of its classes on request', () =>
  inFolder(async (folder) => {
    writeAffectNet(folder, [0, 1, 2, 3, 4, 5, 6, 7]);
    const read = await readFaces(folder);
    assert.is(read.dataset, 'affectnet');
    assert.equal(read.classes, AFFECT_NET_CLASSES);
    assert.equal([...(read.splits.training as Int32Array)].length, 16);
    assert.equal([...(read.splits.validation as Int32Array)].length, 16);
    assert.equal([...read.labels.subarray(0, 16)], [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]);
    const seven = join(folder, 'seven');
    writeAffectNet(seven, [0, 1, 2, 3, 4, 5, 6]);
    assert.is((await readFaces(seven)).dataset, 'fer2013');
    assert.is((await readFaces(seven, undefined, 'affectnet')).dataset, 'affectnet');
  }));

test('train and evaluate take RAF-DB and AffectNet with their own splits and caveats', () =>
  inFolder(async (folder) => {
    const [rafDb, affectNet] = [join(folder, 'raf'), join(folder, 'affect')];
    writeRafDb(rafDb, 2);
    writeAffectNet(affectNet, [0, 1, 2, 3, 4, 5, 6, 7]);
    const short = { model: 'nano', config: { epochs: 2, batchSize: 7 } } as const;
    const cases = [
      ['raf-db', rafDb, 'test', 'RAF-DB has no third split'],
      ['affectnet', affectNet, 'validation', 'The labels of AffectNet are noisy'],
    ] as const;
    for (const [dataset, data, test, caveat] of cases) {
      const out = join(folder, `${dataset}-run`);
      const { summary } = await train({ ...short, dataset, data, out });
      assert.equal([summary.dataset, summary.selectedOn, summary.fold], [dataset, test, null]);
      assert.not.ok('privateTestAccuracy' in summary);
      const report = await evaluate({ weights: out });
      assert.equal([report.split, report.accuracy], [test, summary.testAccuracy]);
      assert.match(report.calibration.reason as string, `fitted on ${test}, the split that is reported here`);
      assert.ok(meaningOf(report).some((sentence) => sentence.includes(caveat)));
      assert.is((await evaluate({ weights: out, split: 'training' })).calibration.fittedOn, test);
      const refused = evaluate({ weights: out, split: 'private' });
      assert.match(
        await refused.then(String, (reason) => String(reason)),
        `has the splits training, ${test}, got private`,
      );
      const select = train({
        ...short,
        config: { ...short.config, select: 'private' },
        data,
        out: join(folder, 'x'),
      });
      const reason = await select.then(String, (reason) => reason);
      assert.ok(reason instanceof ValueError && reason.message.includes('has no held-out split'), String(reason));
    }
  }));

/** AffectNet with two images of each label in train and val. */
function writeAffectNet(folder: string, labels: readonly number[]): void {
  for (const [i, split] of ['train', 'val'].entries()) {
    for (const label of labels) {
      const place = join(folder, split, String(label));
      mkdirSync(place, { recursive: true });
      for (const n of [0, 1])
        writeFileSync(join(place, `${n}.png`), grayPng((16 * i + 2 * label + n) % faces.labels.length));
    }
  }
}
