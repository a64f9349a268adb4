// Layers of transformers: their parameters, options and errors. Their values are compared with PyTorch's in test/golden, those
// of their operations with references in test/tensor.
import { Embedding, LayerNorm, MultiheadAttention, RMSNorm, Sequential, SGD } from '@mien/nn';
import {
  embedding,
  Generator,
  layerNorm,
  manualSeed,
  ones,
  randn,
  rmsNorm,
  ShapeError,
  scaledDotProductAttention,
  type Tensor,
  tensor,
  ValueError,
} from '@mien/tensor';
import { summed } from '@mien/tensor/reference';
import { ensure, near, refuses, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

/** The same sums, perhaps in another order. */
async function same(actual: Tensor, expected: Tensor): Promise<void> {
  await near(actual, summed({ shape: expected.shape, data: Float64Array.from(await expected.data()) }, 16));
}

/** The float32 values of a generated case. */
const filled = ({ shape, data }: { shape: readonly number[]; data: Float64Array }): Tensor => tensor({ shape, data });

law(
  'LayerNorm and RMSNorm compute layerNorm and rmsNorm with their weights',
  fc.record({ x: valuesOf([2, 3, 4]), weight: valuesOf([3, 4]), bias: valuesOf([3, 4]) }),
  async (c) => {
    const [x, weight, bias] = [filled(c.x), filled(c.weight), filled(c.bias)];
    using layer = new LayerNorm([3, 4], { eps: 0.01 });
    layer.loadStateDict(new Map(Object.entries({ weight, bias })));
    await same(layer.forward(x), layerNorm(x, [3, 4], { weight, bias, eps: 0.01 }));
    using root = new RMSNorm([3, 4], { eps: 0.01 });
    root.loadStateDict(new Map([['weight', weight]]));
    await same(root.forward(x), rmsNorm(x, [3, 4], { weight, eps: 0.01 }));
  },
  { runs: 4 },
);

test('LayerNorm and RMSNorm have the parameters that their options name, and start at the identity', async () => {
  const x = randn([5, 4]);
  const names = (layer: LayerNorm | RMSNorm) => [...layer.stateDict().keys()].join();
  ensure(names(new LayerNorm(4)) === 'weight,bias', 'both');
  ensure(names(new LayerNorm(4, { bias: false })) === 'weight', 'no bias');
  ensure(names(new LayerNorm(4, { elementwiseAffine: false })) === '', 'none');
  ensure(names(new RMSNorm([4])) === 'weight', 'the weight');
  ensure(names(new RMSNorm(4, { elementwiseAffine: false })) === '', 'none');
  await same(new LayerNorm(4).forward(x), layerNorm(x, 4));
  await same(new LayerNorm(4, { elementwiseAffine: false }).forward(x), layerNorm(x, 4));
  await same(new RMSNorm(4).forward(x), rmsNorm(x, 4));
  // A layer of one input in a Sequential.
  await same(new Sequential(new LayerNorm(4), new RMSNorm(4)).forward(x), rmsNorm(layerNorm(x, 4), 4));
});

test('Embedding starts at normal numbers with a row of zeros that training leaves', async () => {
  using layer = new Embedding(200, 50, { paddingIdx: -1, generator: new Generator(5) });
  ensure([...layer.stateDict().keys()].join() === 'weight', 'its name is weight');
  const before = Float64Array.from(await layer.weight.data());
  ensure(
    before.slice(-50).every((v) => v === 0),
    'the last row is zeros',
  );
  const mean = before.reduce((sum, v) => sum + v, 0) / 9950;
  const variance = before.reduce((sum, v) => sum + v * v, 0) / 9950;
  ensure(Math.abs(mean) < 0.04 && Math.abs(variance - 1) < 0.05, `mean ${mean}, variance ${variance}`);
  const index = tensor(
    [
      [0, 199],
      [7, 0],
    ],
    { dtype: 'int32' },
  );
  const y = layer.forward(index);
  await same(y, embedding(index, layer.weight));
  const optimizer = new SGD(layer.namedParameters(), { lr: 1 });
  y.sum().backward();
  optimizer.step();
  const after = await layer.weight.data();
  ensure(after[0] === Math.fround((before[0] as number) - 2), 'row 0 was used twice');
  ensure(
    after.slice(-50).every((v) => v === 0),
    'the padding is still zeros',
  );
  refuses(
    () => new Embedding(3, 2, { paddingIdx: 3 }),
    ValueError,
    'Embedding: paddingIdx must be an integer from -3 to 2',
  );
});

test('MultiheadAttention has the parameters of torch.nn and their initial values', async () => {
  manualSeed(3);
  using layer = new MultiheadAttention(16, 4);
  const shapes = [...layer.stateDict()].map(([name, { shape }]) => `${name} [${shape.join(', ')}]`);
  ensure(
    shapes.join('; ') === 'in_proj_weight [48, 16]; in_proj_bias [48]; out_proj.weight [16, 16]; out_proj.bias [16]',
    shapes.join('; '),
  );
  const state = layer.stateDict();
  const largest = async (name: string): Promise<number> =>
    Math.max(...(await (state.get(name) as Tensor).abs().data()));
  ensure((await largest('in_proj_bias')) === 0 && (await largest('out_proj.bias')) === 0, 'biases are 0');
  // xavierUniform: sqrt(6 / (16 + 48)); Linear: 1 / sqrt(16).
  for (const [name, bound] of [
    ['in_proj_weight', Math.sqrt(6 / 64)],
    ['out_proj.weight', 0.25],
  ] as const) {
    const most = await largest(name);
    ensure(most <= bound && most > 0.95 * bound, `${name} has ${most}, expected up to ${bound}`);
  }
  ensure(
    [...new MultiheadAttention(4, 2, { bias: false }).stateDict().keys()].join() === 'in_proj_weight,out_proj.weight',
    'no biases',
  );
});

law(
  'MultiheadAttention gives the same for batches first or second, and for a sample alone',
  fc.record({ query: valuesOf([2, 3, 4]), key: valuesOf([2, 5, 4]) }),
  async (c) => {
    const [query, key] = [filled(c.query), filled(c.key)];
    const layers = [true, false].map((batchFirst) => {
      manualSeed(7);
      return new MultiheadAttention(4, 2, { batchFirst });
    }) as [MultiheadAttention, MultiheadAttention];
    const [y, weights] = layers[0].forward(query, key, key);
    const turned = [query, key].map((x) => x.transpose(0, 1)) as [Tensor, Tensor];
    const [z, others] = layers[1].forward(turned[0], turned[1], turned[1]);
    await same(z.transpose(0, 1), y);
    await same(others as Tensor, weights as Tensor);
    const [first, second] = [query, key].map((x) => x.slice(0, 1, 2).reshape(x.shape.slice(1))) as [Tensor, Tensor];
    const [alone, ofOne] = layers[1].forward(first, second, second);
    await same(alone, y.slice(0, 1, 2).reshape([3, 4]));
    await same(ofOne as Tensor, (weights as Tensor).slice(0, 1, 2).reshape([3, 5]));
    const [output, none] = layers[0].forward(query, key, key, { needWeights: false });
    await same(output, y);
    ensure(none === null, 'weights were not asked for');
    for (const layer of layers) layer.dispose();
  },
  { runs: 4 },
);

test('MultiheadAttention is causal by isCausal and by a mask, with and without ignored keys', async () => {
  using layer = new MultiheadAttention(4, 2, { batchFirst: true });
  const x = randn([2, 3, 4], { generator: new Generator(2) });
  // True is excluded.
  const attnMask = tensor([
    [false, true, true],
    [false, false, true],
    [false, false, false],
  ]);
  const keyPaddingMask = tensor([
    [false, false, false],
    [false, true, false],
  ]);
  for (const more of [{}, { keyPaddingMask }]) {
    const [byFlag, weights] = layer.forward(x, x, x, { isCausal: true, ...more });
    const [byMask] = layer.forward(x, x, x, { attnMask, ...more });
    await same(byFlag, byMask);
    const [byNumbers] = layer.forward(x, x, x, { attnMask: attnMask.to('float32').mul(-1e9), ...more });
    await same(byFlag, byNumbers);
    const [first] = await (weights as Tensor).data();
    ensure(first === 1, 'the first query takes the first key only');
  }
});

test('MultiheadAttention drops weights in training only', async () => {
  using layer = new MultiheadAttention(4, 1, { dropout: 0.5, generator: new Generator(1) });
  const x = ones([40, 1, 4]);
  const weightsOf = async () => (layer.forward(x, x, x)[1] as Tensor).data();
  const training = await weightsOf();
  const isNear = (v: number, expected: number): boolean => Math.abs(v - expected) < 1e-6;
  ensure(training.some((v) => v === 0) && training.some((v) => isNear(v, 1 / 20)), 'zeros and doubled ones');
  layer.eval();
  ensure(
    (await weightsOf()).every((v) => isNear(v, 1 / 40)),
    'in evaluation all',
  );
});

test('MultiheadAttention refuses shapes, masks and heads that do not match', () => {
  using layer = new MultiheadAttention(4, 2);
  const [x, other] = [ones([3, 2, 4]), ones([5, 1, 4])];
  refuses(
    () => layer.forward(x, other, other),
    ShapeError,
    'MultiheadAttention: expected query [L, N, 4], key and value [S, N, 4], got [3, 2, 4], [5, 1, 4] and [5, 1, 4]; check embedDim and batchFirst',
  );
  refuses(() => layer.forward(x, x, ones([4, 2, 4])), ShapeError, 'got [3, 2, 4], [3, 2, 4] and [4, 2, 4]');
  refuses(
    () => layer.forward(x, x, x, { keyPaddingMask: ones([3, 2]) }),
    ShapeError,
    'expected keyPaddingMask [2, 3], got [3, 2]',
  );
  refuses(
    () => layer.forward(x, x, x, { attnMask: ones([2, 3]) }),
    ShapeError,
    'expected attnMask [3, 3] or [4, 3, 3], got [2, 3]',
  );
  refuses(
    () => layer.forward(x, x, x, { attnMask: ones([3, 3]).to('int32') }),
    ValueError,
    "the dtype of attnMask must be 'bool' or 'float32', got 'int32'",
  );
  refuses(
    () => new MultiheadAttention(5, 2),
    ValueError,
    'MultiheadAttention: embedDim / numHeads must be a positive integer, got 2.5',
  );
});

test('MultiheadAttention attends as scaledDotProductAttention of its projections', async () => {
  using layer = new MultiheadAttention(2, 1, { bias: false });
  const identity = [1, 0, 0, 1];
  layer.loadStateDict(
    new Map([
      ['in_proj_weight', tensor({ shape: [6, 2], data: [...identity, ...identity, ...identity] })],
      ['out_proj.weight', tensor({ shape: [2, 2], data: identity })],
    ]),
  );
  const x = randn([3, 2]);
  await same(layer.forward(x, x, x)[0], scaledDotProductAttention(x, x, x));
});
