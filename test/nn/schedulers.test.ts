import {
  cosine,
  cosineAnnealingLR,
  cosineAnnealingWarmRestarts,
  exponentialLR,
  multiStepLR,
  ReduceLROnPlateau,
  type Schedule,
  stepLR,
  warmUp,
} from '@mien/nn';
import { ValueError } from '@mien/tensor';
import { ensure, nearValues, refuses } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

const first = (schedule: Schedule, count: number): number[] => Array.from({ length: count }, (_, i) => schedule(i));

test('stepLR multiplies once every few steps', () => {
  nearValues(first(stepLR({ stepSize: 2, gamma: 0.5 }), 6), [1, 1, 0.5, 0.5, 0.25, 0.25]);
});

test('multiStepLR multiplies at each milestone', () => {
  nearValues(first(multiStepLR({ milestones: [1, 3], gamma: 0.1 }), 5), [1, 0.1, 0.1, 0.01, 0.01]);
});

test('exponentialLR multiplies at every step', () => {
  nearValues(first(exponentialLR(0.9), 3), [1, 0.9, 0.81]);
});

test('cosine falls from 1 to its floor and stays there', () => {
  nearValues(first(cosine(4, 0.2), 6), [
    1,
    0.2 + 0.4 * (1 + Math.SQRT1_2),
    0.6,
    0.2 + 0.4 * (1 - Math.SQRT1_2),
    0.2,
    0.2,
  ]);
});

test('cosineAnnealingLR falls as cosine does, then rises as it fell', () => {
  const falling = first(cosine(4, 0.2), 5);
  nearValues(first(cosineAnnealingLR(4, 0.2), 10), [
    ...falling,
    ...falling.slice(0, 4).reverse(),
    falling[1] as number,
  ]);
});

test('cosineAnnealingWarmRestarts restarts after each period, which grows by its factor', () => {
  nearValues(first(cosineAnnealingWarmRestarts({ period: 3 }), 5), [1, 0.75, 0.25, 1, 0.75]);
  const eighth = Math.SQRT1_2 / 2;
  nearValues(first(cosineAnnealingWarmRestarts({ period: 2, factor: 2 }), 7), [
    1,
    0.5,
    1,
    0.5 + eighth,
    0.5,
    0.5 - eighth,
    1,
  ]);
  nearValues([10, 14].map(cosineAnnealingWarmRestarts({ period: 2, factor: 2, floor: 0.5 })), [0.75, 1]);
});

test('warmUp rises linearly, then starts the schedule after it', () => {
  nearValues(first(warmUp(3, exponentialLR(0.5)), 6), [1 / 3, 2 / 3, 1, 1, 0.5, 0.25]);
});

law(
  'cosine after warmUp stays within 0 and 1',
  fc.record({ warm: fc.integer({ min: 1, max: 50 }), steps: fc.integer({ min: 1, max: 500 }), step: fc.nat(1000) }),
  ({ warm, steps, step }) => {
    const factor = warmUp(warm, cosine(steps))(step);
    ensure(factor >= 0 && factor <= 1, `the factor is ${factor}`);
  },
);

test('ReduceLROnPlateau waits its patience, then lowers the factor to its floor', () => {
  const plateau = new ReduceLROnPlateau({ factor: 0.5, patience: 1, floor: 0.2 });
  nearValues(
    [3, 2, 2, 2, 2, 2, 2, 2].map((loss) => plateau.step(loss)),
    [1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.2],
  );
});

test('ReduceLROnPlateau counts only a change beyond its threshold as an improvement, in either mode', () => {
  // Half of 2 is 1: a change of exactly the threshold is no improvement, nor is a worse metric.
  for (const [mode, none, some] of [
    ['max', [3, 2.5, 2, 1], 3.25],
    ['min', [1, 1.5, 2, 3], 0.75],
  ] as const) {
    for (const metric of none) {
      const plateau = new ReduceLROnPlateau({ mode, factor: 0.5, patience: 0, threshold: 0.5 });
      ensure(plateau.step(2) === 1 && plateau.step(metric) === 0.5, `${mode}: ${metric} counts as better than 2`);
    }
    const plateau = new ReduceLROnPlateau({ mode, factor: 0.5, patience: 0, threshold: 0.5 });
    ensure(plateau.step(2) === 1 && plateau.step(some) === 1, `${mode}: ${some} does not count as better than 2`);
  }
});

test('ReduceLROnPlateau resumes exactly from its state', () => {
  const accuracy = [0.5, 0.6, 0.6, 0.59, 0.6, 0.6, 0.7, 0.7, 0.7, 0.7];
  const options = { mode: 'max', factor: 0.1, patience: 1 } as const;
  const whole = new ReduceLROnPlateau(options);
  const before = new ReduceLROnPlateau(options);
  const after = new ReduceLROnPlateau(options);
  accuracy.forEach((value, i) => {
    if (i === 4) after.loadState(JSON.parse(JSON.stringify(before.state())));
    const expected = whole.step(value);
    const actual = (i < 4 ? before : after).step(value);
    ensure(actual === expected, `epoch ${i}: ${actual}, expected ${expected}`);
  });
});

test('schedules refuse a length that is not positive, and ReduceLROnPlateau refuses NaN', () => {
  refuses(() => cosine(0), ValueError, 'cosine: steps must be positive, got 0');
  refuses(() => stepLR({ stepSize: -1, gamma: 0.5 }), ValueError, 'stepLR: stepSize must be positive, got -1');
  refuses(() => new ReduceLROnPlateau().step(Number.NaN), ValueError, 'metric must be a number, got NaN');
});

test('cosineAnnealingLR is periodic, as CosineAnnealingLR, and cosine is not', () => {
  const [schedule, once] = [cosineAnnealingLR(4, 0.2), cosine(4, 0.2)];
  const down = [1, 0.2 + 0.4 * (1 + Math.SQRT1_2), 0.6, 0.2 + 0.4 * (1 - Math.SQRT1_2), 0.2];
  nearValues(first(schedule, 9), [...down, ...down.slice(0, 4).reverse()]);
  nearValues(first(schedule, 17).slice(8), first(schedule, 9));
  nearValues(first(once, 5), down);
  nearValues(first(once, 9).slice(5), [0.2, 0.2, 0.2, 0.2]);
});

/** CosineAnnealingWarmRestarts.step(epoch) of PyTorch 2, in float64. */
function restarts(epoch: number, period: number, factor: number, floor: number): number {
  let [current, length] = [epoch, period];
  if (epoch >= period && factor === 1) current = epoch % period;
  else if (epoch >= period) {
    const n = Math.floor(Math.log((epoch / period) * (factor - 1) + 1) / Math.log(factor) + 1e-9);
    current = epoch - (period * (factor ** n - 1)) / (factor - 1);
    length = period * factor ** n;
  }
  return floor + ((1 - floor) * (1 + Math.cos((Math.PI * current) / length))) / 2;
}

law(
  'cosineAnnealingWarmRestarts restarts from 1 in longer and longer periods, as PyTorch',
  fc.record({
    period: fc.integer({ min: 1, max: 12 }),
    factor: fc.integer({ min: 1, max: 4 }),
    floor: fc.constantFrom(0, 0.25),
    epoch: fc.nat(400),
  }),
  ({ period, factor, floor, epoch }) => {
    const schedule = cosineAnnealingWarmRestarts({ period, factor, floor });
    nearValues([schedule(epoch)], [restarts(epoch, period, factor, floor)]);
    nearValues([schedule(0), schedule(period)], [1, 1]);
  },
);
