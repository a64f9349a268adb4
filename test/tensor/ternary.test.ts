import { addcmul, DtypeError, ShapeError, tensor } from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import {
  broadcastPairs,
  ensure,
  gradcheck,
  near,
  refuses,
  toTensor,
  type ValueOptions,
  valuesOf,
} from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

/** Three tensors of which any two shapes broadcast. */
const triples = (maxSize: number, options: ValueOptions = {}) =>
  broadcastPairs({ maxSize }).chain(([a, b]) =>
    fc.constantFrom([a, b, a], [b, a, b], [a, a, b]).chain(([p, q, r]) =>
      fc.record({
        x: valuesOf(p as number[], options),
        a: valuesOf(q as number[], options),
        b: valuesOf(r as number[], options),
      }),
    ),
  );

law('lerp equals its reference for any shapes that broadcast', triples(4096), async ({ x, a, b }) => {
  await near(toTensor(x).lerp(toTensor(a), toTensor(b)), reference.lerp(x, a, b));
  for (const weight of [-0.5, 0, 0.25, 0.75, 1, 2]) {
    await near(toTensor(x).lerp(toTensor(a), weight), reference.lerp(x, a, reference.values([], [weight])));
  }
});

law('addcmul equals its reference for any shapes that broadcast', triples(4096), async ({ x, a, b }) => {
  await near(addcmul(toTensor(x), toTensor(a), toTensor(b)), reference.addcmul(x, a, b));
  const options = { value: -0.25 };
  await near(addcmul(toTensor(x), toTensor(a), toTensor(b), options), reference.addcmul(x, a, b, options));
});

law('addcmul of integers equals its reference', triples(300, { min: -50, max: 50, integer: true }), async (c) => {
  const integers = (v: reference.Values) => toTensor(v, { dtype: 'int32' });
  const y = addcmul(integers(c.x), integers(c.a), integers(c.b), { value: 3 });
  ensure(y.dtype === 'int32', `expected int32, got ${y.dtype}`);
  await near(y, reference.addcmul(c.x, c.a, c.b, { value: 3 }));
});

law('the gradient of lerp is the derivative of its reference', triples(60), ({ x, a, b }) => {
  const weight = { ...b, data: b.data.map((v) => (Math.abs(v - 0.5) < 1 / 16 ? v + 0.25 : v)) };
  return gradcheck((p, q, r) => p.lerp(q, r), reference.lerp, [x, a, weight]);
});

law('the gradient of addcmul is the derivative of its reference', triples(60), ({ x, a, b }) =>
  gradcheck(
    (p, q, r) => addcmul(p, q, r, { value: 0.5 }),
    (p, q, r) => reference.addcmul(p, q, r, { value: 0.5 }),
    [x, a, b],
  ),
);

test('lerp is x for a weight of 0 and the end for 1, exactly', async () => {
  const [x, end] = [tensor([1e8, 0.1, -3]), tensor([0.3, 1e8, 7])];
  for (const [weight, expected] of [
    [0, x],
    [1, end],
    [tensor([0, 0, 0]), x],
    [tensor([1, 1, 1]), end],
  ] as const) {
    const y = await x.lerp(end, weight).data();
    ensure(String(y) === String(await expected.data()), `${y}`);
  }
});

test('lerp and addcmul refuse other dtypes and shapes that do not broadcast', () => {
  const [x, integers] = [tensor([1, 2]), tensor(Int32Array.of(1, 2))];
  refuses(() => integers.lerp(x, 0.5), DtypeError, 'lerp: expected x to be float32, got int32');
  refuses(() => x.lerp(integers, 0.5), DtypeError, 'lerp: expected end to be float32, got int32');
  refuses(() => x.lerp(x, integers), DtypeError, 'lerp: expected weight to be float32, got int32');
  refuses(() => addcmul(x, integers, x), DtypeError, 'addcmul: expected a to be float32 as x, got int32');
  refuses(
    () => addcmul(integers, integers, integers, { value: 0.5 }),
    DtypeError,
    'addcmul: expected a value that int32',
  );
  refuses(() => addcmul(x, x, tensor([1, 2, 3])), ShapeError, '[2] and [3] do not broadcast');
});
