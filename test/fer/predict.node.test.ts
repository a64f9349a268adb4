// From photos to expressions: decoding, the command, the library. Photos of people are beside the repository, or skipped.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  BlazeFace,
  type Box,
  detectFaces,
  drawFaces,
  iou,
  type Photo,
  PIXELS,
  split,
  Training,
  trainingConfig,
} from '@mien/fer';
import { blazeFaceWeights } from '@mien/fer/blazeface';
import { decodePhoto, explain, predict, predictPhoto, video } from '@mien/fer/node';
import { device } from '@mien/tensor';
import { ensure } from '@mien/tensor/testing';
import { PNG } from 'pngjs';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';
import { inFolder, mien } from '../hostile/kit.ts';
import { withOwnDevice } from '../ownDevice.ts';
import { ANIMATED_GIF, ANIMATED_WEBP, CMYK, EXIF6, GRAY, WEBP } from './smallPhotos.ts';

const photos = join('..', 'shared', 'data', 'photos');
const absent = existsSync(photos) ? undefined : `${photos} is not on this machine`;

/** Boxes of YuNet, from the README of the photos: left, top, right, bottom. */
const FACES: Readonly<Record<string, readonly (readonly [number, number, number, number])[]>> = {
  'astronaut.png': [[180, 59, 270, 177]],
  'group.jpg': [
    [167, 245, 294, 421],
    [315, 20, 430, 162],
    [624, 76, 747, 213],
    [953, 295, 1095, 472],
    [986, -15, 1068, 68],
  ],
  'happy-baby-progressive.jpg': [[248, 70, 377, 228]],
  'neutral-alpha.png': [[131, 133, 356, 439]],
  'neutral-gray.jpg': [[131, 138, 356, 434]],
  'surprised-exif6.jpg': [[343, 144, 505, 356]],
};

const boxOf = ([left, top, right, bottom]: readonly [number, number, number, number]): Box => ({
  left,
  top,
  width: right - left,
  height: bottom - top,
});

for (const [name, boxes] of Object.entries(FACES)) {
  test(
    `detectFaces finds every face of ${name}, where another detector does, and nothing else`,
    async () => {
      const { photo } = await decodePhoto(readFileSync(join(photos, name)), name);
      using net = BlazeFace.from(blazeFaceWeights);
      const found = await detectFaces(net, photo);
      ensure(found.length === boxes.length, `${found.length} faces of ${boxes.length}`);
      for (const each of boxes) {
        const shared = Math.max(...found.map(({ box }) => iou(box, boxOf(each))));
        ensure(shared >= 0.5, `the best overlap with ${each} is ${shared.toFixed(2)}`);
      }
    },
    { skip: absent },
  );
}

/** Mean color of a part of a photo; its edges are fractions of the sides. */
function color({ width, height, data }: Photo, [left, top]: readonly [number, number]): number[] {
  const at = (Math.floor(top * height) * width + Math.floor(left * width)) * 3;
  return [...data.subarray(at, at + 3)];
}

const near = (found: readonly number[], expected: readonly number[], within: number): void =>
  ensure(
    found.every((value, i) => Math.abs(value - (expected[i] as number)) <= within),
    `${found}, expected ${expected}`,
  );

test('decodePhoto decodes photos of any kind upright and in color', async () => {
  const { photo, width, height } = await decodePhoto(EXIF6, 'exif6.jpg');
  assert.equal([photo.width, photo.height, width, height], [24, 32, 24, 32]);
  // Rotated to the right: the left half is on top, and the top is on the right.
  near(color(photo, [0.75, 0.2]), [250, 0, 0], 12);
  near(color(photo, [0.25, 0.2]), [120, 0, 0], 12);
  near(color(photo, [0.5, 0.8]), [0, 0, 200], 12);
  const webp = await decodePhoto(WEBP, 'x.webp');
  assert.equal(color(webp.photo, [0.1, 0.1]), [250, 0, 0]);
  const inks = await decodePhoto(CMYK, 'inks.jpg');
  const [red = 0, green = 0, blue = 0] = color(inks.photo, [0.1, 0.1]);
  ensure(red > 180 && green < 90 && blue < 90, `CMYK red is ${red}, ${green}, ${blue}`);
  const gray = await decodePhoto(GRAY, 'gray.jpg');
  const [r, g, b] = color(gray.photo, [0.1, 0.1]);
  ensure(r === g && g === b, `gray is ${r}, ${g}, ${b}`);
});

