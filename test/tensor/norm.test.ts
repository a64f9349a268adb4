import { batchNorm, GradientError, ShapeError, type Tensor, ValueError } from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { gradcheck, near, refuses, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

const positive = { min: 0.5, max: 2 };

const cases = (shapes: readonly (readonly number[])[]) =>
  fc.constantFrom(...shapes).chain((shape) => {
    const channels = [shape[1] as number];
    return fc.record({
      x: valuesOf(shape, { min: -1, max: 3 }),
      weight: valuesOf(channels, positive),
      bias: valuesOf(channels),
      runningMean: valuesOf(channels),
      runningVar: valuesOf(channels, positive),
      momentum: fc.constantFrom(0.1, 0.5),
    });
  });

const small = [
  [2, 1],
  [5, 3],
  [2, 3, 1],
  [3, 2, 5],
  [2, 3, 2, 2],
  [2, 2, 3, 5],
  [1, 2, 2, 4],
];
const large = [
  [64, 7],
  [4, 3, 44, 44],
  [16, 5, 11, 11],
  [33, 8, 2, 2],
  [2, 2, 127, 65],
];

law(
  'batchNorm in training equals its reference and moves its running statistics',
  cases([...small, ...large]),
  async (c) => {
    const running = { runningMean: toTensor(c.runningMean), runningVar: toTensor(c.runningVar) };
    const options = { training: true, momentum: c.momentum };
    const y = batchNorm(toTensor(c.x), { weight: toTensor(c.weight), bias: toTensor(c.bias), ...running, ...options });
    await near(y, reference.batchNorm(c.x, { ...c, ...options }), { terms: c.x.data.length });
    const after = reference.runningStatistics(c.x, { ...c, ...options });
    await near(running.runningMean, after.mean, { terms: c.x.data.length });
    await near(running.runningVar, after.variance, { terms: c.x.data.length });
  },
);

law('batchNorm outside training equals its reference', cases([...small, ...large]), async (c) => {
  const parameters = {
    weight: toTensor(c.weight),
    bias: toTensor(c.bias),
    runningMean: toTensor(c.runningMean),
    runningVar: toTensor(c.runningVar),
  };
  await near(
    batchNorm(toTensor(c.x), { ...parameters, training: false }),
    reference.batchNorm(c.x, { ...c, training: false }),
    { terms: 4 },
  );
});

law(
  'the gradient of batchNorm is the derivative of its reference',
  fc.record({ c: cases(small.slice(1)), training: fc.boolean() }),
  ({ c, training }) =>
    gradcheck(
      (x, weight, bias) =>
        batchNorm(x as Tensor, { ...untracked(c, training), weight: weight as Tensor, bias: bias as Tensor, training }),
      (x, weight, bias) =>
        reference.batchNorm(x as reference.Values, {
          ...c,
          weight: weight as reference.Values,
          bias: bias as reference.Values,
          training,
        }),
      [c.x, c.weight, c.bias],
      { terms: 16 * c.x.data.length },
    ),
);

function untracked(c: { runningMean: reference.Values; runningVar: reference.Values }, training: boolean) {
  if (training) return { runningMean: null, runningVar: null };
  return { runningMean: toTensor(c.runningMean), runningVar: toTensor(c.runningVar) };
}

law('batchNorm keeps its digits far from zero', valuesOf([4, 2, 9, 9], { min: 100, max: 101 }), async (x) => {
  const none = { weight: null, bias: null, runningMean: null, runningVar: null, training: true };
  // The mean of squares less the square of the mean would be off by 1 % here.
  await near(batchNorm(toTensor(x), none), reference.batchNorm(x, none), { terms: 324 });
});

test('batchNorm refuses parameters of another size, one value a channel, and a second derivative', () => {
  const x = toTensor(
    reference.build([2, 3], (at) => at[1] as number),
    { requiresGrad: true },
  );
  const none = { weight: null, bias: null, runningMean: null, runningVar: null, training: true };
  const two = toTensor(reference.full([2], 1));
  refuses(
    () => batchNorm(x, { ...none, weight: two }),
    ShapeError,
    'batchNorm: weight expects [3], one for each channel of x [2, 3], came [2]',
  );
  refuses(
    () => batchNorm(x.slice(0, 0, 1), none),
    ValueError,
    'batchNorm: training needs more than one value a channel, came x [1, 3]',
  );
  refuses(() => batchNorm(x, { ...none, training: false }), ValueError, 'needs runningMean and runningVar');
  batchNorm(x, none).square().sum().backward(null, { createGraph: true });
  refuses(() => (x.grad as Tensor).sum().backward(), GradientError, 'batchNorm: has first-order gradients only');
});
