import {
  fitMargin,
  fitTemperature,
  meanCrossEntropy,
  meanProbabilities,
  probabilities,
  reliability,
  type Scored,
} from '@mien/fer';
import { ensure } from '@mien/tensor/testing';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { law, test } from '../harness.ts';

const CLASSES = 3;

/** Rows of logits and labels; the first two are right and wrong, so that a finite temperature is best. */
const scored = fc
  .array(
    fc.tuple(
      fc.array(fc.double({ min: -6, max: 6, noNaN: true }), { minLength: CLASSES, maxLength: CLASSES }),
      fc.nat(CLASSES - 1),
    ),
    {
      minLength: 0,
      maxLength: 30,
    },
  )
  .map((rows): Scored => {
    const all = [[[2, 0, 0], 0] as const, [[1, 0, 0], 0] as const, [[1.5, 0, 0], 1] as const, ...rows];
    return {
      logits: Float64Array.from(all.flatMap(([row]) => row)),
      labels: Int32Array.from(all.map(([, label]) => label)),
      classes: CLASSES,
    };
  });

law('fitTemperature has the least cross-entropy of all temperatures from 0.01 to 100', scored, (rows) => {
  const best = meanCrossEntropy(rows, fitTemperature(rows));
  for (let i = -20; i <= 20; i++) {
    const other = meanCrossEntropy(rows, 10 ** (i / 10));
    ensure(best <= other + 1e-9, `temperature ${10 ** (i / 10)} has ${other}, the fitted one ${best}`);
  }
});

law(
  'fitTemperature scales with the logits',
  fc.tuple(scored, fc.double({ min: 0.5, max: 2, noNaN: true })),
  ([rows, k]) => {
    const temperature = fitTemperature(rows);
    // Outside the search range both would be clipped.
    if (temperature < 0.03 || temperature > 30) return;
    const scaled = fitTemperature({ ...rows, logits: rows.logits.map((value) => k * value) });
    ensure(Math.abs(scaled / (k * temperature) - 1) < 1e-6, `${temperature}, and ${scaled} for ${k} times the logits`);
  },
);

law('reliability has all rows in its bins, an error from 0 to 1, and bins with the accuracy', scored, (rows) => {
  const { ece, bins } = reliability(rows);
  const n = bins.reduce((sum, bin) => sum + bin.n, 0);
  ensure(n === rows.labels.length && ece >= 0 && ece <= 1, `${n} rows, ece ${ece}`);
  for (const { n: images, low, high, confidence } of bins) {
    ensure((images === 0) === (confidence === null), 'a bin without images has no confidence');
    if (confidence !== null)
      ensure(confidence > low - 1e-12 && confidence <= high + 1e-12, `${confidence} in ${low} to ${high}`);
  }
});

test('reliability has the error of a case computed by hand', () => {
  // Confidences 0.9 (right), 0.9 (wrong) and 0.6 (right) in two bins: all in the upper, |0.8 - 2/3|.
  const logits = [0.9, 0.9, 0.6].flatMap((p) => [Math.log(p), Math.log(1 - p)]);
  const { ece, bins } = reliability({ logits: Float64Array.from(logits), labels: [0, 1, 0], classes: 2 }, 1, 2);
  assert.ok(Math.abs(ece - (0.8 - 2 / 3)) < 1e-12);
  assert.equal(bins[0], { low: 0, high: 0.5, n: 0, confidence: null, accuracy: null });
  assert.is(bins[1]?.n, 3);
});

test('meanProbabilities gives logits whose softmax is the mean of the members’ softmax', () => {
  const [a, b] = [Float64Array.of(1, 2, 3), Float64Array.of(-800, 0, 800)];
  const mean = probabilities(meanProbabilities([a, b], 3));
  const expected = probabilities(a).map((p, i) => (p + (probabilities(b)[i] as number)) / 2);
  for (const [i, p] of mean.entries()) assert.ok(Math.abs(p - (expected[i] as number)) < 1e-12);
  assert.is(meanProbabilities([a], 3), a);
  assert.throws(() => meanProbabilities([a, Float64Array.of(1)], 3), /equal length/);
});

test('calibration refuses rows that do not fit their labels', () => {
  const none = { logits: new Float64Array(0), labels: [], classes: 3 };
  for (const refuses of [fitTemperature, meanCrossEntropy, reliability]) {
    assert.throws(() => refuses(none), /expected 3 logits for each label, got 0 logits and 0 labels/);
  }
});

law(
  'fitMargin maximizes the right minus the wrong predictions above the margin',
  fc.tuple(scored, fc.constantFrom(0.5, 1, 2)),
  ([rows, temperature]) => {
    const told = Array.from(rows.labels, (label, i) => {
      const given = probabilities(rows.logits.subarray(i * CLASSES, (i + 1) * CLASSES), temperature);
      const [first = 0, second = 0] = [...given].sort((a, b) => b - a);
      return { margin: first - second, right: given.indexOf(first) === label };
    });
    const margins = told.map(({ margin }) => margin);
    // A margin does not distinguish rows of equal margin.
    if (new Set(margins).size < margins.length) return;
    const gained = (margin: number): number =>
      told.filter((row) => row.margin >= margin).reduce((sum, { right }) => sum + (right ? 1 : -1), 0);
    const found = gained(fitMargin(rows, temperature));
    const most = Math.max(...[0, 1.01, ...margins].map(gained));
    ensure(found === most, `${found} more right than wrong, ${most} can be`);
  },
);

test('fitMargin is 0 where all rows are right, 1 where all are wrong', () => {
  const logits = Float64Array.of(2, 0, 0, 1, 0, 0);
  assert.is(fitMargin({ logits, labels: Int32Array.of(0, 0), classes: 3 }), 0);
  assert.is(fitMargin({ logits, labels: Int32Array.of(1, 2), classes: 3 }), 1);
});
