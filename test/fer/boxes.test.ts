import {
  anchors,
  type Box,
  cropOf,
  type Detection,
  decodeFaces,
  iou,
  LANDMARKS,
  mergeFaces,
  nonMaxSuppression,
  squareAbout,
} from '@mien/fer';
import { ValueError } from '@mien/tensor';
import { ensure, nearValues, refuses } from '@mien/tensor/testing';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { law, test } from '../harness.ts';

const wholeBox = fc.record({
  left: fc.integer({ min: -8, max: 8 }),
  top: fc.integer({ min: -8, max: 8 }),
  width: fc.integer({ min: 1, max: 12 }),
  height: fc.integer({ min: 1, max: 12 }),
});
const scored = fc.array(fc.record({ box: wholeBox, score: fc.integer({ min: 0, max: 9 }).map((n) => n / 9) }), {
  maxLength: 14,
});

const holds = ({ left, top, width, height }: Box, x: number, y: number): boolean =>
  x >= left && x < left + width && y >= top && y < top + height;

law(
  'iou is the number of pixels in both boxes divided by that in either',
  fc.record({ a: wholeBox, b: wholeBox }),
  ({ a, b }) => {
    let [both, either] = [0, 0];
    for (let y = -8; y < 20; y++) {
      for (let x = -8; x < 20; x++) {
        if (holds(a, x, y) && holds(b, x, y)) both++;
        if (holds(a, x, y) || holds(b, x, y)) either++;
      }
    }
    nearValues([iou(a, b), iou(b, a)], [both / either, both / either]);
  },
);

law(
  'nonMaxSuppression groups all boxes around the best ones, whose overlaps are within the limit',
  fc.record({ faces: scored, limit: fc.integer({ min: 0, max: 9 }).map((n) => n / 10) }),
  ({ faces, limit }) => {
    const groups = nonMaxSuppression(
      faces.map(({ box }) => box),
      faces.map(({ score }) => score),
      limit,
    );
    assert.equal(
      groups.flat().sort((a, b) => a - b),
      [...faces.keys()],
    );
    const at = (i: number) => faces[i] as (typeof faces)[number];
    for (const [g, [first, ...others]] of groups.entries()) {
      const best = at(first as number);
      for (const i of others) {
        ensure(iou(best.box, at(i).box) > limit && at(i).score <= best.score, `box ${i} is in group ${g}`);
      }
      for (const [next] of groups.slice(g + 1)) {
        const later = at(next as number);
        ensure(later.score <= best.score && iou(later.box, best.box) <= limit, `group ${g} should hold ${next}`);
      }
    }
  },
);

test('nonMaxSuppression refuses another number of scores', () =>
  refuses(
    () => nonMaxSuppression([{ left: 0, top: 0, width: 1, height: 1 }], [], 0.5),
    ValueError,
    '1 boxes with 0 scores',
  ));

test('anchors are the centers of 16x16 cells twice and of 8x8 cells six times', () => {
  const all = anchors();
  assert.is(all.length, 896);
  assert.equal(all.slice(0, 3), [
    [8, 8],
    [8, 8],
    [24, 8],
  ]);
  assert.equal(all[511], [248, 248]);
  assert.equal(all.slice(512, 519).map(String), [...Array(6).fill('16,16'), '48,16']);
  assert.equal(all[895], [240, 240]);
});

/** Network outputs for these anchors only. */
function output(faces: readonly { anchor: number; row: readonly number[] }[]): [Float64Array, Float64Array] {
  const [scores, boxes] = [new Float64Array(896).fill(-9), new Float64Array(896 * 16)];
  for (const { anchor, row } of faces) {
    scores[anchor] = 3;
    boxes.set(row, anchor * 16);
  }
  return [scores, boxes];
}

law(
  'decodeFaces moves and scales with its window',
  fc.record({
    anchor: fc.nat(895),
    row: fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 16, maxLength: 16 }),
    left: fc.integer({ min: -300, max: 300 }),
    top: fc.integer({ min: -300, max: 300 }),
    times: fc.integer({ min: 1, max: 6 }),
  }),
  ({ anchor, row, left, top, times }) => {
    const [scores, boxes] = output([{ anchor, row }]);
    const side = 256 * times;
    const found = decodeFaces(scores, boxes, { left, top, width: side, height: side });
    assert.is(found.length, 1);
    const { box, score, landmarks } = found[0] as Detection;
    const [x, y] = anchors()[anchor] as readonly [number, number];
    const [dx, dy, width, height] = row as [number, number, number, number];
    const middle = [left + times * (x + dx), top + times * (y + dy)];
    nearValues([box.left + box.width / 2, box.top + box.height / 2], middle);
    nearValues([box.width, box.height, score], [times * width, times * height, 1 / (1 + Math.exp(-3))]);
    for (const [i, name] of LANDMARKS.entries()) {
      const [px = 0, py = 0] = row.slice(4 + 2 * i);
      nearValues(landmarks[name], [left + times * (x + px), top + times * (y + py)]);
    }
  },
);

test('decodeFaces finds nothing in low scores, and refuses another number of rows', () => {
  const window = { left: 0, top: 0, width: 256, height: 256 };
  assert.equal(decodeFaces(...output([]), window), []);
  refuses(() => decodeFaces([1], [1], window), ValueError, 'expected 896 scores and 14336 coordinates, got 1 and 1');
});

law(
  'mergeFaces returns one face per group, inside the box around its members',
  fc.array(
    fc.record({ anchor: fc.nat(895), dx: fc.integer({ min: -9, max: 9 }), size: fc.integer({ min: 20, max: 90 }) }),
    {
      minLength: 1,
      maxLength: 8,
    },
  ),
  (cases) => {
    const unique = cases.filter(({ anchor }, i) => cases.findIndex((other) => other.anchor === anchor) === i);
    const rows = unique.map(({ anchor, dx, size }) => ({ anchor, row: [dx, 0, size, size, ...Array(12).fill(dx)] }));
    const faces = decodeFaces(...output(rows), { left: 0, top: 0, width: 256, height: 256 });
    const merged = mergeFaces(faces);
    const groups = nonMaxSuppression(
      faces.map(({ box }) => box),
      faces.map(({ score }) => score),
      0.3,
    );
    assert.is(merged.length, groups.length);
    for (const [i, group] of groups.entries()) {
      const members = group.map((j) => (faces[j] as Detection).box);
      const { box } = merged[i] as Detection;
      for (const side of ['left', 'top', 'width', 'height'] as const) {
        const all = members.map((each) => each[side]);
        const mean = all.reduce((sum, each) => sum + each, 0) / all.length;
        nearValues([box[side]], [mean]);
      }
    }
  },
);

law('squareAbout keeps the center, shifted by a share of the longer side', wholeBox, (box) => {
  const longer = Math.max(box.width, box.height);
  const square = squareAbout(box, 1.5, 0.25);
  nearValues([square.width, square.height], [1.5 * longer, 1.5 * longer]);
  nearValues(
    [square.left + square.width / 2, square.top + square.height / 2],
    [box.left + box.width / 2, box.top + box.height / 2 + longer / 4],
  );
});

test('cropOf is 1.17 times the box, higher by 0.11 of it', () => {
  const crop = cropOf({ box: { left: 100, top: 100, width: 100, height: 100 } });
  nearValues([crop.left, crop.top, crop.width, crop.height], [91.5, 80.5, 117, 117]);
});
