import { conv2d, convTranspose2d, type Tensor } from '@mien/tensor';
import { withLimits } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { gradcheck, near, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law } from '../harness.ts';

const ownWindows = fc
  .record({
    images: fc.integer({ min: 1, max: 3 }),
    channels: fc.integer({ min: 1, max: 5 }),
    height: fc.integer({ min: 2, max: 19 }),
    width: fc.integer({ min: 2, max: 13 }),
    stride: fc.constantFrom(1, 2),
  })
  .chain(({ images, channels, height, width, stride }) =>
    fc.record({
      x: valuesOf([images, channels, height, width]),
      weight: valuesOf([channels, 1, 3, 3]),
      bias: valuesOf([channels]),
      options: fc.constant({ stride, padding: 1, groups: channels }),
    }),
  );

law(
  'conv2d with depthwise groups equals its reference, and its gradient the derivative',
  ownWindows,
  async ({ x, weight, bias, options }) => {
    await near(conv2d(toTensor(x), toTensor(weight), null, options), reference.conv2d(x, weight, null, options));
    await gradcheck(
      (v, w, b) => conv2d(v as Tensor, w as Tensor, b as Tensor, options),
      (v, w, b) => reference.conv2d(v as reference.Values, w as reference.Values, b as reference.Values, options),
      [x, weight, bias],
    );
  },
);

law(
  'convTranspose2d with depthwise groups equals its reference, and its gradient the derivative',
  ownWindows.chain((c) =>
    fc.record({ c: fc.constant(c), outputPadding: fc.integer({ min: 0, max: c.options.stride - 1 }) }),
  ),
  async ({ c: { x, weight, bias, options }, outputPadding }) => {
    const transposeOptions = { ...options, outputPadding };
    await near(
      convTranspose2d(toTensor(x), toTensor(weight), toTensor(bias), transposeOptions),
      reference.convTranspose2d(x, weight, bias, transposeOptions),
    );
    await gradcheck(
      (v, w) => convTranspose2d(v as Tensor, w as Tensor, null, transposeOptions),
      (v, w) => reference.convTranspose2d(v as reference.Values, w as reference.Values, null, transposeOptions),
      [x, weight],
    );
  },
  { runs: 20 },
);

law(
  'conv2d with depthwise groups is split over images where a tensor is larger than a binding',
  fc.record({ x: valuesOf([64, 4, 8, 8]), weight: valuesOf([4, 1, 3, 3]) }),
  ({ x, weight }) =>
    withLimits({ maxStorageBufferBindingSize: 1 << 15 }, async () => {
      const options = { padding: 1, groups: 4 };
      await near(conv2d(toTensor(x), toTensor(weight), null, options), reference.conv2d(x, weight, null, options));
      await gradcheck(
        (w) => conv2d(toTensor(x), w as Tensor, null, options),
        (w) => reference.conv2d(x, w as reference.Values, null, options),
        [weight],
      );
    }),
  { runs: 1 },
);
