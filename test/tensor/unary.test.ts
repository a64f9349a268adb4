import { clamp, DtypeError, gelu, leakyRelu, type Tensor, ValueError } from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import {
  ensure,
  gradcheck,
  gradgradcheck,
  near,
  offKinks,
  refuses,
  shapes,
  toTensor,
  type ValueOptions,
  valuesOf,
} from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

/** Each function with a range in its domain, and its kinks. */
const methods: readonly [
  'neg' | 'abs' | 'exp' | 'log' | 'sqrt' | 'rsqrt' | 'square' | 'relu' | 'sigmoid' | 'tanh' | 'silu',
  ValueOptions,
  readonly number[],
][] = [
  ['neg', {}, []],
  ['abs', {}, [0]],
  ['exp', { min: -30, max: 9 }, []],
  ['log', { min: 0.1, max: 9 }, []],
  ['sqrt', { min: 0.1, max: 9 }, []],
  ['rsqrt', { min: 0.2, max: 9 }, []],
  ['square', {}, []],
  ['relu', {}, [0]],
  ['sigmoid', { min: -30, max: 9 }, []],
  ['tanh', { min: -5, max: 5 }, []],
  ['silu', { min: -9, max: 9 }, []],
];

/** Ranges in which second differences are precise, if smaller than the domain. */
const curved: Readonly<Record<string, ValueOptions>> = {
  log: { min: 0.6, max: 9 },
  sqrt: { min: 0.6, max: 9 },
  exp: { min: -2, max: 2 },
  rsqrt: { min: 0.6, max: 9 },
  sigmoid: { min: -3, max: 3 },
  silu: { min: -3, max: 3 },
  tanh: { min: -2, max: 2 },
};

for (const [name, range, kinks] of methods) {
  law(
    `${name} equals its reference`,
    shapes().chain((shape) => valuesOf(shape, range)),
    async (x) => {
      await near(toTensor(x)[name](), reference[name](x));
    },
  );
  law(
    `${name} is NaN where its argument is, and nowhere else`,
    fc.record({ x: valuesOf([191], range), places: fc.array(fc.nat(190), { minLength: 1, maxLength: 5 }) }),
    async ({ x, places }) => {
      const data = x.data.map((v, i) => (places.includes(i) ? Number.NaN : v));
      const y = await toTensor({ ...x, data })
        [name]()
        .data();
      for (const [i, v] of y.entries()) ensure(Number.isNaN(v) === places.includes(i), `element ${i} is ${v}`);
    },
  );
  law(
    `the gradient of ${name} is the derivative of its reference`,
    shapes({ maxRank: 2, maxSize: 300 }).chain((shape) => offKinks(valuesOf(shape, range), kinks)),
    (x) => gradcheck((v) => v[name](), reference[name], [x]),
  );
  law(
    `the second derivative of ${name} is that of its reference`,
    offKinks(valuesOf([5], curved[name] ?? range), kinks),
    (x) => gradgradcheck((v) => v[name](), reference[name], [x]),
    { runs: 8 },
  );
}

for (const approximate of ['none', 'tanh'] as const) {
  law(
    `gelu(${approximate}) equals its reference`,
    shapes().chain((shape) => valuesOf(shape, { min: -9, max: 9 })),
    async (x) => {
      await near(gelu(toTensor(x), approximate), reference.gelu(x, approximate));
    },
  );
  law(
    `the gradient of gelu(${approximate}) is the derivative of its reference`,
    shapes({ maxRank: 2, maxSize: 100 }).chain((shape) => valuesOf(shape, { min: -3, max: 3 })),
    (x) =>
      gradcheck(
        (v) => gelu(v, approximate),
        (v) => reference.gelu(v, approximate),
        [x],
      ),
  );
  law(
    `the second derivative of gelu(${approximate}) is that of its reference`,
    valuesOf([5], { min: -3, max: 3 }),
    (x) =>
      gradgradcheck(
        (v) => gelu(v, approximate),
        (v) => reference.gelu(v, approximate),
        [x],
      ),
    { runs: 8 },
  );
}

law(
  'leakyRelu equals its reference, gradient included',
  shapes({ maxSize: 300 }).chain((s) => offKinks(valuesOf(s), [0])),
  async (x) => {
    await near(leakyRelu(toTensor(x), 0.2), reference.leakyRelu(x, 0.2));
    await gradcheck(
      (v) => leakyRelu(v, 0.2),
      (v) => reference.leakyRelu(v, 0.2),
      [x],
    );
  },
);

law(
  'clamp equals its reference, gradient included',
  shapes({ maxSize: 300 }).chain((shape) => offKinks(valuesOf(shape), [-1, 0.5])),
  async (x) => {
    for (const bounds of [{ min: -1, max: 0.5 }, { min: -1 }, { max: 0.5 }]) {
      await near(clamp(toTensor(x), bounds), reference.clamp(x, bounds));
      await gradcheck(
        (v) => clamp(v, bounds),
        (v) => reference.clamp(v, bounds),
        [x],
      );
    }
  },
);

