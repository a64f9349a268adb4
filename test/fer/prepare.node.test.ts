// Data sets on disk: written by prepare, read by readFaces, checked by audit.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { drawFaces, type Faces, FER2013_SPLITS, PIXELS, SIDE } from '@mien/fer';
import { audit, prepare, readFaces, writeHdf5 } from '@mien/fer/node';
import { PNG } from 'pngjs';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';
import { inFolder, validFile } from '../hostile/kit.ts';

const data = join('..', 'shared', 'data');
const absent = (name: string): string | undefined =>
  existsSync(join(data, name)) ? undefined : `${join(data, name)} is not on this machine`;

function gray(faces: Faces, row: number): Buffer {
  const image = new PNG({ width: SIDE, height: SIDE });
  for (let i = 0; i < PIXELS; i++) {
    const value = faces.images[row * PIXELS + i] as number;
    image.data.set([value, value, value, 255], 4 * i);
  }
  return PNG.sync.write(image);
}

test('prepare writes an HDF5 file that readFaces reads like its CSV', () =>
  inFolder(async (folder) => {
    const csv = await validFile(folder);
    const out = join(folder, 'data.h5');
    const report = await prepare({ dataset: 'fer2013', data: csv, out });
    assert.equal(
      report.splits.map(({ name, images }) => [name, images]),
      [
        ['Training', 28],
        ['PublicTest', 7],
        ['PrivateTest', 7],
      ],
    );
    // Recognized by content, not by name.
    const other = join(folder, 'faces.csv');
    writeFileSync(other, readFileSync(out));
    assert.equal(await readFaces(other), await readFaces(csv));
    assert.equal(readdirSync(folder).sort(), ['data.h5', 'faces.csv', 'fer2013.csv']);
  }));

test(
  'prepare writes CK+ like the reference, in every pixel and label',
  () =>
    inFolder(async (folder) => {
      const out = join(folder, 'CK_data.h5');
      await prepare({ dataset: 'ck+', data: join(data, 'CK+48'), out });
      assert.equal(await readFaces(out), await readFaces(join(data, 'CK_data.h5')));
    }),
  { skip: absent('CK_data.h5') ?? absent('CK+48') },
);

test('readFaces reads folders by split and class, and class folders with split prefixes', () =>
  inFolder(async (folder) => {
    const faces = drawFaces({ training: 2, publicTest: 1, privateTest: 1 });
    const names: Record<string, string> = { Training: 'train', PublicTest: 'val', PrivateTest: 'Test' };
    for (const split of FER2013_SPLITS) {
      for (const row of faces.splits[split] as Int32Array) {
        const name = (faces.classes[faces.labels[row] as number] as string).toLowerCase();
        const [tree, flat] = [join(folder, 'tree', names[split] as string, name), join(folder, 'flat', name)];
        for (const place of [tree, flat]) mkdirSync(place, { recursive: true });
        writeFileSync(join(tree, `${row}.png`), gray(faces, row));
        writeFileSync(join(flat, `${split}_${row}.png`), gray(faces, row));
      }
    }
    for (const kind of ['tree', 'flat']) {
      const read = await readFaces(join(folder, kind));
      assert.equal(read.converted, { color: 0, resized: 0 });
      for (const split of FER2013_SPLITS) {
        const found = read.splits[split] as Int32Array;
        assert.is(found.length, faces.splits[split]?.length);
        for (const at of found) {
          const row = Number(/(\d+)\.png$/.exec(read.sources?.[at] ?? '')?.[1]);
          assert.is(read.labels[at], faces.labels[row]);
          const [own, its] = [read.images, faces.images].map((images, i) => {
            const from = (i === 0 ? at : row) * PIXELS;
            return images.subarray(from, from + PIXELS);
          });
          assert.equal(own, its);
        }
      }
    }
  }));

test('readFaces converts color to 0.299 R + 0.587 G + 0.114 B, resizes to 48x48, and counts both', () =>
  inFolder(async (folder) => {
    mkdirSync(join(folder, 'train', 'happy'), { recursive: true });
    mkdirSync(join(folder, 'test', 'sad'), { recursive: true });
    const image = new PNG({ width: 96, height: 64 });
    for (let i = 0; i < 96 * 64; i++) image.data.set([200, 100, 50, 255], 4 * i);
    writeFileSync(join(folder, 'train', 'happy', 'a.png'), PNG.sync.write(image));
    writeFileSync(join(folder, 'test', 'sad', 'b.png'), gray(drawFaces({ training: 1 }), 0));
    const read = await readFaces(folder);
    assert.equal(read.converted, { color: 1, resized: 1 });
    assert.equal([...new Set(read.images.subarray(0, PIXELS))], [124]);
    // Without a validation folder, each epoch is tested on the test folder.
    assert.equal([...(read.splits.PublicTest as Int32Array)], [1]);
  }));

test('audit counts injected problems: copies in two splits, two labels, near copies, a constant image', () =>
  inFolder(async (folder) => {
    const faces = drawFaces({ training: 3, publicTest: 1, privateTest: 1 });
    const [training, publicTest, privateTest] = FER2013_SPLITS.map((name) => faces.splits[name] as Int32Array);
    const copy = (from: number, to: number, change: (value: number) => number = (value) => value): void => {
      for (let i = 0; i < PIXELS; i++) {
        faces.images[to * PIXELS + i] = change(faces.images[from * PIXELS + i] as number);
      }
    };
    const [a, b, c] = [training?.[0] as number, training?.[1] as number, training?.[2] as number];
    copy(a, publicTest?.[0] as number);
    faces.labels[publicTest?.[0] as number] = ((faces.labels[a] as number) + 1) % 7;
    copy(b, privateTest?.[0] as number, (value) => Math.round(0.8 * value + 10));
    copy(c, c, () => 7);
    const path = join(folder, 'data.h5');
    await writeHdf5(path, faces);
    const figure = join(folder, 'sheet.png');
    const report = await audit({ data: path, figure });
    assert.equal([report.images, report.distinct], [35, 34]);
    assert.is(report.identical.groups, 1);
    assert.is(report.identical.conflicting, 1);
    assert.ok(
      report.identical.across.some(
        ({ split, other, images, sameLabel }) =>
          split === 'PublicTest' && other === 'Training' && images === 1 && sameLabel === 0,
      ),
    );
    assert.ok(
      report.near.across.some(
        ({ split, other, images }) => split === 'PrivateTest' && other === 'Training' && images >= 1,
      ),
    );
    assert.equal(report.constant, [c]);
    assert.equal([...readFileSync(figure).subarray(1, 4)], [80, 78, 71]);
  }));

test(
  'audit of the real CK+48 finds the leaks of its folds',
  async () => {
    const { folds, constant, splits } = await audit({ data: join(data, 'CK+48') });
    const expected = { tested: 990, sharedSubject: 627, sharedSequence: 0, testedTwice: 33, testedNever: 24 };
    assert.equal(folds, expected);
    assert.equal(constant, []);
    assert.equal(splits[0]?.images, 981);
  },
  { skip: absent('CK+48') },
);
