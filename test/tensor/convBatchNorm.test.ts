import { type BatchNormParameters, convBatchNorm2d, noGrad, ShapeError, type Tensor, ValueError } from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import {
  alternativesOf,
  ensure,
  gradcheck,
  near,
  refuses,
  toTensor,
  valuesOf,
  withAlternative,
  withLimits,
} from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

/** Windows and groups that every way of a convolution meets, maps with rows that are multiples of 4, of 2 and odd. */
const convolutions = fc.constantFrom(
  { inputs: 3, outputs: 5, window: 3, options: { padding: 1 } },
  { inputs: 8, outputs: 16, window: 3, options: { padding: 1 } },
  { inputs: 4, outputs: 6, window: 3, options: { padding: 1, stride: 2 } },
  { inputs: 8, outputs: 12, window: 1, options: {} },
  { inputs: 6, outputs: 6, window: 3, options: { padding: 1, groups: 6 } },
  { inputs: 8, outputs: 12, window: 3, options: { padding: 1, groups: 2 } },
);

const cases = fc
  .record({ convolution: convolutions, images: fc.constantFrom(1, 3), size: fc.constantFrom(2, 5, 6, 8) })
  .chain(({ convolution: { inputs, outputs, window, options }, images, size }) => {
    const stride = (options as { readonly stride?: number }).stride ?? 1;
    const out = Math.ceil(size / stride);
    return fc.record({
      x: valuesOf([images, inputs, size, size]),
      weight: valuesOf([outputs, inputs / ((options as { readonly groups?: number }).groups ?? 1), window, window]),
      bias: fc.option(valuesOf([outputs]), { nil: null }),
      options: fc.constant(options),
      norm: fc.record({
        weight: fc.option(valuesOf([outputs], { min: 1, max: 2 }), { nil: null }),
        bias: fc.option(valuesOf([outputs]), { nil: null }),
        runningMean: valuesOf([outputs], { min: -1, max: 1 }),
        runningVar: valuesOf([outputs], { min: 0.5, max: 1 }),
        residual: fc.option(valuesOf([images, outputs, out, out]), { nil: null }),
        eps: fc.constantFrom(1e-5, 0.1),
      }),
    });
  });

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

for (const conv of alternativesOf('conv2d')) {
  law(`convBatchNorm2d by ${conv} equals its references one after the other, with and without a residual`, cases, (c) =>
    withAlternative('conv2d', conv, () =>
      near(inOnePass(c), expected(c), { terms: c.weight.data.length / (c.weight.shape[0] as number) }),
    ),
  );
}

for (const product of alternativesOf('matmul')) {
  law(`convBatchNorm2d with products by ${product} equals its references one after the other`, cases, (c) =>
    withAlternative('matmul', product, () =>
      withAlternative('conv2d', 'gemm', () =>
        near(inOnePass(c), expected(c), { terms: c.weight.data.length / (c.weight.shape[0] as number) }),
      ),
    ),
  );
}

law('convBatchNorm2d with relu is relu of what it is without', cases, async (c) => {
  const [cut, whole] = [inOnePass(c, { relu: true }), inOnePass(c).relu()];
  await near(cut, { shape: whole.shape, data: Float64Array.from(await whole.data()) });
});

law(
  'convBatchNorm2d is split over images where a tensor is larger than a binding',
  fc.record({ x: valuesOf([64, 4, 8, 8]), weight: valuesOf([8, 4, 3, 3]), residual: valuesOf([64, 8, 8, 8]) }),
  async ({ x, weight, residual }) => {
    const once = (): Tensor =>
      convBatchNorm2d(
        toTensor(x),
        toTensor(weight),
        null,
        { padding: 1 },
        { ...unit(8), residual: toTensor(residual) },
      );
    const whole = await once().data();
    const expected = { shape: residual.shape, data: Float64Array.from(whole) };
    for (const conv of alternativesOf('conv2d')) {
      await withAlternative('conv2d', conv, () =>
        withLimits({ maxStorageBufferBindingSize: 1 << 15 }, () => near(once(), expected, { terms: 36 })),
      );
    }
  },
  { runs: 1 },
);

law(
  'the gradient of convBatchNorm2d is the derivative of its references, in and outside of training',
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
      { terms: 16 * x.data.length },
    ),
  { runs: 10 },
);

function unit(channels: number): BatchNormParameters {
  const all = (value: number): Tensor => toTensor(reference.full([channels], value));
  return { weight: all(1), bias: all(0), runningMean: all(0), runningVar: all(1), training: false };
}

test('convBatchNorm2d with relu leaves NaN where it comes from', async () => {
  const x = reference.build([1, 1, 4, 4], ([, , row, column]) => (row === 3 && column === 3 ? Number.NaN : 1));
  for (const conv of alternativesOf('conv2d')) {
    await withAlternative('conv2d', conv, async () => {
      const weight = toTensor(reference.full([2, 1, 1, 1], -1));
      const y = await convBatchNorm2d(toTensor(x), weight, null, {}, { ...unit(2), relu: true }).data();
      const [nan, cut] = [y.filter((v) => Number.isNaN(v)), y.filter((v) => v === 0)];
      ensure(nan.length === 2 && cut.length === 30, `by ${conv} came ${y}`);
    });
  }
});

test('convBatchNorm2d refuses what conv2d and batchNorm refuse, with gradients and without', () => {
  const [x, weight] = [toTensor(reference.full([1, 3, 4, 4], 1)), toTensor(reference.full([2, 3, 1, 1], 1))];
  const learnt = weight.detach({ requiresGrad: true });
  for (const w of [weight, learnt]) {
    refuses(() => convBatchNorm2d(x, w, null, { stride: 0 }, unit(2)), ValueError, 'conv2d: stride is one or two');
    refuses(() => convBatchNorm2d(x, w, null, {}, unit(3)), ShapeError, 'batchNorm: weight expects [2]');
    refuses(
      () => convBatchNorm2d(x, w, null, {}, { ...unit(2), residual: x }),
      ShapeError,
      'batchNorm: residual expects the shape of x [1, 2, 4, 4], came [1, 3, 4, 4]',
    );
    refuses(
      () => noGrad(() => convBatchNorm2d(x, w, null, {}, { ...unit(2), runningMean: null })),
      ValueError,
      'batchNorm: outside training it needs runningMean and runningVar',
    );
  }
});
