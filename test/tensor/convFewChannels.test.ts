import { conv2d, type Tensor } from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { gradcheck, near, toTensor, valuesOf, withAlternative } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law } from '../harness.ts';

const pictures = fc
  .record({
    images: fc.integer({ min: 1, max: 2 }),
    channels: fc.constantFrom(1, 3),
    outputs: fc.integer({ min: 1, max: 10 }),
    height: fc.integer({ min: 1, max: 19 }),
    width: fc.integer({ min: 1, max: 10 }),
    stride: fc.constantFrom(1, 2),
  })
  .chain(({ images, channels, outputs, height, width, stride }) =>
    fc.record({
      x: valuesOf([images, channels, height, width]),
      weight: valuesOf([outputs, channels, 3, 3]),
      bias: valuesOf([outputs]),
      options: fc.constant({ stride, padding: 1 }),
    }),
  );

law(
  'conv2d of pictures by fewChannels equals its reference, and its weight gradient the derivative',
  pictures,
  ({ x, weight, bias, options }) =>
    withAlternative('conv2d', 'fewChannels', () =>
      withAlternative('conv2dWeightGradient', 'fewChannels', async () => {
        const terms = 9 * (x.shape[1] as number);
        const expected = reference.conv2d(x, weight, null, options);
        await near(conv2d(toTensor(x), toTensor(weight), null, options), expected, { terms });
        await gradcheck(
          (w, b) => conv2d(toTensor(x), w as Tensor, b as Tensor, options),
          (w, b) => reference.conv2d(x, w as reference.Values, b as reference.Values, options),
          [weight, bias],
          { terms: terms + x.data.length },
        );
      }),
    ),
  { runs: 20 },
);
