import { DtypeError, ShapeError, type Tensor, tensor, ValueError } from '@mien/tensor';
import { broadcastShapes, withLimits } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import {
  broadcastPairs,
  distinctValuesOf,
  ensure,
  gradcheck,
  near,
  offKinks,
  refuses,
  shapes,
  toTensor,
  valuesOf,
} from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

const arithmetic = ['add', 'sub', 'mul', 'maximum', 'minimum'] as const;
const comparisons = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'logicalAnd', 'logicalOr', 'logicalXor'] as const;

const pairs = (options: Parameters<typeof valuesOf>[1] = {}) =>
  broadcastPairs().chain(([a, b]) => fc.record({ a: valuesOf(a, options), b: valuesOf(b, options) }));

for (const name of arithmetic) {
  law(`${name} equals its reference for any shapes that broadcast`, pairs(), async ({ a, b }) => {
    await near(toTensor(a)[name](toTensor(b)), reference[name](a, b));
  });
  law(`${name} of integers equals its reference`, pairs({ min: -50, max: 50, integer: true }), async ({ a, b }) => {
    await near(toTensor(a, { dtype: 'int32' })[name](toTensor(b, { dtype: 'int32' })), reference[name](a, b));
  });
  law(
    `the gradient of ${name} is the derivative of its reference`,
    broadcastPairs({ maxSize: 300 }).chain(([a, b]) =>
      // Distinct eighths and values offset from eighths by 1/32: never equal, so maximum and minimum have no ties.
      fc.record({
        a: distinctValuesOf(a),
        b: distinctValuesOf(b).map((v) => ({ ...v, data: v.data.map((x) => x + 1 / 32) })),
      }),
    ),
    ({ a, b }) => gradcheck((x, y) => x[name](y), reference[name], [a, b]),
  );
}

for (const name of comparisons) {
  law(`${name} equals its reference, ties included`, pairs({ min: -2, max: 2, integer: true }), async ({ a, b }) => {
    await near(toTensor(a)[name](toTensor(b)), reference[name](a, b));
  });
}

law(
  'mul of tiny values equals its reference to the last digit, unless the result is denormal',
  pairs(),
  async ({ a, b }) => {
    const tiny = (v: reference.Values, by: number) => ({ ...v, data: v.data.map((x) => x * by) });
    for (const [p, q] of [
      [2 ** -60, 2 ** -60],
      [2 ** -100, 2 ** -27],
    ] as const) {
      await near(toTensor(tiny(a, p)).mul(toTensor(tiny(b, q))), reference.mul(tiny(a, p), tiny(b, q)));
    }
  },
);

const positive = { min: 0.5, max: 3 };

law('div equals its reference for any shapes that broadcast', pairs(positive), async ({ a, b }) => {
  await near(toTensor(a).div(toTensor(b)), reference.div(a, b));
});

law('pow equals its reference for positive bases', pairs(positive), async ({ a, b }) => {
  await near(toTensor(a).pow(toTensor(b)), reference.pow(a, b));
});

law(
  'pow of any base to an integer exponent equals its reference',
  shapes({ maxRank: 2 }).chain((shape) =>
    fc.record({ a: valuesOf(shape), b: valuesOf(shape, { min: 0, max: 5, integer: true }) }),
  ),
  async ({ a, b }) => {
    await near(toTensor(a).pow(toTensor(b)), reference.pow(a, b));
  },
);

law('pow of integers equals its reference', pairs({ min: 0, max: 6, integer: true }), async ({ a, b }) => {
  const signed = { ...a, data: a.data.map((v, i) => (i % 2 === 0 ? v : -v)) };
  await near(toTensor(signed, { dtype: 'int32' }).pow(toTensor(b, { dtype: 'int32' })), reference.pow(signed, b));
  await near(toTensor(a, { dtype: 'uint32' }).pow(toTensor(b, { dtype: 'uint32' })), reference.pow(a, b));
});

