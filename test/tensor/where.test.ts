import { DtypeError, where } from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { broadcastPairs, gradcheck, near, refuses, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

const cases = broadcastPairs({ maxSize: 600 }).chain(([a, b]) =>
  fc.record({ condition: valuesOf(b, { min: 0, max: 1, integer: true }), a: valuesOf(a), b: valuesOf(b) }),
);

law('where equals its reference for any shapes that broadcast', cases, async ({ condition, a, b }) => {
  const chosen = where(toTensor(condition, { dtype: 'bool' }), toTensor(a), toTensor(b));
  await near(chosen, reference.where(condition, a, b));
});

law(
  'where equals its reference over several workgroups',
  fc.constantFrom(3003, 4097, 9001, 11_000).chain((size) => {
    const shape = [size];
    const condition = valuesOf(shape, { min: 0, max: 1, integer: true });
    return fc.record({ condition, a: valuesOf(shape), b: valuesOf(shape) });
  }),
  async ({ condition, a, b }) => {
    const chosen = where(toTensor(condition, { dtype: 'bool' }), toTensor(a), toTensor(b));
    await near(chosen, reference.where(condition, a, b));
  },
  { runs: 8 },
);

law('the gradient of where is the derivative of its reference', cases, async ({ condition, a, b }) => {
  const mask = toTensor(condition, { dtype: 'bool' });
  await gradcheck(
    (x, y) => where(mask, x, y),
    (x, y) => reference.where(condition, x, y),
    [a, b],
  );
});

test('where refuses a condition that is not bool', () => {
  const x = toTensor(reference.values([2], [1, 2]));
  refuses(() => where(x, x, x), DtypeError, 'where: expected condition to be bool, got float32');
});
