// The detector on drawn faces, so that no photos of people are needed, in Node and in Chromium.
import {
  BlazeFace,
  detectFaces,
  drawFaces,
  ExpressionReader,
  type Photo,
  PIXELS,
  readTraining,
  SIDE,
  split,
  Training,
  trainingConfig,
} from '@mien/fer';
import { blazeFaceWeights } from '@mien/fer/blazeface';
import { device } from '@mien/tensor';
import { ensure } from '@mien/tensor/testing';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';
import { withOwnDevice } from '../ownDevice.ts';

const faces = drawFaces({ training: 4, publicTest: 1, privateTest: 1, seed: 3 });

/** A gray photo with drawn faces whose upper left corners are at `places`. */
function album(width: number, height: number, places: readonly (readonly [left: number, top: number])[]): Photo {
  const data = new Uint8Array(width * height * 3).fill(120);
  for (const [i, [left, top]] of places.entries()) {
    for (let p = 0; p < PIXELS; p++) {
      const at = ((top + Math.floor(p / SIDE)) * width + left + (p % SIDE)) * 3;
      data.fill(faces.images[i * PIXELS + p] as number, at, at + 3);
    }
  }
  return { width, height, data };
}

test('detectFaces finds drawn faces in photos of any shape, and none where there is none', async () => {
  using net = BlazeFace.from(blazeFaceWeights);
  const albums: readonly (readonly [number, number, readonly (readonly [number, number])[]])[] = [
    [
      200,
      160,
      [
        [10, 8],
        [120, 90],
      ],
    ],
    [90, 220, [[20, 160]]],
    [64, 64, [[8, 8]]],
    [120, 120, []],
  ];
  for (const [width, height, places] of albums) {
    const found = (await detectFaces(net, album(width, height, places))).sort((a, b) => a.box.top - b.box.top);
    ensure(found.length === places.length, `${found.length} faces of ${places.length} in ${width}x${height}`);
    for (const [i, { box, score, landmarks }] of found.entries()) {
      const [left, top] = places[i] as readonly [number, number];
      const [x, y] = [box.left + box.width / 2 - left, box.top + box.height / 2 - top];
      ensure(Math.abs(x - 24) < 6 && Math.abs(y - 26) < 8, `its middle is ${x},${y} of 48`);
      ensure(score > 0.5 && score <= 1, `score ${score}`);
      ensure(landmarks.rightEye[0] < landmarks.leftEye[0] && landmarks.leftEye[1] < landmarks.mouth[1], 'landmarks');
    }
  }
});

test('an ExpressionReader reads faces from left to right, each with ten views of its crop, and frees its memory', () =>
  withOwnDevice(async () => {
    const training = new Training({
      model: 'nano',
      train: split(faces, 'Training'),
      config: trainingConfig('nano', 'drawn'),
    });
    const checkpoint = readTraining(await training.checkpoint());
    training.dispose();
    const before = device().memory().liveBytes;
    const reader = new ExpressionReader(checkpoint, BlazeFace.from(blazeFaceWeights));
    const found = await reader.read(
      album(240, 120, [
        [150, 20],
        [20, 40],
      ]),
    );
    assert.is(found.length, 2);
    ensure((found[0]?.box.left ?? 0) < 60 && (found[1]?.box.left ?? 0) > 120, 'the order is not that of the photo');
    for (const { seen, ...reading } of found) {
      const [again] = await reader.readFaces(seen);
      assert.equal(again, Object.fromEntries(Object.entries(reading).filter(([name]) => name in (again ?? {}))));
      const [first = 0, second = 0] = Object.values(reading.probabilities).sort((a, b) => b - a);
      assert.is(reading.unsure, first - second < reader.margin);
    }
    reader.dispose();
    assert.is(device().memory().liveBytes, before);
  }));

test('an ExpressionReader takes temperature and margin from the note of its checkpoint', async () => {
  const note = { temperature: 2, margin: 1 };
  const of = async (options: object): Promise<ExpressionReader> => {
    const train = split(faces, 'Training');
    const training = new Training({ model: 'nano', train, config: trainingConfig('nano', 'drawn'), ...options });
    const reader = new ExpressionReader(readTraining(await training.checkpoint()), null);
    training.dispose();
    return reader;
  };
  const [plain, calibrated] = [await of({}), await of({ note })];
  const face = faces.images.slice(0, PIXELS);
  const [[a], [b]] = [await plain.readFaces(face), await calibrated.readFaces(face)];
  const [p, q] = [a, b].map((reading) => Object.values(reading?.probabilities ?? {})) as [number[], number[]];
  // Half the logits: the square root of each probability, normalized.
  const roots = p.map(Math.sqrt);
  const sum = roots.reduce((total, each) => total + each, 0);
  for (const [i, value] of q.entries()) ensure(Math.abs(value - (roots[i] as number) / sum) < 1e-6, `${value}`);
  assert.is(b?.unsure, true);
  plain.dispose();
  calibrated.dispose();
  const refused = await of({ note: { temperature: 0 } }).catch((reason) => reason);
  assert.match(refused.message, 'expected a positive temperature in the checkpoint, got 0');
});
