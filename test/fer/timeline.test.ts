import { FaceTracker, smooth } from '@mien/fer';
import { ValueError } from '@mien/tensor';
import { nearValues, refuses } from '@mien/tensor/testing';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { law, test } from '../harness.ts';

const series = fc
  .array(
    fc.record({
      wait: fc.integer({ min: 1, max: 40 }),
      weights: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 3, maxLength: 3 }),
    }),
    {
      minLength: 1,
      maxLength: 12,
    },
  )
  .map((steps) => {
    let seconds = 0;
    return steps.map(({ wait, weights }) => {
      seconds += wait / 25;
      const sum = weights.reduce((total, each) => total + each, 0);
      return { seconds, shares: weights.map((each) => each / sum) };
    });
  });

law(
  'smooth is the mean weighted by a Gaussian over time, cut off at three deviations',
  fc.record({ moments: series, deviation: fc.constantFrom(0.05, 0.3, 2) }),
  ({ moments, deviation }) => {
    const found = smooth(moments, deviation);
    for (const [i, { seconds }] of moments.entries()) {
      const weights = moments.map((other) => {
        const away = Math.abs(other.seconds - seconds) / deviation;
        return away <= 3 ? Math.exp(-(away ** 2) / 2) : 0;
      });
      const total = weights.reduce((sum, each) => sum + each, 0);
      const expected = [0, 1, 2].map((c) =>
        moments.reduce((sum, { shares }, j) => sum + ((weights[j] as number) * (shares[c] as number)) / total, 0),
      );
      nearValues(found[i] as readonly number[], expected);
      nearValues([(found[i] as readonly number[]).reduce((sum, each) => sum + each, 0)], [1]);
    }
  },
);

test('smooth by 0 seconds changes nothing, and refuses a negative time', () => {
  const moments = [
    { seconds: 0, shares: [0.25, 0.75] },
    { seconds: 1, shares: [1, 0] },
  ];
  assert.equal(smooth(moments, 0), [
    [0.25, 0.75],
    [1, 0],
  ]);
  refuses(() => smooth(moments, -1), ValueError, 'deviation must be 0 or more seconds, got -1');
});

const square = (left: number, top = 0, side = 100) => ({ left, top, width: side, height: side });

test('FaceTracker keeps the numbers of moving faces in any order', () => {
  const tracker = new FaceTracker();
  for (let i = 0; i < 30; i++) {
    const [a, b] = [square(10 * i), square(700 - 10 * i, 150)];
    const ids = tracker.next(i % 2 ? [b, a] : [a, b], i / 25);
    assert.equal(ids, i % 2 ? [2, 1] : [1, 2]);
  }
});

test('FaceTracker recognizes a face again within a second, not later', () => {
  const tracker = new FaceTracker();
  assert.equal(tracker.next([square(0)], 0), [1]);
  assert.equal(tracker.next([], 0.5), []);
  assert.equal(tracker.next([square(5), square(400)], 1), [1, 2]);
  assert.equal(tracker.next([square(5)], 2.1), [3]);
});