test("pow of integers wraps around, and has PyTorch's values for negative exponents", async () => {
  const base = tensor(Int32Array.of(3, -3, 7, 1, -1, -1, 2, 0, -2147483647, 0));
  const y = base.pow(tensor(Int32Array.of(20, 21, 12, -5, -3, -4, -1, -1, -1, 0)));
  ensure(y.dtype === 'int32', `expected int32, got ${y.dtype}`);
  const wrapped = [Number(BigInt.asIntN(32, 3n ** 20n)), Number(BigInt.asIntN(32, (-3n) ** 21n))];
  const expected = [...wrapped, Number(BigInt.asIntN(32, 7n ** 12n)), 1, -1, 1, 0, 0, 0, 1];
  ensure(String(await y.data()) === String(expected), `${await y.data()}`);
  ensure(String(await base.pow(2).slice(0, 0, 3).data()) === '9,9,49', 'squares');
  refuses(() => base.pow(-1), ValueError, 'pow: expected an exponent of at least 0 for int32, got -1');
  refuses(() => base.pow(0.5), DtypeError, 'pow: expected a number that int32 can represent, got 0.5');
});

law('atan2 equals its reference in all quadrants and for any shapes that broadcast', pairs(), async ({ a, b }) => {
  await near(toTensor(a).atan2(toTensor(b)), reference.atan2(a, b));
  await near(toTensor(a).atan2(-0.5), reference.atan2(a, reference.values([], [-0.5])));
});

law('atan2 equals its reference for numbers of any size', pairs({ min: -125, max: 126 }), async ({ a, b }) => {
  const [x, y] = [a, b].map((v) => ({ ...v, data: v.data.map((e, i) => Math.fround(2 ** e * (i % 3 ? 1 : -1))) })) as [
    reference.Values,
    reference.Values,
  ];
  await near(toTensor(x).atan2(toTensor(y)), reference.atan2(x, y));
});

const { POSITIVE_INFINITY: inf, NaN: nan } = Number;

test("atan2 has PyTorch's values for zeros and infinities", async () => {
  const list = [0, -0, 1, -1, inf, -inf, 3e38, -1e-30];
  const [a, b] = [list.flatMap((v) => list.map(() => v)), list.flatMap(() => list)];
  await near(tensor(a).atan2(tensor(b)), reference.atan2(reference.values([64], a), reference.values([64], b)));
  await near(tensor([nan, 1, nan]).atan2(tensor([1, nan, 0])), reference.values([3], [nan, nan, nan]));
});

for (const name of ['remainder', 'fmod'] as const) {
  law(`${name} equals its reference, exactly`, pairs({ min: -9, max: 9 }), async ({ a, b }) => {
    await near(toTensor(a)[name](toTensor(b)), reference[name](a, b));
    await near(toTensor(a)[name](-0.3), reference[name](a, reference.values([], [Math.fround(-0.3)])));
  });
  law(`${name} equals its reference for quotients of any size`, pairs({ min: -110, max: 127 }), async ({ a, b }) => {
    const [x, y] = [a, b].map((v) => ({
      ...v,
      data: v.data.map((e, i) => Math.fround(2 ** e * (i % 3 ? 1 : -1))),
    })) as [reference.Values, reference.Values];
    await near(toTensor(x)[name](toTensor(y)), reference[name](x, y));
  });
  law(`${name} of integers equals its reference`, pairs({ min: -50, max: 50, integer: true }), async ({ a, b }) => {
    const divisor = { ...b, data: b.data.map((v) => v || 7) };
    const y = toTensor(a, { dtype: 'int32' })[name](toTensor(divisor, { dtype: 'int32' }));
    ensure(y.dtype === 'int32', `expected int32, got ${y.dtype}`);
    await near(y, reference[name](a, divisor));
    const [p, q] = [a, divisor].map((v) => ({ ...v, data: v.data.map(Math.abs) })) as [
      reference.Values,
      reference.Values,
    ];
    await near(toTensor(p, { dtype: 'uint32' })[name](toTensor(q, { dtype: 'uint32' })), reference[name](p, q));
  });
  test(`${name} has PyTorch's values for zeros, infinities and the smallest integer`, async () => {
    const x = tensor([5, -5, 5, -5, inf, 5, nan, 0, -3]);
    const b = tensor([inf, inf, -inf, -inf, 2, 0, 2, 5, 3]);
    const limits = name === 'fmod' ? [5, -5, 5, -5] : [5, inf, -inf, -5];
    await near(x[name](b), reference.values([9], [...limits, nan, nan, nan, 0, 0]));
    const integers = tensor(Int32Array.of(-2147483648, 2147483647, 7));
    ensure(String(await integers[name](tensor(Int32Array.of(-1, -1, 0))).data()) === '0,0,0', name);
    refuses(() => integers[name](0), ValueError, `${name}: expected a divisor other than 0 for int32, got 0`);
  });
}

