import { type Faces, folds, groupFolds, leaksOf } from '@mien/fer';
import { ValueError } from '@mien/tensor';
import { refuses } from '@mien/tensor/testing';
import fc from 'fast-check';
import * as assert from 'uvu/assert';
import { law, test } from '../harness.ts';

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

law(
  'groupFolds tests every row once, splits no group, and is deterministic',
  fc.record({
    count: fc.integer({ min: 2, max: 5 }),
    seed: fc.integer({ min: 0, max: 1000 }),
    rows: fc.array(fc.tuple(fc.integer({ min: 0, max: 11 }), fc.integer({ min: 0, max: 3 })), { maxLength: 80 }),
  }),
  ({ count, seed, rows }) => {
    // One row of each group first, so that there are enough groups.
    const all = [...range(12).map((group) => [group, 0] as const), ...rows];
    const groups = all.map(([group]) => `g${group}`);
    const labels = all.map(([, label]) => label);
    const made = groupFolds(groups, labels, count, seed);
    assert.equal(
      made.flatMap((fold) => [...fold]).sort((a, b) => a - b),
      range(all.length),
    );
    for (const group of new Set(groups)) {
      assert.is(made.filter((fold) => fold.some((row) => groups[row] === group)).length, 1);
    }
    assert.equal(groupFolds(groups, labels, count, seed), made);
  },
);

law(
  'groupFolds balances groups of equal size and one class to within one group per fold',
  fc.record({
    count: fc.integer({ min: 2, max: 6 }),
    seed: fc.integer({ min: 0, max: 1000 }),
    perClass: fc.array(fc.integer({ min: 6, max: 30 }), { minLength: 1, maxLength: 5 }),
  }),
  ({ count, seed, perClass }) => {
    const sequences = perClass.flatMap((n, label) => range(n).map((i) => ({ name: `${label}-${i}`, label })));
    const groups = sequences.flatMap(({ name }) => [name, name, name]);
    const labels = sequences.flatMap(({ label }) => [label, label, label]);
    const made = groupFolds(groups, labels, count, seed);
    for (const label of perClass.keys()) {
      const held = made.map((fold) => fold.filter((row) => labels[row] === label).length / 3);
      assert.ok(Math.max(...held) - Math.min(...held) <= 1, `class ${label}: ${held.join(', ')}`);
    }
  },
);

test('groupFolds refuses fewer groups than folds, and one fold', () => {
  refuses(() => groupFolds(['a', 'b', 'a'], [0, 0, 0], 3, 1), ValueError, 'got 3 folds of 2 groups');
  refuses(() => groupFolds(['a', 'b'], [0, 0], 1, 1), ValueError, 'expected 2 folds or more');
});

/** Twelve subjects with a sequence of three frames for each of two classes, without pixels. */
function drawnSubjects(): Faces {
  const sources = range(2).flatMap((label) =>
    range(12).flatMap((subject) =>
      range(3).map((frame) => `${label}/S${100 + subject}_00${label + 1}_0000000${frame}.png`),
    ),
  );
  const labels = Uint8Array.from(sources, (source) => Number(source[0]));
  return { dataset: 'ck+', classes: ['a', 'b'], images: new Uint8Array(0), labels, splits: {}, sources };
}

test('folds and leaksOf: no shared subject or sequence, as requested, and leaks as counted by hand', () => {
  const faces = drawnSubjects();
  const bySubject = folds(faces, 'subject');
  assert.is(bySubject.length, 10);
  assert.equal(leaksOf(bySubject), {
    tested: 72,
    sharedSubject: 0,
    sharedSequence: 0,
    testedTwice: 0,
    testedNever: 0,
  });
  assert.equal(leaksOf(folds(faces, 'sequence')).sharedSequence, 0);
  // By hand: one fold that trains on the first frame of a sequence and tests the other two.
  const [train, tested] = [Int32Array.of(0), Int32Array.of(1, 2)];
  const hand = leaksOf([{ train: { faces, indices: train }, test: { faces, indices: tested } }]);
  assert.equal(hand, { tested: 2, sharedSubject: 2, sharedSequence: 2, testedTwice: 0, testedNever: 70 });
});

test('folds by subject refuse absent file names and names without a subject', () => {
  const { sources: _, ...nameless } = drawnSubjects();
  refuses(() => folds(nameless, 'subject'), ValueError, 'pass the CK+48 folder');
  const other = { ...drawnSubjects(), sources: Array.from({ length: 72 }, (_, i) => `anger/${i}.png`) };
  refuses(() => folds(other, 'subject'), ValueError, 'got anger/0.png');
});
