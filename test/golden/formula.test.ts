import { nearValues } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import formula from './formula.golden.json' with { type: 'json' };
import { casesOf, noise } from './golden.ts';

test('noise gives the numbers that make.py gives', () => {
  for (const { name, values } of casesOf<{ name: string; values: number[] }>(formula)) {
    nearValues(noise(name, values.length), values.map(Math.fround));
  }
});