/** Operands whose quotients are at least 1/10 away from integers, where a remainder jumps. */
const quotients = shapes({ maxRank: 2, maxSize: 60 }).chain((shape) =>
  fc
    .record({
      whole: valuesOf(shape, { min: -4, max: 3, integer: true }),
      part: valuesOf(shape, { min: 0.2, max: 0.8 }),
      b: valuesOf(shape, positive),
    })
    .map(({ whole, part, b }) => ({
      b,
      a: { ...b, data: b.data.map((v, i) => Math.fround(v * ((whole.data[i] as number) + (part.data[i] as number)))) },
    })),
);

for (const name of ['remainder', 'fmod'] as const) {
  law(`the gradient of ${name} is the derivative of its reference`, quotients, ({ a, b }) =>
    gradcheck((x, y) => x[name](y), reference[name], [a, b]),
  );
}

law(
  'the gradient of atan2 is the derivative of its reference',
  broadcastPairs({ maxSize: 300 }).chain(([a, b]) => fc.record({ a: valuesOf(a), b: valuesOf(b, positive) })),
  ({ a, b }) => gradcheck((x, y) => x.atan2(y), reference.atan2, [a, b]),
);

for (const name of ['div', 'pow'] as const) {
  law(
    `the gradient of ${name} is the derivative of its reference`,
    broadcastPairs({ maxSize: 300 }).chain(([a, b]) =>
      fc.record({ a: valuesOf(a, positive), b: valuesOf(b, positive) }),
    ),
    ({ a, b }) => gradcheck((x, y) => x[name](y), reference[name], [a, b]),
  );
}

law(
  'arithmetic with a number equals arithmetic with a tensor of that number',
  shapes().chain((shape) => fc.record({ a: valuesOf(shape, positive), b: fc.integer({ min: -3, max: 3 }) })),
  async ({ a, b }) => {
    const number = reference.full([], b);
    for (const name of ['add', 'sub', 'mul', 'maximum', 'minimum', 'pow'] as const) {
      await near(toTensor(a)[name](b), reference[name](a, number));
    }
  },
);

law(
  'the gradient of arithmetic with a number is the derivative of its reference',
  shapes({ maxRank: 2, maxSize: 64 }).chain((shape) =>
    fc.record({ a: valuesOf(shape, positive), b: fc.constantFrom(-2.5, 0.3, 4) }),
  ),
  async ({ a, b }) => {
    const number = reference.full([], b);
    for (const name of ['add', 'sub', 'mul', 'div', 'pow'] as const) {
      await gradcheck(
        (x) => x[name](b),
        (x) => reference[name](x, number),
        [a],
      );
    }
  },
);

law(
  'arithmetic is split where a tensor is larger than a binding',
  fc
    .constantFrom([9000], [400, 25], [70, 130])
    .chain((shape) => fc.record({ a: valuesOf(shape), b: valuesOf([shape.at(-1) as number]), c: valuesOf(shape) })),
  ({ a, b, c }) =>
    withLimits({ maxStorageBufferBindingSize: 1 << 15, minStorageBufferOffsetAlignment: 256 }, async () => {
      await near(toTensor(a).mul(toTensor(c)), reference.mul(a, c));
      await near(toTensor(a).mul(toTensor(b)), reference.mul(a, b));
    }),
);

