import * as reference from '@mien/tensor/reference';
import { near, nearValues, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';
import { elementwiseLaws } from './elementwiseLaws.ts';

elementwiseLaws({
  sin: { range: { min: -20, max: 20 }, curved: { min: -3, max: 3 } },
  cos: { range: { min: -20, max: 20 }, curved: { min: -3, max: 3 } },
  tan: { range: { min: -1.5, max: 1.5 }, curved: { min: -0.8, max: 0.8 } },
  asin: { range: { min: -0.99, max: 0.99 }, curved: { min: -0.6, max: 0.6 } },
  acos: { range: { min: -0.99, max: 0.99 }, curved: { min: -0.6, max: 0.6 } },
  atan: { range: { min: -9, max: 9 }, curved: { min: -2, max: 2 } },
});

const wide = fc.record({
  moderate: valuesOf([257], { min: -13_000, max: 13_000 }),
  exponents: valuesOf([257], { min: -30, max: 127.9 }),
});

law('sin, cos, and tan equal their references for arguments of any size', wide, async ({ moderate, exponents }) => {
  const any = exponents.data.map((v, i) => Math.fround(2 ** v * (i % 2 === 0 ? 1 : -1)));
  for (const x of [moderate, { ...exponents, data: any }]) {
    await near(toTensor(x).sin(), reference.sin(x));
    await near(toTensor(x).cos(), reference.cos(x));
    await near(toTensor(x).tan(), reference.tan(x));
  }
});

test('sin, cos, and tan keep their digits near multiples of pi / 2', async () => {
  // The nearest float32 to each multiple, and floats whose distance to one is among the smallest of all.
  const multiples = Array.from({ length: 7800 }, (_, k) => Math.fround((k * Math.PI) / 2));
  const list = [...multiples, 12000, 12000.001, 16367173 * 2 ** 72, 12345678 * 2 ** 100, 3.4028234663852886e38];
  const x = reference.values([list.length], list.map(Math.fround));
  await near(toTensor(x).sin(), reference.sin(x));
  await near(toTensor(x).cos(), reference.cos(x));
  await near(toTensor(x).tan(), reference.tan(x));
});

law(
  'asin, acos, and atan equal their references near -1, 0 and 1, and atan also far away',
  valuesOf([129], { min: -126, max: 0 }),
  async ({ shape, data }) => {
    const small = { shape, data: data.map((v, i) => Math.fround(2 ** v * (i % 2 === 0 ? 1 : -1))) };
    const edge = { shape, data: data.map((v, i) => Math.fround((1 - 2 ** (v / 4)) * (i % 2 === 0 ? 1 : -1))) };
    for (const x of [small, edge]) {
      await near(toTensor(x).asin(), reference.asin(x));
      await near(toTensor(x).acos(), reference.acos(x));
      await near(toTensor(x).atan(), reference.atan(x));
    }
    const far = { shape, data: small.data.map((v) => Math.fround(1 / v)) };
    await near(toTensor(far).atan(), reference.atan(far));
  },
);

test('trigonometric functions are NaN where they are undefined, and reach their limits', async () => {
  const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
  const x = toTensor(reference.values([7], [inf, -inf, nan, 0, 1, -1, 1.5]));
  nearValues((await x.sin().data()).slice(0, 4), [nan, nan, nan, 0]);
  nearValues((await x.cos().data()).slice(0, 4), [nan, nan, nan, 1]);
  nearValues((await x.tan().data()).slice(0, 4), [nan, nan, nan, 0]);
  nearValues(await x.asin().data(), [nan, nan, nan, 0, Math.PI / 2, -Math.PI / 2, nan]);
  nearValues(await x.acos().data(), [nan, nan, nan, Math.PI / 2, 0, Math.PI, nan]);
  nearValues((await x.atan().data()).slice(0, 3), [Math.PI / 2, -Math.PI / 2, nan]);
});
