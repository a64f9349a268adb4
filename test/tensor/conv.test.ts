import { conv2d, convTranspose2d, full, ShapeError, type Tensor, ValueError } from '@mien/tensor';
import { algorithmsOf, withAlgorithm, withLimits } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { ensure, gradcheck, near, refuses, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';
import {
  type ConvSpec,
  isSmall,
  optionsOf,
  outputPaddingOf,
  transposeCases,
  weightGradientCases,
} from './algorithms/conv.ts';
import { forwardLaw, transposeLaw, weightGradientLaw } from './algorithms/convLaws.ts';
import { type CasesOf, lacking, lawByAlgorithm } from './algorithms/laws.ts';

lawByAlgorithm(forwardLaw);
lawByAlgorithm(transposeLaw);
lawByAlgorithm(weightGradientLaw);

lawByAlgorithm({
  ...forwardLaw,
  sentence: (name) => `conv2d by ${name} with relu is relu of conv2d, gradients included`,
  only: isSmall,
  runs: 15,
  property: async ({ spec, x, weight, bias }) => {
    for (const biased of [true, false]) {
      const once = (fn: (x: Tensor, weight: Tensor, bias: Tensor | null) => Tensor): readonly Tensor[] => {
        const leaves = [x, weight, bias].map((each) => toTensor(each, { requiresGrad: true }));
        const [a, b, c] = leaves as [Tensor, Tensor, Tensor];
        const y = fn(a, b, biased ? c : null);
        y.square().sum().backward();
        return [y, ...leaves.flatMap(({ grad }) => grad ?? [])];
      };
      const fused = once((x, weight, bias) => conv2d(x, weight, bias, { ...optionsOf(spec), relu: true }));
      const apart = once((x, weight, bias) => conv2d(x, weight, bias, optionsOf(spec)).relu());
      ensure(fused.length === apart.length, 'the same gradients');
      for (const [i, tensor] of apart.entries()) {
        const expected = { shape: tensor.shape, data: Float64Array.from(await tensor.data()) };
        await near(fused[i] as Tensor, reference.summed(expected, x.data.length));
      }
    }
  },
});

lawByAlgorithm({
  ...weightGradientLaw,
  sentence: (name) => `the gradient of conv2d by ${name} is the derivative of its reference`,
  only: isSmall,
  runs: 15,
  property: ({ spec, x, weight, bias }, name) => {
    const options = optionsOf(spec);
    return byTranspose(name, () =>
      gradcheck(
        (x, weight, bias) => conv2d(x as Tensor, weight as Tensor, bias as Tensor, options),
        (x, weight, bias) =>
          reference.conv2d(x as reference.Values, weight as reference.Values, bias as reference.Values, options),
        [x, weight, bias],
      ),
    );
  },
});

/** Runs `fn` while the transpose uses the weight gradient's algorithm, as it has none for few channels. */
function byTranspose(name: string, fn: () => Promise<void>): Promise<void> {
  return algorithmsOf('convTranspose2d').includes(name) ? withAlgorithm('convTranspose2d', name, fn) : fn();
}

lawByAlgorithm({
  ...transposeLaw,
  sentence: (name) => `the gradient of convTranspose2d by ${name} is the derivative of its reference`,
  cases: { ...transposeCases, gemm: weightGradientCases.gemm as CasesOf<ConvSpec> },
  only: isSmall,
  runs: 15,
  property: ({ spec, dy, weight, inputBias }, name) => {
    const options = { ...optionsOf(spec), outputPadding: outputPaddingOf(spec) };
    return withAlgorithm('conv2d', name, () =>
      withAlgorithm('conv2dWeightGradient', name, () =>
        gradcheck(
          (v, w, b) => convTranspose2d(v as Tensor, w as Tensor, b as Tensor, options),
          (v, w, b) =>
            reference.convTranspose2d(v as reference.Values, w as reference.Values, b as reference.Values, options),
          [dy, weight, inputBias],
        ),
      ),
    );
  },
});

law(
  'conv2d of the sizes in networks equals its reference',
  fc
    .constantFrom(
      { x: [2, 64, 11, 11], weight: [64, 64, 3, 3], padding: 1, stride: 1 },
      { x: [3, 3, 44, 44], weight: [8, 3, 3, 3], padding: 1, stride: 1 },
      { x: [2, 64, 12, 12], weight: [32, 64, 1, 1], padding: 0, stride: 2 },
      { x: [5, 32, 5, 5], weight: [48, 32, 3, 3], padding: 1, stride: 1 },
    )
    .chain(({ x, weight, padding, stride }) =>
      fc.record({ x: valuesOf(x), weight: valuesOf(weight), options: fc.constant({ padding, stride }) }),
    ),
  async ({ x, weight, options }) => {
    await near(conv2d(toTensor(x), toTensor(weight), null, options), reference.conv2d(x, weight, null, options));
  },
  { runs: 6 },
);

law(
  'convolutions are split over images where a tensor is larger than a binding',
  fc.record({ x: valuesOf([64, 4, 8, 8]), weight: valuesOf([8, 4, 3, 3]) }),
  ({ x, weight }) =>
    withLimits({ maxStorageBufferBindingSize: 1 << 15 }, async () => {
      await near(
        conv2d(toTensor(x), toTensor(weight), null, { padding: 1 }),
        reference.conv2d(x, weight, null, { padding: 1 }),
      );
      await gradcheck(
        (w) => conv2d(toTensor(x), w as Tensor, null, { padding: 1 }),
        (w) => reference.conv2d(x, w as reference.Values, null, { padding: 1 }),
        [weight],
      );
    }),
  { runs: 1 },
);

law(
  'convolutions with patches larger than a binding, or at unaligned offsets, equal their reference, gradients included',
  fc
    .constantFrom(
      { x: [3, 4, 10, 10], maxStorageBufferBindingSize: 1 << 13, minStorageBufferOffsetAlignment: 16 },
      { x: [100, 1, 3, 5], maxStorageBufferBindingSize: 1 << 16, minStorageBufferOffsetAlignment: 256 },
    )
    .chain(({ x, ...limits }) =>
      fc.record({ x: valuesOf(x), weight: valuesOf([2, x[1] as number, 3, 3]), limits: fc.constant(limits) }),
    ),
  ({ x, weight, limits }) =>
    withLimits(limits, async () => {
      const options = { padding: 1 };
      const expected = reference.conv2d(x, weight, null, options);
      await near(conv2d(toTensor(x), toTensor(weight), null, options), expected);
      await gradcheck(
        (v, w) => conv2d(v as Tensor, w as Tensor, null, options),
        (v, w) => reference.conv2d(v as reference.Values, w as reference.Values, null, options),
        [x, weight],
      );
    }),
  { runs: 4 },
);

for (const name of ['subgroup', 'workgroup']) {
  law(
    `conv2d by ${name} with several tiles, in passes over images or partial sums, equals its reference, gradients included`,
    fc
      .constantFrom(
        { x: [9, 16, 16, 8], weight: [70, 16, 3, 3], options: { padding: 1, stride: 2 }, most: 1 << 16 },
        { x: [2, 4, 25, 24], weight: [5, 4, 3, 3], options: { padding: 1 }, most: 1 << 20 },
        { x: [2, 80, 4, 4], weight: [8, 20, 3, 3], options: { padding: 2, dilation: 2, groups: 4 }, most: 1 << 16 },
      )
      .chain(({ x, weight, ...rest }) =>
        fc.record({ x: valuesOf(x), weight: valuesOf(weight), rest: fc.constant(rest) }),
      ),
    ({ x, weight, rest: { options, most } }) =>
      withLimits({ maxStorageBufferBindingSize: most }, () =>
        withAlgorithm('conv2d', name, () =>
          withAlgorithm('convTranspose2d', name, () =>
            withAlgorithm('conv2dWeightGradient', name, async () => {
              const expected = reference.conv2d(x, weight, null, options);
              await near(conv2d(toTensor(x), toTensor(weight), null, options), expected);
              await gradcheck(
                (v, w) => conv2d(v as Tensor, w as Tensor, null, options),
                (v, w) => reference.conv2d(v as reference.Values, w as reference.Values, null, options),
                [x, weight],
              );
            }),
          ),
        ),
      ),
    { runs: 6, skip: () => lacking('conv2d', name) },
  );
}

test('conv2d of images whose patches are larger than the workspace adds nine ones to nine', async () => {
  const y = conv2d(full([2, 1, 1450, 1450], 1), full([4, 1, 3, 3], 1));
  for (const extreme of [y.min(), y.max()]) await near(extreme, reference.summed(reference.full([], 9), 9));
});

law(
  'the second derivative of conv2d by its input and weight is their product',
  fc.record({ x: valuesOf([1, 2, 4, 4]), weight: valuesOf([3, 2, 3, 3]) }),
  async ({ x, weight }) => {
    const [leaf, w] = [toTensor(x, { requiresGrad: true }), toTensor(weight, { requiresGrad: true })];
    conv2d(leaf, w, null, { padding: 1 }).sum().backward(null, { createGraph: true });
    const slope = (leaf.grad as Tensor).sum();
    w.grad = null;
    slope.backward();
    // d/dw of the sum over x of d(sum of y)/dx: the number of input and output pixel pairs of each tap.
    const joins = reference.conv2d(reference.full([1, 1, 4, 4], 1), reference.full([1, 1, 3, 3], 1), null, {
      padding: 1,
    });
    const counts = reference.build(
      [3, 2, 3, 3],
      ([, , r, s]) => (4 - Math.abs((r as number) - 1)) * (4 - Math.abs((s as number) - 1)),
    );
    await near(w.grad as unknown as Tensor, reference.summed(counts, joins.data.length));
  },
);

test('conv2d refuses channels, ranks and windows that do not fit', () => {
  const x = toTensor(reference.full([16, 3, 44, 44], 1));
  const weight = toTensor(reference.full([128, 64, 3, 3], 1));
  refuses(
    () => conv2d(x, weight),
    ShapeError,
    'conv2d: expected x with 64 channels for weight [128, 64, 3, 3], got 3 (x [16, 3, 44, 44]); check groups or the previous layer',
  );
  refuses(() => conv2d(x.reshape([-1]), weight), ShapeError, 'conv2d: expected x of shape [N, C, H, W]');
  const wide = toTensor(reference.full([1, 3, 50, 50], 1));
  refuses(() => conv2d(x, wide), ShapeError, 'conv2d: windows of [50, 50] do not fit into [44, 44]');
  refuses(
    () => conv2d(x, wide, null, { stride: 0 }),
    ValueError,
    'conv2d: stride must be one or two integers of at least 1, got 0',
  );
  refuses(() => conv2d(x, wide, x, { padding: 9 }), ShapeError, 'conv2d: expected bias of shape [1]');
  refuses(() => convTranspose2d(x, wide), ShapeError, 'convTranspose2d: expected x with 1 channels');
});

test('conv2d gives its bias for windows entirely in padding, and no gradient to x', async () => {
  const x = toTensor(reference.full([1, 1, 2, 2], -3), { requiresGrad: true });
  const [weight, bias] = [toTensor(reference.full([1, 1, 1, 1], 5)), toTensor(reference.full([1], 0.25))];
  const y = conv2d(x, weight, bias, { padding: 2 });
  const inside = (at: readonly number[]) => [at[2], at[3]].every((p) => p === 2 || p === 3);
  await near(
    y,
    reference.build([1, 1, 6, 6], (at) => (inside(at) ? -14.75 : 0.25)),
  );
  y.sum().backward();
  await near(x.grad as Tensor, reference.full([1, 1, 2, 2], 5));
});