test('decodePhoto puts transparency on white and converts 16 bits to 8', async () => {
  const clear = new PNG({ width: 32, height: 32 });
  clear.data.fill(0);
  assert.equal(color((await decodePhoto(PNG.sync.write(clear), 'clear.png')).photo, [0.5, 0.5]), [255, 255, 255]);
  const half = new PNG({ width: 32, height: 32 });
  for (let i = 0; i < half.data.length; i += 4) half.data.set([200, 0, 0, 128], i);
  near(color((await decodePhoto(PNG.sync.write(half), 'half.png')).photo, [0.5, 0.5]), [227, 127, 127], 2);
  const deep = Buffer.alloc(32 * 32 * 6);
  for (let i = 0; i < deep.length; i += 6) deep.set([0x80, 0x00, 0x40, 0x00, 0xff, 0xff], i);
  const bytes = PNG.sync.write(
    {
      width: 32,
      height: 32,
      data: new Uint16Array(deep.swap16().buffer, deep.byteOffset, 32 * 32 * 3),
    } as unknown as PNG,
    {
      bitDepth: 16,
      colorType: 2,
      inputColorType: 2,
      inputHasAlpha: false,
    },
  );
  near(color((await decodePhoto(bytes, 'deep.png')).photo, [0.5, 0.5]), [128, 64, 255], 1);
});

/** A checkpoint of a random network, and drawn 48x48 faces as PNG files. */
async function kit(folder: string): Promise<{ readonly weights: string; readonly face: (i: number) => string }> {
  const faces = drawFaces({ training: 4, publicTest: 1, privateTest: 1 });
  const training = new Training({
    model: 'nano',
    train: split(faces, 'Training'),
    config: trainingConfig('nano', 'drawn'),
  });
  const weights = join(folder, 'weights.safetensors');
  writeFileSync(weights, await training.checkpoint());
  training.dispose();
  const face = (i: number): string => {
    const png = new PNG({ width: 48, height: 48 });
    for (let p = 0; p < PIXELS; p++) png.data.set([...Array(3).fill(faces.images[i * PIXELS + p]), 255], 4 * p);
    const path = join(folder, `face${i}.png`);
    writeFileSync(path, PNG.sync.write(png));
    return path;
  };
  return { weights, face };
}

test('predict without a detector reads a photo as evaluate does, as text, JSON and a figure', () =>
  inFolder(async (folder) => {
    const { weights, face } = await kit(folder);
    const names = [face(0), face(1)];
    const { classes, photos } = await predict(names, { weights, detect: false });
    for (const { faces = [] } of photos) {
      const [only] = faces;
      assert.is(faces.length, 1);
      assert.equal(only?.box, { left: 0, top: 0, width: 48, height: 48 });
      assert.is(only?.score, null);
      const shares = classes.map((name) => only?.probabilities[name] as number);
      assert.ok(Math.abs(shares.reduce((sum, each) => sum + each, 0) - 1) < 1e-9);
      assert.is(only?.expression, classes[shares.indexOf(Math.max(...shares))]);
    }
    assert.equal(await predictPhoto(readFileSync(names[0] as string), { weights, detect: false }), photos[0]?.faces);
    const out = join(folder, 'pictures');
    const text = await mien(['predict', ...names, '--weights', weights, '--no-detect', '--out', out]);
    assert.is(text.code, 0, text.err);
    assert.match(text.out, /face0\.png: .*\n.*face1\.png: /);
    assert.ok(existsSync(join(out, 'face0.png')) && existsSync(join(out, 'face1.png')));
    const json = await mien(['predict', ...names, '--weights', weights, '--no-detect', '--json']);
    assert.equal(JSON.parse(json.out).photos, JSON.parse(JSON.stringify(photos)));
  }));

test('predict numbers figures of the same name, and accepts photos without faces', () =>
  inFolder(async (folder) => {
    const { weights } = await kit(folder);
    const names = ['a', 'b'].map((part) => {
      mkdirSync(join(folder, part));
      const path = join(folder, part, 'sky.png');
      const sky = new PNG({ width: 64, height: 48 });
      for (let i = 0; i < sky.data.length; i += 4) sky.data.set([120, 160, 220, 255], i);
      writeFileSync(path, PNG.sync.write(sky));
      return path;
    });
    const out = join(folder, 'out');
    const { code, out: lines } = await mien(['predict', ...names, '--weights', weights, '--out', out]);
    assert.is(code, 0);
    assert.is(lines, names.map((name) => `${name}: no face\n`).join(''));
    assert.ok(existsSync(join(out, 'sky.png')) && existsSync(join(out, 'sky-2.png')));
    const report = await predict(names, { weights });
    assert.equal(
      report.photos.map(({ faces }) => faces),
      [[], []],
    );
  }));

