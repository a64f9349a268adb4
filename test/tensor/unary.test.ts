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
  valuesOf,
} from '@mien/tensor/testing';
import { law, test } from '../harness.ts';
import { elementwiseLaws } from './elementwiseLaws.ts';

elementwiseLaws({
  neg: { range: {} },
  abs: { range: {}, kinks: [0] },
  floor: { range: {}, kinks: [-2, -1, 0, 1, 2], flat: true },
  ceil: { range: {}, kinks: [-2, -1, 0, 1, 2], flat: true },
  round: { range: {}, kinks: [-1.5, -0.5, 0.5, 1.5], flat: true },
  trunc: { range: {}, kinks: [-2, -1, 1, 2], flat: true },
  frac: { range: {}, kinks: [-2, -1, 1, 2] },
  reciprocal: { range: { min: 0.2, max: 9 }, curved: { min: 0.6, max: 9 } },
  exp: { range: { min: -30, max: 9 }, curved: { min: -2, max: 2 } },
  log: { range: { min: 0.1, max: 9 }, curved: { min: 0.6, max: 9 } },
  sqrt: { range: { min: 0.1, max: 9 }, curved: { min: 0.6, max: 9 } },
  rsqrt: { range: { min: 0.2, max: 9 }, curved: { min: 0.6, max: 9 } },
  square: { range: {} },
  relu: { range: {}, kinks: [0] },
  sigmoid: { range: { min: -30, max: 9 }, curved: { min: -3, max: 3 } },
  tanh: { range: { min: -5, max: 5 }, curved: { min: -2, max: 2 } },
  erf: { range: { min: -5, max: 5 }, curved: { min: -2, max: 2 } },
  erfc: { range: { min: -5, max: 9 }, curved: { min: -2, max: 2 } },
  erfinv: { range: { min: -0.95, max: 0.95 }, curved: { min: -0.6, max: 0.6 } },
  silu: { range: { min: -9, max: 9 }, curved: { min: -3, max: 3 } },
});

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

law(
  'erf, erfc, and erfinv equal their references near 0, at their ends and in their tails',
  valuesOf([129], { min: -24, max: 0 }),
  async ({ shape, data }) => {
    const signed = (f: (v: number) => number) => ({
      shape,
      data: data.map((v, i) => Math.fround(i % 2 === 0 ? f(v) : -f(v))),
    });
    const [small, tail, edge] = [signed((v) => 2 ** v), signed((v) => v / 2.7), signed((v) => 1 - 2 ** v)];
    for (const x of [small, tail]) {
      await near(toTensor(x).erf(), reference.erf(x));
      await near(toTensor(x).erfc(), reference.erfc(x));
    }
    for (const x of [small, edge]) await near(toTensor(x).erfinv(), reference.erfinv(x));
  },
);

test('floor, ceil, round, trunc keep integer dtypes and values, and frac and reciprocal refuse them', async () => {
  const list = [-2147483648, -3, 0, 2147483647];
  const x = toTensor(reference.values([4], list), { dtype: 'int32' });
  for (const name of ['floor', 'ceil', 'round', 'trunc'] as const) {
    const y = x[name]();
    ensure(y.dtype === 'int32', `${name}: expected int32, got ${y.dtype}`);
    await near(y, reference.values([4], list));
    ensure(toTensor(reference.values([1], [7]), { dtype: 'uint32' })[name]().dtype === 'uint32', name);
    refuses(() => x.gt(0)[name](), DtypeError, `${name}: expected x to be float32, got bool`);
  }
  for (const name of ['frac', 'reciprocal'] as const) {
    refuses(() => x[name](), DtypeError, `${name}: expected x to be float32, got int32`);
  }
});

test('round takes halves to the even integer, as PyTorch does', async () => {
  const x = toTensor(reference.values([8], [-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.49999997, 8388609]));
  await near(x.round(), reference.values([8], [-2, -2, 0, 0, 2, 2, 0, 8388609]));
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
