import { ConfusionMatrix, percent, wilson } from '@mien/fer';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

test('ConfusionMatrix has labels in rows and predictions in columns', () => {
  const matrix = new ConfusionMatrix(['a', 'b', 'c']);
  matrix.add(0, 0);
  matrix.add(0, 1);
  matrix.add(2, 2, 4);
  assert.equal(matrix.toArray(), [
    [1, 1, 0],
    [0, 0, 0],
    [0, 0, 4],
  ]);
  assert.is(matrix.accuracy, 5 / 6);
  assert.equal(matrix.perClass(), [0.5, Number.NaN, 1]);
  assert.throws(() => matrix.add(3, 0), /expected classes 0 to 2/);
});

test('ConfusionMatrix.scores and macro equal scikit-learn’s', () => {
  // precision_recall_fscore_support and its macro average of labels [0,0,0,1,1,2], predicted [0,0,1,1,0,1].
  const matrix = ConfusionMatrix.from(
    ['a', 'b', 'c', 'absent'],
    [
      [2, 1, 0, 0],
      [1, 1, 0, 0],
      [0, 1, 0, 0],
      [0, 0, 0, 0],
    ],
  );
  const near = (value: number | null, expected: number): void =>
    assert.ok(Math.abs((value as number) - expected) < 1e-12);
  const expected = [
    [2 / 3, 2 / 3, 2 / 3],
    [1 / 3, 1 / 2, 2 / 5],
    [0, 0, 0],
  ] as const;
  for (const [i, [precision, recall, f1]] of expected.entries()) {
    const score = matrix.scores()[i];
    near(score?.precision ?? null, precision);
    near(score?.recall ?? null, recall);
    near(score?.f1 ?? null, f1);
  }
  assert.equal(matrix.scores()[3], { name: 'absent', n: 0, precision: null, recall: null, f1: null });
  near(matrix.macro().precision, 1 / 3);
  near(matrix.macro().recall, 7 / 18);
  near(matrix.macro().f1, 16 / 45);
});

test('ConfusionMatrix.from refuses rows that do not fit its classes', () => {
  for (const rows of [
    [[1]],
    [[1, 2], [3]],
    [
      [1, 2],
      [3, -1],
    ],
    [
      [1, 2],
      [3, 0.5],
    ],
  ]) {
    assert.throws(() => ConfusionMatrix.from(['a', 'b'], rows), /expected 2 rows of 2 counts/);
  }
});

test('ConfusionMatrix.merge adds the folds', () => {
  const [a, b] = [new ConfusionMatrix(['x', 'y']), new ConfusionMatrix(['x', 'y'])];
  a.add(0, 1);
  b.add(0, 1, 2);
  a.merge(b);
  assert.is(a.count(0, 1), 3);
});

test('wilson gives the published interval', () => {
  // Newcombe (1998), table I: 81 of 263 is 0.2553 to 0.3662.
  const [low, high] = wilson(81, 263);
  assert.is(low.toFixed(4), '0.2553');
  assert.is(high.toFixed(4), '0.3662');
  assert.is(wilson(0, 10)[0], 0);
  assert.is(percent(937, 990, 330), '94.6 % (95 % interval 91.7 to 96.6)');
});