test('explain maps a face for its prediction or a given class, and refuses an unknown class', () =>
  inFolder(async (folder) => {
    const { weights, face } = await kit(folder);
    const report = await explain(face(0), {
      weights,
      detect: false,
      expression: 'happy',
      out: join(folder, 'map.png'),
    });
    const [only] = report.faces;
    assert.is(only?.explained, 'Happy');
    assert.equal([only?.map.length, only?.map[0]?.length], [48, 48]);
    assert.ok(existsSync(join(folder, 'map.png')));
    const wrong = await mien(['explain', face(0), '--weights', weights, '--class', 'bored']);
    assert.is(wrong.code, 1);
    assert.match(
      wrong.err,
      'mien: explain: class must be one of Angry, Disgust, Fear, Happy, Sad, Surprise, Neutral, got bored',
    );
  }));

test('video reads a folder of frames in numeric order, into CSV, JSON and a figure', () =>
  inFolder(async (folder) => {
    const { weights, face } = await kit(folder);
    const frames = join(folder, 'frames');
    mkdirSync(frames);
    for (let i = 0; i < 12; i++) writeFileSync(join(frames, `f${i}.png`), readFileSync(face(i % 2)));
    const out = join(folder, 'out');
    const report = await video(frames, { weights, detect: false, rate: 10, smoothing: 0.2, out });
    assert.is(report.frames, 12);
    const [only] = report.faces;
    assert.equal(report.faces.length, 1);
    assert.equal(
      only?.moments.map(({ seconds }) => seconds),
      Array.from({ length: 12 }, (_, i) => i / 10),
    );
    const [even] = (await predict([face(0)], { weights, detect: false })).photos;
    for (const { frame, raw } of only?.moments ?? []) {
      if (frame % 2 === 0) assert.equal(raw, even?.faces?.[0]?.probabilities);
    }
    const lines = readFileSync(join(out, 'scores.csv'), 'utf8').trimEnd().split('\n');
    assert.is(lines.length, 13);
    assert.match(
      lines[0] as string,
      /^frame,seconds,face,left,top,width,height,score,expression,unsure,Angry,.*,Angry raw,/,
    );
    assert.equal(JSON.parse(readFileSync(join(out, 'scores.json'), 'utf8')), JSON.parse(JSON.stringify(report)));
    assert.ok(existsSync(join(out, 'timeline.png')));
  }));

test('video reads animations with their timestamps', () =>
  inFolder(async (folder) => {
    const { weights } = await kit(folder);
    for (const [name, bytes, times] of [
      ['x.webp', ANIMATED_WEBP, [0, 0.1, 0.3]],
      ['x.gif', ANIMATED_GIF, [0, 0.1]],
    ] as const) {
      writeFileSync(join(folder, name), bytes);
      const { faces } = await video(join(folder, name), { weights, detect: false });
      assert.equal(
        faces[0]?.moments.map(({ seconds }) => seconds),
        times,
      );
    }
  }));

test('video passes other files to ffmpeg, and without ffmpeg names the remedy', () =>
  inFolder(async (folder) => {
    const { weights } = await kit(folder);
    const file = join(folder, 'film.mp4');
    writeFileSync(file, 'a film');
    const path = process.env.PATH;
    try {
      process.env.PATH = folder;
      const reason = await video(file, { weights, detect: false }).catch((reason) => reason);
      assert.match(reason.message, 'film.mp4: videos other than animated GIF and WebP need ffmpeg');
      // Three pictures in arbitrary chunks, as from a pipe.
      const program = `#!${process.execPath}
const picture = (gray) => Buffer.concat([Buffer.from('P6\\n32 24\\n255\\n'), Buffer.alloc(32 * 24 * 3, gray)]);
const all = Buffer.concat([picture(10), picture(32), picture(255)]);
if (!process.argv.includes('file:${file}')) process.exit(1);
for (let i = 0; i < all.length; i += 1000) process.stdout.write(all.subarray(i, i + 1000));
`;
      writeFileSync(join(folder, 'ffmpeg'), program, { mode: 0o755 });
      const { frames, faces } = await video(file, { weights, detect: false, rate: 4 });
      assert.is(frames, 3);
      assert.equal(
        faces[0]?.moments.map(({ seconds }) => seconds),
        [0, 0.25, 0.5],
      );
      writeFileSync(
        join(folder, 'ffmpeg'),
        `#!${process.execPath}\nconsole.error('moov atom not found'); process.exit(1);`,
        { mode: 0o755 },
      );
      const refused = await video(file, { weights, detect: false }).catch((reason) => reason);
      assert.match(refused.message, 'film.mp4: ffmpeg cannot decode the file (moov atom not found)');
    } finally {
      process.env.PATH = path;
    }
  }));

test('a reader frees all device memory', () =>
  inFolder((folder) =>
    withOwnDevice(async () => {
      const { weights, face } = await kit(folder);
      const before = device().memory().liveBytes;
      await predict([face(0)], { weights });
      await explain(face(0), { weights, detect: false });
      assert.is(device().memory().liveBytes, before);
    }),
  ));
