import { logSoftmax, softmax, ValueError } from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { gradcheck, near, refuses, shapes, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

const functions = { softmax, logSoftmax };

for (const name of ['softmax', 'logSoftmax'] as const) {
  const f = functions[name];
  const cases = (maxSize: number) =>
    shapes({ minRank: 1, maxSize }).chain((shape) =>
      fc.record({ x: valuesOf(shape, { min: -9, max: 9 }), dim: fc.nat(shape.length - 1) }),
    );
  law(`${name} equals its reference along any dim`, cases(4096), async ({ x, dim }) => {
    await near(f(toTensor(x), dim), reference[name](x, dim));
  });
  law(`the gradient of ${name} is the derivative of its reference`, cases(200), ({ x, dim }) =>
    gradcheck(
      (v) => f(v, dim),
      (v) => reference[name](v, dim),
      [x],
    ),
  );
}

test('softmax and logSoftmax keep their precision for the largest values', async () => {
  const x = reference.values([3], [1e30, 1e30, -1e30]);
  await near(softmax(toTensor(x), 0), reference.values([3], [0.5, 0.5, 0]));
  const y = reference.values([2], [1000, 0]);
  await near(logSoftmax(toTensor(y), -1), reference.values([2], [0, -1000]));
});

test('softmax works along a dim with a stride of 2^16', async () => {
  const x = reference.build([3, 65_536], ([k, i]) => ((k as number) * (i as number)) % 7);
  await near(softmax(toTensor(x), 0), reference.softmax(x, 0));
});

test('softmax refuses a dim out of range', () => {
  refuses(
    () => softmax(toTensor(reference.values([2], [1, 2])), 1),
    ValueError,
    'softmax: dim must be an integer from -1 to 0, got 1',
  );
});
