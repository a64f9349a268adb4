import { ConfusionMatrix } from '@mien/fer';
import { confusionMatrix, learningCurve, png } from '@mien/fer/node';
import { PNG } from 'pngjs';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

const points = [0, 1, 2].map((epoch) => ({
  epoch,
  trainLoss: 2 - epoch / 2,
  testLoss: 2.1 - epoch / 3,
  trainAccuracy: 0.3 + epoch / 5,
  testAccuracy: 0.25 + epoch / 6,
}));

/** The number of colors of a picture. */
function colors(file: Uint8Array): { width: number; height: number; colors: number } {
  const { width, height, data } = PNG.sync.read(Buffer.from(file));
  const pixels = new Uint32Array(data.buffer, data.byteOffset, data.length / 4);
  return { width, height, colors: new Set(pixels).size };
}

test('learningCurve draws one epoch, three epochs and losses that are not finite', () => {
  for (const some of [points, points.slice(0, 1), [{ ...(points[0] as (typeof points)[0]), trainLoss: Number.NaN }]]) {
    const svg = learningCurve(some, 'A title', 'a note');
    assert.not.match(svg, 'NaN');
    const { width, height, colors: n } = colors(png(svg));
    assert.equal([width, height], [2080, 920]);
    assert.ok(n > 20);
  }
});

test('confusionMatrix draws classes without images', () => {
  const matrix = new ConfusionMatrix(['Angry', 'Disgust', 'Fear']);
  matrix.add(0, 0, 9);
  matrix.add(0, 2);
  const svg = confusionMatrix(matrix, 'A title: 90 %', 'ten-crop');
  assert.not.match(svg, 'NaN');
  assert.ok(colors(png(svg)).colors > 20);
});
