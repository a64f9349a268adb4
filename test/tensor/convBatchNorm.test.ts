import { type BatchNormParameters, convBatchNorm2d, noGrad, ShapeError, type Tensor, ValueError } from '@mien/tensor';
import { algorithmsOf, withAlgorithm, withLimits } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { ensure, gradcheck, near, refuses, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';
import { type ConvSpec, forwardCases, optionsOf, outputOf } from './algorithms/conv.ts';
import { type AlgorithmLaw, type CasesOf, lacking, lawByAlgorithm } from './algorithms/laws.ts';

/** Convolutions with rows that are multiples of 4, of 2, and odd, for properties independent of the algorithm. */
const convolutions = fc
  .record({
    channels: fc.constantFrom([3, 5, 1], [8, 16, 1], [6, 6, 6], [8, 12, 2]),
    images: fc.constantFrom(1, 3),
    size: fc.constantFrom(2, 5, 6, 8),
    stride: fc.constantFrom(1, 2),
  })
  .map(({ channels: [inputs, outputs, groups], images, size, stride }): ConvSpec => {
    const options = { window: [3, 3], stride: [stride, stride], padding: [1, 1], dilation: [1, 1] } as const;
    const [from, to, by] = [inputs as number, outputs as number, groups as number];
    return { images, inputs: from, outputs: to, groups: by, input: [size, size], ...options };
  });

function normValues(spec: ConvSpec) {
  const { images, inputs, outputs, groups, input, window } = spec;
  return fc.record({
    x: valuesOf([images, inputs, ...input]),
    weight: valuesOf([outputs, inputs / groups, ...window]),
    bias: fc.option(valuesOf([outputs]), { nil: null }),
    options: fc.constant(optionsOf(spec)),
    norm: fc.record({
      weight: fc.option(valuesOf([outputs], { min: 1, max: 2 }), { nil: null }),
      bias: fc.option(valuesOf([outputs]), { nil: null }),
      runningMean: valuesOf([outputs], { min: -1, max: 1 }),
      runningVar: valuesOf([outputs], { min: 0.5, max: 1 }),
      residual: fc.option(valuesOf([images, outputs, ...outputOf(spec)]), { nil: null }),
      eps: fc.constantFrom(1e-5, 0.1),
    }),
  });
}

const cases = convolutions.chain(normValues);

type Case = typeof cases extends fc.Arbitrary<infer C> ? C : never;

function parametersOf({ norm }: Case): BatchNormParameters {
  const { eps, ...values } = norm;
  const tensors = Object.fromEntries(Object.entries(values).map(([name, each]) => [name, each && toTensor(each)]));
  return { ...(tensors as unknown as Omit<BatchNormParameters, 'training'>), eps, training: false };
}

const inOnePass = (c: Case, more: Partial<BatchNormParameters> = {}): Tensor =>
  convBatchNorm2d(toTensor(c.x), toTensor(c.weight), c.bias && toTensor(c.bias), c.options, {
    ...parametersOf(c),
    ...more,
  });

const expected = ({ x, weight, bias, options, norm }: Case): reference.Values =>
  reference.batchNorm(reference.conv2d(x, weight, bias, options), { ...norm, training: false });

const byConvolution: AlgorithmLaw<ConvSpec, Case> = {
  operation: 'conv2d',
  sentence: (name) =>
    `convBatchNorm2d by ${name} equals its references one after the other, with and without a residual`,
  cases: forwardCases,
  values: normValues,
  property: (c) => near(inOnePass(c), expected(c)),
};

lawByAlgorithm(byConvolution);

/** 3x3 convolutions of one group whose product has at least `least` rows and columns, and at most `most` rows. */
function products(least: number, most: number, images: readonly number[]): CasesOf<ConvSpec> {
  const side = (from: number): fc.Arbitrary<number> => fc.integer({ min: from, max: from + 4 });
  const edge = (outputs: number, height: number, width: number, count = 1): ConvSpec => {
    const options = { window: [3, 3], stride: [1, 1], padding: [1, 1], dilation: [1, 1] } as const;
    const last = images.includes(count) ? count : 1;
    return { images: last, inputs: 3, outputs: Math.min(outputs, most), groups: 1, input: [height, width], ...options };
  };
  return {
    any: fc
      .record({
        images: fc.constantFrom(...images),
        inputs: fc.integer({ min: 1, max: 5 }),
        outputs: fc.integer({ min: least, max: Math.min(most, least + 9) }),
        input: fc.tuple(side(Math.ceil(Math.sqrt(least))), side(Math.ceil(Math.sqrt(least)))),
        stride: fc.constantFrom<readonly [number, number]>([1, 1], [1, 1], [2, 2]),
      })
      .filter(({ outputs, input: [height, width], stride: [step] }) => {
        const pixels = Math.ceil(height / step) * Math.ceil(width / step);
        // With few rows the vector kernel reads patches in place; it cannot with few columns.
        return pixels >= least && (most > 8 || pixels >= outputs);
      })
      .map((changes) => ({ ...edge(1, 1, 1), ...changes })),
    edges: {
      smallest: edge(least, Math.ceil(Math.sqrt(least)), Math.ceil(Math.sqrt(least))),
      largest: edge(67, 9, 15, 2),
      odd: edge(least + 1, 5, 7, 3),
      prime: edge(17, 5, 11),
      'ragged tile': edge(33, 6, 11, 2),
      'rows of a multiple of 4': edge(20, 8, 8, 3),
    },
  };
}

lawByAlgorithm({
  ...byConvolution,
  operation: 'matmul',
  sentence: (name) => `convBatchNorm2d with products by ${name} equals its references one after the other`,
  cases: {
    half: 'the products of convolutions never round their operands',
    vector: products(1, 8, [1]),
    subgroup: products(4, 99, [1, 2, 3]),
    workgroup: products(16, 99, [1, 2, 3]),
    tile: products(4, 99, [1, 2, 3]),
    naive: products(1, 99, [1, 2, 3]),
  },
  property: (c, name) => withAlgorithm('conv2d', 'gemm', () => byConvolution.property(c, name)),
});

law('convBatchNorm2d with relu equals relu of convBatchNorm2d', cases, async (c) => {
  const [fused, separate] = [inOnePass(c, { relu: true }), inOnePass(c).relu()];
  await near(fused, { shape: separate.shape, data: Float64Array.from(await separate.data()) });
});

law(
  'convBatchNorm2d is split over images where a tensor is larger than a binding',
  fc.record({ x: valuesOf([96, 4, 8, 8]), weight: valuesOf([8, 4, 3, 3]), residual: valuesOf([96, 8, 8, 8]) }),
  async ({ x, weight, residual }) => {
    const once = (): Tensor =>
      convBatchNorm2d(
        toTensor(x),
        toTensor(weight),
        null,
        { padding: 1 },
        { ...unit(8), residual: toTensor(residual) },
      );
    const expectedValues = await once().data();
    const expected = { shape: residual.shape, data: Float64Array.from(expectedValues) };
    const fit = algorithmsOf('conv2d').filter((name) => name !== 'fewChannels' && name !== 'depthwise');
    for (const conv of fit.filter((name) => !lacking('conv2d', name)))
      await withAlgorithm('conv2d', conv, () =>
        withLimits({ maxStorageBufferBindingSize: 1 << 17 }, () => near(once(), reference.summed(expected, 36))),
      );
  },
  { runs: 1 },
);

law(
  'the gradient of convBatchNorm2d is the derivative of its references, in training and evaluation',
  fc.record({ x: valuesOf([3, 2, 4, 4]), weight: valuesOf([3, 2, 3, 3]), bias: valuesOf([3]), training: fc.boolean() }),
  ({ x, weight, bias, training }) =>
    gradcheck(
      (v, w, b) => convBatchNorm2d(v as Tensor, w as Tensor, b as Tensor, { padding: 1 }, { ...unit(3), training }),
      (v, w, b) => {
        const [zeros, ones] = [reference.full([3], 0), reference.full([3], 1)];
        const norm = { weight: ones, bias: zeros, runningMean: zeros, runningVar: ones, training };
        return reference.batchNorm(
          reference.conv2d(v as reference.Values, w as reference.Values, b as reference.Values, { padding: 1 }),
          norm,
        );
      },
      [x, weight, bias],
    ),
  { runs: 10 },
);

function unit(channels: number): BatchNormParameters {
  const all = (value: number): Tensor => toTensor(reference.full([channels], value));
  return { weight: all(1), bias: all(0), runningMean: all(0), runningVar: all(1), training: false };
}

test('convBatchNorm2d with relu propagates NaN, and only to its results', async () => {
  const x = reference.build([1, 1, 4, 4], ([, , row, column]) => (row === 3 && column === 3 ? Number.NaN : 1));
  const fit = ['subgroup', 'workgroup', 'gemm', 'direct'].filter((name) => !lacking('conv2d', name));
  for (const conv of fit) {
    await withAlgorithm('conv2d', conv, async () => {
      const weight = toTensor(reference.full([2, 1, 1, 1], -1));
      const y = await convBatchNorm2d(toTensor(x), weight, null, {}, { ...unit(2), relu: true }).data();
      const [nan, cut] = [y.filter((v) => Number.isNaN(v)), y.filter((v) => v === 0)];
      ensure(nan.length === 2 && cut.length === 30, `by ${conv} got ${y}`);
    });
  }
});

test('convBatchNorm2d refuses what conv2d and batchNorm refuse, with gradients and without', () => {
  const [x, weight] = [toTensor(reference.full([1, 3, 4, 4], 1)), toTensor(reference.full([2, 3, 1, 1], 1))];
  const learnt = weight.detach({ requiresGrad: true });
  for (const w of [weight, learnt]) {
    refuses(() => convBatchNorm2d(x, w, null, { stride: 0 }, unit(2)), ValueError, 'conv2d: stride must be one or two');
    refuses(() => convBatchNorm2d(x, w, null, {}, unit(3)), ShapeError, 'batchNorm: expected weight of shape [2]');
    refuses(
      () => convBatchNorm2d(x, w, null, {}, { ...unit(2), residual: x }),
      ShapeError,
      'batchNorm: expected residual of the shape of x [1, 2, 4, 4], got [1, 3, 4, 4]',
    );
    refuses(
      () => noGrad(() => convBatchNorm2d(x, w, null, {}, { ...unit(2), runningMean: null })),
      ValueError,
      'batchNorm: expected runningMean and runningVar outside training, got null',
    );
  }
});
