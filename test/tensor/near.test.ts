// The comparisons of the test kit: what they allow and what they detect.
import { record, type Tensor } from '@mien/tensor';
import { exp, mul, square, sumError, summed, Total, ulps, type Values, values, within } from '@mien/tensor/reference';
import { ensure, gradcheck, gradgradcheck, Mismatch, nearValues, refuses, valuesOf } from '@mien/tensor/testing';
import { law, test } from '../harness.ts';

async function rejects(check: () => Promise<void>): Promise<void> {
  const reason = await check().then(
    () => null,
    (error: unknown) => error,
  );
  ensure(reason instanceof Mismatch, `expected a Mismatch, got ${String(reason)}`);
}

test('nearValues is relative: it detects an error of a part in a million of a small value', () => {
  nearValues([1e-6], [1e-6]);
  refuses(() => nearValues([1.000002e-6], [1e-6]), Mismatch, 'element 0');
  refuses(() => nearValues([1e-30], [2e-30]), Mismatch, 'element 0');
});

test('nearValues accepts 0 for denormal values and infinity for values beyond float32, and nothing else', () => {
  nearValues([0, Number.POSITIVE_INFINITY], [1e-39, 3.5e38]);
  refuses(() => nearValues([0], [1e-37]), Mismatch, 'element 0');
  refuses(() => nearValues([Number.POSITIVE_INFINITY], [3e38]), Mismatch, 'element 0');
  refuses(() => nearValues([Number.NaN], [0]), Mismatch, 'element 0');
});

test('nearValues applies the bound of each element that within states', () => {
  const expected = within(values([2], [1, 100]), (v) => ulps(2, v));
  nearValues([1 + 2 ** -22, 100 * (1 + 2 ** -23)], expected);
  refuses(() => nearValues([1 + 2 ** -20, 100], expected), Mismatch, 'element 0');
});

test('references propagate the errors of their arguments', () => {
  const x = within(values([1], [3]), 1e-3);
  const [once, product] = [exp(x).error?.[0] ?? 0, mul(x, x).error?.[0] ?? 0];
  ensure(Math.abs(once / (1e-3 * Math.exp(3)) - 1) < 0.01, `exp: ${once}`);
  ensure(Math.abs(product / 6e-3 - 1) < 0.01, `mul: ${product}`);
});

test('sumError grows with the root of the terms up to the longest run, then with the root of the logarithm', () => {
  const alone = (terms: number): number => sumError(terms, 1, 0);
  ensure(alone(1) === 5 * 2 ** -24, `${alone(1)}`);
  ensure(alone(400) / alone(100) < 2.1 && alone(400) / alone(100) > 1.9, `${alone(400) / alone(100)}`);
  ensure(alone(2 ** 26) / alone(1024) < 1.02, `${alone(2 ** 26) / alone(1024)}`);
});

law('a sum of float32 in any order is within the bound of Total and of summed', valuesOf([700]), ({ data }) => {
  const total = new Total();
  for (const v of data) total.add(v);
  for (const order of [data, data.toReversed(), data.toSorted()]) {
    const sum = order.reduce((s, v) => Math.fround(s + v), 0);
    ensure(Math.abs(sum - total.value) <= 4 * total.error, `${sum} for ${total.value} within ${total.error}`);
  }
  ensure((summed([total.value], 700).error?.[0] ?? 0) > 0, 'no bound');
});

/** x^2 with a gradient wrong by a factor. */
function squared(factor: number): (x: Tensor) => Tensor {
  return (x) =>
    record(
      'squared',
      x.detach().square(),
      { x },
      { saves: { x }, backward: (dy, saved) => ({ x: dy.mul(saved.x).mul(2 * factor) }) },
    );
}

test('gradcheck and gradgradcheck detect a relative gradient error of 1e-5, however small the gradient', async () => {
  for (const size of [1, 1e-6]) {
    const x: Values = values([3], [0.5 * size, -1.25 * size, size]);
    await gradcheck(squared(1), square, [x]);
    await rejects(() => gradcheck(squared(1.00001), square, [x]));
  }
  const x = values([3], [0.5, -1.25, 1]);
  await gradgradcheck(squared(1), square, [x]);
  await rejects(() => gradgradcheck(squared(1.0001), square, [x]));
});