law('arithmetic is split if it needs more workgroups than one dimension allows', valuesOf([70_001]), (a) =>
  withLimits({ maxComputeWorkgroupsPerDimension: 7 }, () =>
    near(toTensor(a).add(1), reference.add(a, reference.full([], 1))),
  ),
);

/** C's pow, which differs from JavaScript's for bases 1 and -1. */
const powerInC = (a: number, b: number): number => (a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b);
const special = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 2, -2, 0.5, -0.5, 3, 4, -3, 1e-20, -1e20, 1001, -129];

test('pow equals pow of C in every special case, for tensors, numbers on either side and broadcasting', async () => {
  const bases = tensor(special);
  const all = special.flatMap((a) => special.map((b) => [a, b] as const));
  const expected = Float64Array.from(all, ([a, b]) => Math.fround(powerInC(a, b)));
  const shape = [special.length, special.length];
  const agree = async (actual: Tensor, expected: ArrayLike<number>, form: string) => {
    const values = await actual.data();
    for (const [i, [a, b]] of all.entries()) {
      const [value, right] = [values[i] as number, expected[i] as number];
      // Denormal results may be flushed to zero of the same sign.
      const close = Math.abs(value - right) <= 8 * 2 ** -23 * Math.abs(right) + 2 ** -126;
      const same = Object.is(value, right) || (value !== 0 && close) || (value === 0 && right !== 0 && close);
      ensure(same, `${form}: ${a} ** ${b} expected ${right}, got ${value}`);
    }
  };
  await agree(bases.reshape([special.length, 1]).pow(bases), expected, 'broadcast');
  const [left, right] = [0, 1].map((side) => tensor(all.map((pair) => pair[side] as number))) as [Tensor, Tensor];
  await agree(left.pow(right).reshape(shape), expected, 'elements');
  for (const [i, b] of special.entries()) {
    const column = special.map((_, j) => expected[j * special.length + i] as number);
    const actual = await bases.pow(b).data();
    for (const [j, a] of special.entries()) {
      const near =
        Object.is(actual[j], column[j]) || Math.abs((actual[j] as number) - (column[j] as number)) < 2 ** -126;
      const relative = Math.abs((actual[j] as number) / (column[j] as number) - 1) <= 8 * 2 ** -23;
      ensure(near || relative, `a number: ${a} ** ${b} expected ${column[j]}, got ${actual[j]}`);
    }
  }
});

law(
  'pow of integers to integer exponents is exact if the power is exact in float32',
  fc.record({ base: fc.integer({ min: -40, max: 40 }), exponent: fc.integer({ min: 0, max: 24 }) }),
  async ({ base, exponent }) => {
    fc.pre(Math.fround(base ** exponent) === base ** exponent && Math.abs(base ** exponent) < 2 ** 24);
    const [a, b] = [tensor([base, base, base, base, base]), tensor([exponent])];
    for (const y of [a.pow(exponent), a.pow(b)]) {
      const actual = await y.data();
      ensure(
        actual.every((v) => v === base ** exponent),
        `${base} ** ${exponent} is ${actual}`,
      );
    }
  },
  { runs: 60 },
);

test("the gradients of pow at 0 and for an exponent of 0 are PyTorch's", async () => {
  const slopes = async (bases: number[], exponent: number) => {
    const x = tensor(bases, { requiresGrad: true });
    x.pow(exponent).sum().backward();
    return (x.grad as Tensor).data();
  };
  ensure(String(await slopes([0, 5], 2)) === '0,10', 'x ** 2');
  ensure(String(await slopes([0, 5], 1)) === '1,1', 'x ** 1');
  ensure(String(await slopes([0, NaN, Infinity], 0)) === '0,0,0', 'x ** 0');
  ensure(String(await slopes([0, 4], 0.5)) === 'Infinity,0.25', 'x ** 0.5');
  ensure(String(await slopes([5, 11, 15], 3)) === '75,363,675', 'x ** 3');
  const [a, b] = [tensor([0, 0, 0, 2], { requiresGrad: true }), tensor([0, 2, -1, 0], { requiresGrad: true })];
  a.pow(b).sum().backward();
  ensure(String(await (a.grad as Tensor).data()) === '0,0,-Infinity,0', `a ${await (a.grad as Tensor).data()}`);
  const slope = await (b.grad as Tensor).data();
  ensure(slope[0] === 0 && slope[1] === 0 && slope[2] === -Infinity, `b ${slope}`);
});

