import { Conv2d, kaimingNormal, kaimingUniform, Linear, xavierNormal, xavierUniform } from '@mien/nn';
import { Generator, rand, randn, ShapeError, type Tensor } from '@mien/tensor';
import { ensure, nearValues, refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const shape = [64, 16, 3, 3] as const;
const [fanIn, fanOut] = [16 * 9, 64 * 9];

async function statistics(x: Tensor): Promise<{ mean: number; deviation: number; largest: number }> {
  const values = [...(await x.data())];
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
  const variance = values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / values.length;
  return { mean, deviation: Math.sqrt(variance), largest: Math.max(...values.map(Math.abs)) };
}

const generator = (): Generator => new Generator(5);

const deviations = {
  kaimingUniform: [() => kaimingUniform(shape, { generator: generator() }), Math.sqrt(2 / fanIn)],
  'kaimingUniform of fanOut': [
    () => kaimingUniform(shape, { mode: 'fanOut', generator: generator() }),
    Math.sqrt(2 / fanOut),
  ],
  kaimingNormal: [() => kaimingNormal(shape, { nonlinearity: 'relu', generator: generator() }), Math.sqrt(2 / fanIn)],
  'kaimingNormal for tanh': [
    () => kaimingNormal(shape, { nonlinearity: 'tanh', generator: generator() }),
    5 / 3 / Math.sqrt(fanIn),
  ],
  xavierUniform: [() => xavierUniform(shape, { generator: generator() }), Math.sqrt(2 / (fanIn + fanOut))],
  xavierNormal: [() => xavierNormal(shape, { gain: 2, generator: generator() }), 2 * Math.sqrt(2 / (fanIn + fanOut))],
} as const satisfies Record<string, readonly [() => Tensor, number]>;

for (const [name, [make, expected]] of Object.entries(deviations)) {
  test(`${name} has the deviation of its definition`, async () => {
    const { mean, deviation, largest } = await statistics(make());
    // For 9216 values the standard error of the deviation is under 1 %, that of the mean 1 % of the deviation.
    ensure(Math.abs(deviation / expected - 1) < 0.05, `the deviation is ${deviation}, expected ${expected}`);
    ensure(Math.abs(mean) < 0.05 * expected, `the mean is ${mean}`);
    if (name.includes('Uniform')) ensure(largest <= Math.sqrt(3) * expected * 1.000001, `${largest} is out of bounds`);
  });
}

test('initial values follow the random numbers of their generator, sign included', async () => {
  const uniforms = await rand(shape, { generator: generator() }).data();
  const normals = await randn(shape, { generator: generator() }).data();
  for (const [name, [make, deviation]] of Object.entries(deviations)) {
    const actual = await make().data();
    const expected = name.includes('Uniform')
      ? Array.from(uniforms, (u) => (2 * u - 1) * Math.sqrt(3) * deviation)
      : Array.from(normals, (v) => v * deviation);
    nearValues(actual, expected);
  }
});

test('layers are initialized as in PyTorch: weight and bias uniform within 1 / sqrt(fanIn)', async () => {
  using conv = new Conv2d(16, 64, 3, { generator: generator() });
  using linear = new Linear(144, 400, { generator: generator() });
  const bound = 1 / 12;
  for (const [name, p] of [...conv.namedParameters(), ...linear.namedParameters()]) {
    const { largest, deviation } = await statistics(p);
    ensure(largest <= bound && largest > 0.9 * bound, `${name} reaches ${largest}, expected ${bound}`);
    ensure(Math.abs(deviation / (bound / Math.sqrt(3)) - 1) < 0.25, `${name} has the deviation ${deviation}`);
  }
});

test('layers with equal seeds are equal, with different seeds not', async () => {
  const weights = [1, 1, 2].map((seed) => new Linear(3, 4, { generator: new Generator(seed) }));
  const [a, b, c] = await Promise.all(weights.map(async (layer) => (await layer.weight.data()).join()));
  ensure(a === b && a !== c, `${a}; ${b}; ${c}`);
  for (const layer of weights) layer.dispose();
});

test('kaimingUniform refuses a vector, which has no fans', () => {
  refuses(() => kaimingUniform([3]), ShapeError, 'expected a weight of at least two dimensions, got [3]');
});