test('clamp passes gradients at its bounds, as PyTorch does', async () => {
  const x = toTensor(reference.values([3], [-1, 0, 2]), { requiresGrad: true });
  clamp(x, { min: -1, max: 1 }).sum().backward();
  await near(x.grad as Tensor, reference.values([3], [1, 1, 0]));
});

test('elementwise functions treat infinities, NaN and the largest values as in IEEE 754', async () => {
  const x = toTensor(reference.values([5], [Infinity, -Infinity, NaN, 88, -104]));
  await near(x.relu(), reference.values([5], [Infinity, 0, NaN, 88, 0]));
  await near(x.sigmoid(), reference.values([5], [1, 0, NaN, 1, 0]));
  await near(x.tanh(), reference.values([5], [1, -1, NaN, 1, -1]));
  await near(x.slice(0, 0, 2).exp(), reference.values([2], [Infinity, 0]));
});

test('elementwise functions refuse integers, and clamp requires a bound', () => {
  const x = toTensor(reference.values([2], [1, 2]), { dtype: 'int32' });
  refuses(() => x.exp(), DtypeError, 'exp: expected x to be float32, got int32');
  refuses(() => clamp(x.to('float32'), {}), ValueError, 'clamp: expected a bound, got none; pass min, max or both');
});

test('clamp gives max everywhere if min exceeds max, without a gradient, as in PyTorch', async () => {
  const x = toTensor(reference.values([3], [-2, 0, 6]), { requiresGrad: true });
  const y = clamp(x, { min: 2, max: 1 });
  await near(y, reference.values([3], [1, 1, 1]));
  y.sum().backward();
  await near(x.grad as Tensor, reference.values([3], [0, 0, 0]));
});

test('sign gives -1, 0 or 1, of integers too, and a gradient of zero', async () => {
  const x = toTensor(reference.values([5], [-3, -0, 0, 0.25, Infinity]), { requiresGrad: true });
  await near(x.sign(), reference.values([5], [-1, 0, 0, 1, 1]));
  x.sign().backward(toTensor(reference.values([5], [1, 2, Infinity, NaN, 3])));
  await near(x.grad as Tensor, reference.values([5], [0, 0, 0, 0, 0]));
  const integers = toTensor(reference.values([3], [-7, 0, 2147483647]), { dtype: 'int32' });
  ensure(integers.sign().dtype === 'int32', 'expected int32');
  await near(integers.sign(), reference.values([3], [-1, 0, 1]));
});

test("relu6 and hardtanh composed of clamp have PyTorch's gradients: 1 at both bounds", async () => {
  const x = toTensor(reference.values([5], [-1, 0, 3, 6, 7]), { requiresGrad: true });
  clamp(x, { min: 0, max: 6 }).sum().backward();
  await near(x.grad as Tensor, reference.values([5], [0, 1, 1, 1, 0]));
});

test("relu, leakyRelu and abs have PyTorch's gradients at 0: 0, the slope and 0", async () => {
  const at = (f: (x: Tensor) => Tensor) => {
    const x = toTensor(reference.values([3], [0, -0, NaN]), { requiresGrad: true });
    f(x).backward(toTensor(reference.values([3], [5, 5, 5])));
    return x.grad as Tensor;
  };
  await near(
    at((x) => x.relu()),
    reference.values([3], [0, 0, 5]),
  );
  await near(
    at((x) => leakyRelu(x, 0.5)),
    reference.values([3], [2.5, 2.5, 2.5]),
  );
  await near(
    at((x) => x.abs()),
    reference.values([3], [0, 0, NaN]),
  );
});

test('sqrt has an infinite derivative at 0, so a norm or deviation of zero has a NaN gradient, as in PyTorch', async () => {
  const zeros = () => toTensor(reference.full([3], 0), { requiresGrad: true });
  const compositions: Record<string, [f: (x: Tensor) => Tensor, slope: number]> = {
    'sqrt()': [(x) => x.sqrt().sum(), Infinity],
    'square().sum().sqrt()': [(x) => x.square().sum().sqrt(), NaN],
    'square().sqrt()': [(x) => x.square().sqrt().sum(), NaN],
    'variance().sqrt()': [(x) => x.variance().sqrt(), NaN],
    'add(eps).sqrt()': [(x) => x.square().sum().add(1e-12).sqrt(), 0],
  };
  for (const [name, [f, slope]] of Object.entries(compositions)) {
    const x = zeros();
    f(x).backward();
    const actual = await (x.grad as Tensor).data();
    ensure(
      actual.every((v) => Object.is(v, slope)),
      `${name}: expected ${slope}, got ${actual}`,
    );
  }
});
