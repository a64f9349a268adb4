import { conv2d, type Tensor } from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { gradcheck, near, toTensor, valuesOf, withAlternative } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law } from '../harness.ts';

/** Maps smaller and larger than a window of outputs, odd ones, and channels that do not fill a vec4. */
const cases = fc
  .record({
    images: fc.constantFrom(1, 2, 3),
    height: fc.constantFrom(1, 2, 4, 5, 7, 11),
    width: fc.constantFrom(2, 3, 4, 8, 9, 13),
    inputs: fc.constantFrom(1, 3, 4, 17),
    outputs: fc.constantFrom(1, 2, 5, 16),
    padding: fc.constantFrom<readonly [number, number]>([1, 1], [2, 1], [1, 3]),
  })
  .chain(({ images, height, width, inputs, outputs, padding }) =>
    fc.record({
      x: valuesOf([images, inputs, height, width]),
      weight: valuesOf([outputs, inputs, 3, 3]),
      bias: valuesOf([outputs]),
      padding: fc.constant(padding),
    }),
  );

for (const name of ['winograd4', 'winograd2']) {
  law(
    `conv2d by ${name} equals its reference for any map, padding and channels`,
    cases,
    ({ x, weight, bias, padding }) =>
      withAlternative('conv2d', name, () =>
        near(
          conv2d(toTensor(x), toTensor(weight), toTensor(bias), { padding }),
          reference.conv2d(x, weight, bias, { padding }),
          { terms: 9 * (x.shape[1] as number) },
        ),
      ),
  );
}

for (const name of ['winograd4', 'winograd2']) {
  law(
    `the gradient of conv2d by ${name} is the derivative of its reference`,
    cases.filter(({ x }) => x.data.length < 1500),
    ({ x, weight, bias, padding }) =>
      withAlternative('conv2dWeightGradient', name, () =>
        withAlternative('convTranspose2d', name, () =>
          gradcheck(
            (x, weight, bias) => conv2d(x as Tensor, weight as Tensor, bias as Tensor, { padding }),
            (x, weight, bias) =>
              reference.conv2d(x as reference.Values, weight as reference.Values, bias as reference.Values, {
                padding,
              }),
            [x, weight, bias],
            { terms: x.data.length },
          ),
        ),
      ),
    { runs: 15 },
  );
}
