// Reading and writing data sets on disk. Tests of the real ones are skipped unless they are beside the repository.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  CK_PLUS_COUNTS,
  ckPlusSequences,
  ckPlusSplits,
  ckPlusSubjects,
  classCounts,
  drawFaces,
  type Faces,
  FER2013_SPLITS,
  folds,
  joinFerPlus,
  leaksOf,
  PIXELS,
  split,
} from '@mien/fer';
import { auditFaces, prepare, readFaces, readFerPlus, writeFer2013 } from '@mien/fer/node';
import { PNG } from 'pngjs';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';
import { readerRefusal } from './readerRefusal.ts';

const data = join('..', 'shared', 'data');
const absent = (folder: string): string | undefined =>
  existsSync(join(data, folder)) ? undefined : `${join(data, folder)} is not on this machine`;

/** Runs `use` with a temporary folder. */
async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mien-test-'));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The real fer2013.csv, restored once from its raw bytes to the temporary folder of the machine. */
async function realFer2013(): Promise<string> {
  const path = join(tmpdir(), 'mien-fer2013', 'fer2013.csv');
  if (existsSync(path) && statSync(path).size === 301_072_766) return path;
  const parts = FER2013_SPLITS.map((usage) => {
    const name = join(data, 'fer2013', usage.toLowerCase());
    const labels = Uint8Array.from(readFileSync(`${name}.labels.u8`));
    const images = Uint8Array.from(gunzipSync(readFileSync(`${name}.images.u8.gz`)));
    const indices = Int32Array.from(labels.keys());
    const faces: Faces = { dataset: 'fer2013', classes: [], images, labels, splits: {} };
    return { usage, split: { faces, indices } };
  });
  mkdirSync(join(tmpdir(), 'mien-fer2013'), { recursive: true });
  await writeFer2013(`${path}.${process.pid}`, parts);
  renameSync(`${path}.${process.pid}`, path);
  return path;
}

test(
  'readFaces and writeFer2013 read and write the real FER2013 byte for byte, in under 20 seconds',
  async () => {
    const path = await realFer2013();
    assert.is(createHash('md5').update(readFileSync(path)).digest('hex'), 'f8428a1edbd21e88f42c73edd2a14f95');
    // Processor time, which other programs affect least.
    const before = process.cpuUsage();
    const faces = await readFaces(path);
    const { user, system } = process.cpuUsage(before);
    assert.ok(user + system < 20e6, `${(user + system) / 1e6} s`);
    assert.equal(classCounts(split(faces, 'Training')), [3995, 436, 4097, 7215, 4830, 3171, 4965]);
    assert.equal(classCounts(split(faces, 'PrivateTest')), [491, 55, 528, 879, 594, 416, 626]);
    const training = faces.images.subarray(0, 28709 * PIXELS);
    const expected = 'df3a4816f2773b35a9f3d4a7ef9db4a08a05ba690f816f7fef5873c43960809f';
    assert.is(createHash('sha256').update(training).digest('hex'), expected);
  },
  { skip: absent('fer2013'), seconds: 400 },
);

test(
  'prepare and auditFaces keep the real FER2013 and find its published duplicates',
  () =>
    inFolder(async (folder) => {
      const path = await realFer2013();
      const out = join(folder, 'data.h5');
      await prepare({ dataset: 'fer2013', data: path, out });
      const [faces, read] = [await readFaces(path), await readFaces(out)];
      assert.is(Buffer.compare(read.images, faces.images), 0);
      assert.is(Buffer.compare(read.labels, faces.labels), 0);
      assert.equal(read.splits, faces.splits);
      const { report } = auditFaces(joinFerPlus(faces, readFerPlus(join(data, 'ferplus', 'fer2013new.csv'))), path);
      assert.equal([report.images, report.distinct, report.identical.conflicting], [35887, 34034, 57]);
      const across = (split: string, other: string): number[] =>
        report.identical.across.flatMap((one) =>
          one.split === split && one.other === other ? [one.images, one.sameLabel] : [],
        );
      assert.equal(across('PublicTest', 'Training'), [280, 273]);
      assert.equal(across('PrivateTest', 'Training'), [288, 279]);
      assert.is(across('PrivateTest', 'PublicTest')[0], 44);
      assert.equal(report.constant, [6458, 7629, 10423, 11286, 13148, 13402, 13988, 15894, 22198, 22927, 28601, 30002]);
      assert.equal(report.notFaces, { Training: 148, PublicTest: 10, PrivateTest: 15 });
    }),
  { skip: absent('fer2013') ?? absent('ferplus'), seconds: 400 },
);