test('maximum and minimum propagate NaN from either operand', async () => {
  const a = toTensor(reference.values([4], [Number.NaN, 1, Number.NaN, 2]));
  const b = toTensor(reference.values([4], [1, Number.NaN, Number.NaN, 3]));
  await near(a.maximum(b), reference.values([4], [NaN, NaN, NaN, 3]));
  await near(a.minimum(b), reference.values([4], [NaN, NaN, NaN, 2]));
});

law(
  'arithmetic broadcasts tensors of up to eight dimensions that do not merge',
  fc
    .constantFrom(
      [
        [2, 1, 3, 1, 2, 1],
        [1, 2, 1, 2, 1, 3],
      ],
      [
        [2, 1, 3, 1, 2, 4],
        [1, 2, 1, 2, 1, 4],
      ],
      [
        [1, 2, 1, 2, 1, 2, 1, 3],
        [2, 1, 2, 1, 2, 1, 2, 1],
      ],
      [
        [1, 2, 1, 2, 1, 2, 1, 8],
        [2, 1, 2, 1, 2, 1, 2, 8],
      ],
    )
    .chain(([a, b]) => fc.record({ a: valuesOf(a), b: valuesOf(b) })),
  async ({ a, b }) => {
    await near(toTensor(a).sub(toTensor(b)), reference.sub(a, b));
  },
  { runs: 8 },
);

test('maximum and minimum of equal operands divide the gradient equally', async () => {
  for (const name of ['maximum', 'minimum'] as const) {
    const a = toTensor(reference.values([3], [1, 5, 2]), { requiresGrad: true });
    const b = toTensor(reference.values([3], [1, 2, 5]), { requiresGrad: true });
    a[name](b).sum().backward();
    const wins = name === 'maximum' ? [1, 0] : [0, 1];
    await near(a.grad as Tensor, reference.values([3], [0.5, ...wins]));
    await near(b.grad as Tensor, reference.values([3], [0.5, ...wins.toReversed()]));
  }
});

law('the second derivative of a product of powers is that of its formula', valuesOf([5], positive), async (x) => {
  const leaf = toTensor(x, { requiresGrad: true });
  const y = leaf.pow(3).sum();
  y.backward(null, { createGraph: true });
  const slope = (leaf.grad as Tensor).sum();
  leaf.grad = null;
  slope.backward();
  ensure(leaf.grad !== null, 'expected no second derivative');
  await near(leaf.grad as Tensor, { shape: x.shape, data: x.data.map((v) => 6 * v) });
});

test('broadcastShapes refuses different sizes other than 1', () => {
  ensure(broadcastShapes('add', [3, 1], [4]).join() === '3,4', 'expected both to be broadcast');
  refuses(() => broadcastShapes('add', [2, 3], [2, 4]), ShapeError, 'add: [2, 3] and [2, 4] do not broadcast');
});

test('arithmetic refuses mixed dtypes, and fractions for integers', () => {
  const a = toTensor(reference.values([2], [1, 2]));
  const b = toTensor(reference.values([2], [1, 2]), { dtype: 'int32' });
  refuses(() => a.add(b), DtypeError, 'add: expected a and b of one dtype, got float32 and int32');
  refuses(() => b.mul(0.5), DtypeError, 'mul: expected a number that int32 can represent, got 0.5');
  refuses(() => b.div(b), DtypeError, 'div: expected a to be float32, got int32');
});

law(
  'offKinks moves values away from the points',
  offKinks(valuesOf([64], { min: -0.1, max: 0.1 }), [0]),
  ({ data }) => {
    ensure(
      data.every((v) => Math.abs(v) >= 1 / 16),
      'a value is at a kink',
    );
  },
);
