import { CK_PLUS_COUNTS, CK_PLUS_FOLDS, ckPlusFold } from '@mien/fer';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

const labels = CK_PLUS_COUNTS.flatMap((n, label) => Array.from({ length: n }, () => label));
const testedOf = (fold: number): number[] => {
  const counts = CK_PLUS_COUNTS.map(() => 0);
  for (const i of ckPlusFold(fold).test) counts[labels[i] as number]! += 1;
  return counts;
};

test('ckPlusFold tests 99 and trains on the other 882 in every fold', () => {
  for (let fold = 1; fold <= CK_PLUS_FOLDS; fold++) {
    const { train, test: tested } = ckPlusFold(fold);
    assert.is(tested.length, 99);
    assert.is(train.length, 882);
    assert.is(new Set([...train, ...tested]).size, 981);
  }
});

test('ckPlusFold includes six happy images in fold 9 of fear, and the end of each class in fold 10', () => {
  assert.equal(testedOf(1), [12, 18, 9, 21, 9, 24, 6]);
  assert.equal(testedOf(9), [12, 18, 3, 27, 9, 24, 6]);
  assert.equal(testedOf(10), [12, 18, 9, 21, 9, 24, 6]);
  assert.equal(
    [...ckPlusFold(10).test].slice(0, 12),
    Array.from({ length: 12 }, (_, i) => 123 + i),
  );
  assert.ok([387, 388, 389, 390, 391, 392].every((i) => ckPlusFold(9).test.includes(i)));
});

test('ckPlusFold tests 33 images twice and 24 never over the ten folds', () => {
  const times = new Array<number>(981).fill(0);
  for (let fold = 1; fold <= CK_PLUS_FOLDS; fold++) for (const i of ckPlusFold(fold).test) times[i]! += 1;
  assert.is(times.filter((n) => n === 2).length, 33);
  assert.is(times.filter((n) => n === 0).length, 24);
});

test('ckPlusFold refuses folds that do not exist', () => {
  for (const fold of [0, 11, 1.5]) assert.throws(() => ckPlusFold(fold), /fold must be 1 to 10/);
});