test(
  'readFaces reads the real CK+48 in the order of the folds',
  async () => {
    const faces = await readFaces(join(data, 'CK+48'));
    assert.is(faces.dataset, 'ck+');
    assert.equal(classCounts({ faces, indices: Int32Array.from(faces.labels.keys()) }), [...CK_PLUS_COUNTS]);
    // Fold 9 of the reference: fear includes six happy images.
    assert.equal(classCounts(ckPlusSplits(faces, 9).test), [12, 18, 3, 27, 9, 24, 6]);
    const expected = 'f3563f58193dc8824a3870bc4e5ef9eb5c5b5a351664e134f546776edc5524ab';
    assert.is(createHash('sha256').update(faces.images).digest('hex'), expected);
  },
  { skip: absent('CK+48') },
);

test(
  'folds of the real CK+48 leak as counted by hand, none by subject, and are of nearly equal size',
  async () => {
    const faces = await readFaces(join(data, 'CK+48'));
    assert.is(new Set(ckPlusSubjects(faces)).size, 118);
    assert.is(new Set(ckPlusSequences(faces)).size, 327);
    assert.equal(leaksOf(folds(faces, 'reference')), {
      tested: 990,
      sharedSubject: 627,
      sharedSequence: 0,
      testedTwice: 33,
      testedNever: 24,
    });
    for (const kind of ['subject', 'sequence'] as const) {
      for (const seed of [1, 2, 3]) {
        const divided = folds(faces, kind, seed);
        const leaks = leaksOf(divided);
        assert.equal([leaks.tested, leaks.sharedSequence, leaks.testedTwice, leaks.testedNever], [981, 0, 0, 0]);
        if (kind === 'subject') assert.is(leaks.sharedSubject, 0);
        for (const { test: tested } of divided) {
          assert.ok(Math.abs(tested.indices.length - 98.1) < 3, `${tested.indices.length} tested`);
          for (const [label, n] of classCounts(tested).entries()) {
            const share = (CK_PLUS_COUNTS[label] as number) / 10;
            assert.ok(Math.abs(n - share) < 6, `${n} of class ${label}, a tenth is ${share}`);
          }
        }
      }
    }
  },
  { skip: absent('CK+48') },
);

test('readFaces reads back the drawn faces that writeFer2013 wrote', () =>
  inFolder(async (folder) => {
    const faces = drawFaces({ training: 2, publicTest: 1, privateTest: 1 });
    const path = join(folder, 'fer2013.csv');
    await writeFer2013(
      path,
      FER2013_SPLITS.map((usage) => ({ usage, split: split(faces, usage) })),
    );
    for (const place of [path, folder]) {
      const read = await readFaces(place);
      assert.equal(read.images, faces.images);
      assert.equal(read.labels, faces.labels);
      assert.equal(read.splits, faces.splits);
    }
  }));

test('readFaces names a missing path, an unknown folder, an image of another size and a broken PNG', () =>
  inFolder(async (folder) => {
    assert.match(await readerRefusal(join(folder, 'nowhere')), 'nowhere: no such file or folder');
    writeFileSync(join(folder, 'notes.txt'), 'hello');
    assert.match(await readerRefusal(folder), 'not the folder of a data set');
    mkdirSync(join(folder, 'anger'));
    assert.match(await readerRefusal(folder), 'missing the folders disgust, fear, happy, sadness, surprise, contempt');
    for (const name of ['disgust', 'fear', 'happy', 'sadness', 'surprise', 'contempt']) mkdirSync(join(folder, name));
    assert.match(await readerRefusal(folder), 'anger: no PNG files');
    writeFileSync(join(folder, 'anger', 'a.png'), PNG.sync.write(new PNG({ width: 50, height: 48 })));
    assert.match(await readerRefusal(folder), 'a.png: expected 48x48 pixels, got 50x48');
    writeFileSync(join(folder, 'anger', 'a.png'), PNG.sync.write(new PNG({ width: 48, height: 48 })).subarray(0, 60));
    assert.match(await readerRefusal(folder), 'a.png: not a readable PNG');
  }));
