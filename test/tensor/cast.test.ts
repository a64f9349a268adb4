import type { Tensor } from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { ensure, near, shapes, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

const dtypes = ['float32', 'int32', 'uint32', 'bool'] as const;
const cases = shapes({ maxRank: 3 }).chain((shape) =>
  fc.record({
    x: valuesOf(shape, { min: -9, max: 9 }),
    from: fc.constantFrom(...dtypes),
    to: fc.constantFrom(...dtypes),
  }),
);

law('to equals its reference between any dtypes', cases, async ({ x, from, to }) => {
  const start = reference.to(x, from);
  // Source values are in the target's range, as negative values are undefined for uint32.
  const safe = { shape: start.shape, data: start.data.map((v) => (to === 'uint32' ? Math.abs(v) : v)) };
  await near(toTensor(safe, { dtype: from }).to(to), reference.to(safe, to));
});

test('to propagates gradients between float32 only', async () => {
  const x = toTensor(reference.values([2], [1.5, 2.5]), { requiresGrad: true });
  x.to('float32').mul(2).sum().backward();
  await near(x.grad as Tensor, reference.values([2], [2, 2]));
  ensure(!x.to('int32').requiresGrad, 'expected no gradient for int32');
});
