import * as reference from '@mien/tensor/reference';
import { ensure, near, nearValues, toTensor, valuesOf } from '@mien/tensor/testing';
import { law, test } from '../harness.ts';
import { elementwiseLaws } from './elementwiseLaws.ts';

elementwiseLaws({
  exp2: { range: { min: -30, max: 13 }, curved: { min: -2, max: 2 } },
  expm1: { range: { min: -30, max: 9 }, curved: { min: -2, max: 2 } },
  log2: { range: { min: 0.1, max: 9 }, curved: { min: 0.6, max: 9 } },
  log10: { range: { min: 0.1, max: 9 }, curved: { min: 0.6, max: 9 } },
  log1p: { range: { min: -0.9, max: 9 }, curved: { min: -0.4, max: 8 } },
  sinh: { range: { min: -9, max: 9 }, curved: { min: -2, max: 2 } },
  cosh: { range: { min: -9, max: 9 }, curved: { min: -2, max: 2 } },
  asinh: { range: { min: -30, max: 30 }, curved: { min: -2, max: 2 } },
  acosh: { range: { min: 1.05, max: 30 }, curved: { min: 1.5, max: 4 } },
  atanh: { range: { min: -0.98, max: 0.98 }, curved: { min: -0.5, max: 0.5 } },
});

const exponents = valuesOf([129], { min: -125, max: 0 });
const powers = ({ shape, data }: reference.Values, scale: number): reference.Values => ({
  shape,
  data: data.map((v, i) => Math.fround(2 ** (v * scale) * (i % 2 === 0 ? 1 : -1))),
});

law('expm1, log1p, sinh, asinh, and atanh keep their digits near 0', exponents, async (list) => {
  for (const name of ['expm1', 'log1p', 'sinh', 'asinh', 'atanh'] as const) {
    const x = powers(list, 1);
    x.data.forEach((v, i) => {
      if (Math.abs(v) > 0.9) x.data[i] = 0.5;
    });
    await near(toTensor(x)[name](), reference[name](x));
  }
});

law('log2, log10, log1p, asinh, and acosh equal their references for any exponent', exponents, async (list) => {
  const large = powers(list, -1);
  const positive = { ...large, data: large.data.map((v, i) => Math.fround(Math.abs(i % 4 < 2 ? v : 1 / v))) };
  await near(toTensor(large).asinh(), reference.asinh(large));
  await near(toTensor(positive).log1p(), reference.log1p(positive));
  await near(toTensor(positive).log2(), reference.log2(positive));
  await near(toTensor(positive).log10(), reference.log10(positive));
  const aboveOne = {
    ...positive,
    data: powers(list, 0.2).data.map((v, i) => Math.fround(1 + Math.abs(i % 3 ? v : 1 / v))),
  };
  await near(toTensor(aboveOne).acosh(), reference.acosh(aboveOne));
});

law(
  'exp2, expm1, sinh, and cosh equal their references up to where they overflow',
  exponents,
  async ({ shape, data }) => {
    const x = { shape, data: data.map((v, i) => Math.fround((v * (i % 2 === 0 ? 1 : -1) * 89.4) / 125)) };
    await near(toTensor(x).expm1(), reference.expm1(x));
    await near(toTensor(x).sinh(), reference.sinh(x));
    await near(toTensor(x).cosh(), reference.cosh(x));
    const wider = { shape, data: x.data.map((v) => Math.fround(1.44 * v)) };
    await near(toTensor(wider).exp2(), reference.exp2(wider));
  },
);

test('exp2 of integers and log2 of powers of 2 are exact', async () => {
  const integers = Array.from({ length: 254 }, (_, i) => i - 126);
  const powersOfTwo = integers.map((n) => 2 ** n);
  const exponent = await toTensor(reference.values([254], integers))
    .exp2()
    .data();
  const logarithm = await toTensor(reference.values([254], powersOfTwo))
    .log2()
    .data();
  ensure(
    integers.every((n, i) => exponent[i] === powersOfTwo[i] && logarithm[i] === n),
    `${exponent} ${logarithm}`,
  );
});

test('exponential and hyperbolic functions reach their limits and are NaN outside of their domains', async () => {
  const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
  const x = toTensor(reference.values([7], [inf, -inf, nan, 0, 1, -1, -2]));
  nearValues((await x.exp2().data()).slice(0, 3), [inf, 0, nan]);
  nearValues((await x.expm1().data()).slice(0, 3), [inf, -1, nan]);
  nearValues((await x.log2().data()).slice(0, 5), [inf, nan, nan, -inf, 0]);
  nearValues((await x.log10().data()).slice(0, 5), [inf, nan, nan, -inf, 0]);
  nearValues(await x.log1p().data(), [inf, nan, nan, 0, Math.LN2, -inf, nan]);
  nearValues((await x.sinh().data()).slice(0, 3), [inf, -inf, nan]);
  nearValues((await x.cosh().data()).slice(0, 3), [inf, inf, nan]);
  nearValues((await x.asinh().data()).slice(0, 3), [inf, -inf, nan]);
  nearValues(await x.acosh().data(), [inf, nan, nan, nan, 0, nan, nan]);
  nearValues(await x.atanh().data(), [nan, nan, nan, 0, inf, -inf, nan]);
});
