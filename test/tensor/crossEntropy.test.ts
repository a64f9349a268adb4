import { grad, ShapeError, softmaxCrossEntropy, type Tensor, tensor, ValueError, zeros } from '@mien/tensor';
import { withLimits } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { ensure, gradcheck, gradgradcheck, near, refuses, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

/** Cases with `n` samples. */
const casesOf = (n: fc.Arbitrary<number>) =>
  fc
    .record({
      n,
      classes: fc.integer({ min: 1, max: 9 }),
      rest: fc.constantFrom([], [3], [2, 2]),
      smoothing: fc.constantFrom(0, 0.1, 1),
      weighted: fc.boolean(),
    })
    .chain(({ n, classes, rest, smoothing, weighted }) => {
      const shape = [n, classes, ...rest];
      return fc.record({
        shape: fc.constant(shape),
        smoothing: fc.constant(smoothing),
        logits: valuesOf(shape, { min: -4, max: 4 }),
        soft: valuesOf(shape, { min: 0, max: 1 }),
        weight: weighted ? valuesOf([classes], { min: 0.25, max: 2 }) : fc.constant(null),
        labels: valuesOf([n, ...rest], { min: 0, max: classes - 1, integer: true }),
      });
    });
const cases = casesOf(fc.integer({ min: 1, max: 20 }));
type Case = typeof cases extends fc.Arbitrary<infer C> ? C : never;

/** One-hot labels as probabilities. */
const hot = ({ shape, labels }: Case) =>
  reference.build(shape, ([n, c, ...rest]) => Number(reference.at(labels, [n as number, ...rest]) === c));
const weightsOf = ({ shape, weight }: Case) => weight ?? reference.build([shape[1] as number], () => 1);
const optionsOf = ({ weight, smoothing }: Case) => ({
  labelSmoothing: smoothing,
  ...(weight ? { weight: toTensor(weight) } : {}),
});

for (const dtype of ['int32', 'uint32', 'float32'] as const) {
  const kind = dtype === 'float32' ? 'probabilities' : `${dtype} labels`;
  const targetOf = (c: Case) => (dtype === 'float32' ? toTensor(c.soft) : toTensor(c.labels, { dtype }));
  const expectedOf = (c: Case) => (dtype === 'float32' ? c.soft : hot(c));

  law(`softmaxCrossEntropy of ${kind} equals its reference, smoothed and weighted`, cases, (c) =>
    near(
      softmaxCrossEntropy(toTensor(c.logits), targetOf(c), optionsOf(c)),
      reference.softmaxCrossEntropy(c.logits, expectedOf(c), weightsOf(c), c.smoothing),
    ),
  );
  law(
    `softmaxCrossEntropy of ${kind} is split over samples where a tensor is larger than a binding`,
    casesOf(fc.constantFrom(300, 517)),
    (c) =>
      withLimits({ maxStorageBufferBindingSize: 1 << 13 }, () =>
        near(
          softmaxCrossEntropy(toTensor(c.logits), targetOf(c), optionsOf(c)),
          reference.softmaxCrossEntropy(c.logits, expectedOf(c), weightsOf(c), c.smoothing),
        ),
      ),
    { runs: 8 },
  );
  law(`the gradient of softmaxCrossEntropy of ${kind} is the derivative of its reference`, cases, (c) =>
    gradcheck(
      (x) => softmaxCrossEntropy(x, targetOf(c), optionsOf(c)),
      (x) => reference.softmaxCrossEntropy(x, expectedOf(c), weightsOf(c), c.smoothing),
      [c.logits],
    ),
  );
  law(
    `the second derivative of softmaxCrossEntropy of ${kind} is that of its reference`,
    casesOf(fc.constantFrom(1, 3)),
    (c) =>
      gradgradcheck(
        (x) => softmaxCrossEntropy(x, targetOf(c), optionsOf(c)),
        (x) => reference.softmaxCrossEntropy(x, expectedOf(c), weightsOf(c), c.smoothing),
        [c.logits],
      ),
    { runs: 8 },
  );
}

law('the gradients of softmaxCrossEntropy by probabilities and weights are derivatives too', cases, (c) =>
  gradcheck(
    (x, target, weight) => softmaxCrossEntropy(x, target, { weight, labelSmoothing: c.smoothing }),
    (x, target, weight) => reference.softmaxCrossEntropy(x, target, weight, c.smoothing),
    [c.logits, c.soft, weightsOf(c)],
  ),
);

law('the gradients of softmaxCrossEntropy by probabilities or weights alone are derivatives', cases, async (c) => {
  const [x, soft, weight] = [toTensor(c.logits), toTensor(c.soft), toTensor(weightsOf(c))];
  await gradcheck(
    (target) => softmaxCrossEntropy(x, target, { weight, labelSmoothing: c.smoothing }),
    (target) => reference.softmaxCrossEntropy(c.logits, target, weightsOf(c), c.smoothing),
    [c.soft],
  );
  await gradcheck(
    (weights) => softmaxCrossEntropy(x, soft, { weight: weights, labelSmoothing: c.smoothing }),
    (weights) => reference.softmaxCrossEntropy(c.logits, c.soft, weights, c.smoothing),
    [weightsOf(c)],
  );
});

test('softmaxCrossEntropy keeps its precision for extreme logits', async () => {
  const x = tensor(
    [
      [1e30, -1e30, 0],
      [1000, -1000, 0],
      [0, 1000, -1000],
      [-1000, 0, 1000],
    ],
    { requiresGrad: true },
  );
  const y = softmaxCrossEntropy(x, tensor([0, 1, 0, 1], { dtype: 'int32' }));
  await near(y, reference.values([4], [0, 2000, 1000, 1000]));
  y.sum().backward();
  await near(x.grad as Tensor, reference.values([4, 3], [0, 0, 0, 1, -1, 0, -1, 1, 0, 0, -1, 1]));
});

test('softmaxCrossEntropy stays finite where the largest logit is the last class of a map', async () => {
  const x = tensor([
    [
      [0, 0],
      [0, 0],
      [1000, 1000],
    ],
  ]);
  await near(softmaxCrossEntropy(x, tensor([[2, 0]], { dtype: 'int32' })), reference.values([1, 2], [0, 1000]));
});

test('softmaxCrossEntropy accepts a logit of -Infinity', async () => {
  const x = tensor([[Number.NEGATIVE_INFINITY, 0, Math.LN2]], { requiresGrad: true });
  const y = softmaxCrossEntropy(x, tensor([1], { dtype: 'int32' }));
  await near(y, reference.values([1], [Math.log(3)]));
  y.sum().backward();
  await near(x.grad as Tensor, reference.values([1, 3], [0, -2 / 3, 2 / 3]));
});

test('softmaxCrossEntropy gives NaN for labels out of range and NaN logits, in the gradient too, and for no other row', async () => {
  const x = tensor(
    [
      [0, 0],
      [0, 0],
      [0, 0],
      [Number.NaN, 0],
    ],
    { requiresGrad: true },
  );
  const y = softmaxCrossEntropy(x, tensor([1, 2, -1, 1], { dtype: 'int32' }));
  const losses = Array.from(await y.data(), Number.isNaN);
  ensure(losses.join() === 'false,true,true,true', losses.join());
  y.sum().backward();
  const slopes = Array.from(await (x.grad as Tensor).data(), Number.isNaN);
  ensure(slopes.join() === 'false,false,true,true,true,true,true,true', slopes.join());
});

law(
  'softmaxCrossEntropy gives 0 for samples with ignoreIndex, in gradients of both orders too, without changing other samples',
  fc.record({ c: casesOf(fc.integer({ min: 2, max: 9 })), ignoreIndex: fc.constantFrom(-100, 0, 255) }),
  async ({ c, ignoreIndex }) => {
    const labels = c.labels.data.map((label, i) => (i % 3 === 1 ? ignoreIndex : label));
    const ignored = labels.map((label) => Number(label === ignoreIndex));
    const target = toTensor({ ...c.labels, data: labels }, { dtype: 'int32' });
    const options = { ...optionsOf(c), ...(ignoreIndex === -100 ? {} : { ignoreIndex }) };
    const mask = { ...c.labels, data: ignored.map((one) => 1 - one) };
    const columns = reference.build(c.shape, ([n, , ...rest]) => reference.at(mask, [n as number, ...rest]));
    const definition = (x: reference.Values) =>
      reference.mul(reference.softmaxCrossEntropy(x, hot(c), weightsOf(c), c.smoothing), mask);
    const loss = (x: Tensor) => softmaxCrossEntropy(x, target, options);
    await near(loss(toTensor(c.logits)), definition(c.logits));
    await gradcheck(loss, definition, [c.logits]);
    const slopes = await grad((x) => loss(x).sum())(toTensor(c.logits)).data();
    const curvature = await grad((x) =>
      grad((v) => loss(v).square().sum())(x)
        .square()
        .sum(),
    )(toTensor(c.logits)).data();
    for (const [i, counts] of columns.data.entries()) {
      ensure(counts === 1 || (slopes[i] === 0 && curvature[i] === 0), `${i}: ${slopes[i]} and ${curvature[i]}`);
    }
    if (c.logits.data.length <= 12) await gradgradcheck(loss, definition, [c.logits]);
  },
);

test('softmaxCrossEntropy ignores no unsigned label for a negative ignoreIndex, and refuses a fraction', async () => {
  const target = tensor(Uint32Array.of(0, 2 ** 32 - 100));
  const losses = await softmaxCrossEntropy(zeros([2, 1]), target).data();
  ensure(losses[0] === 0 && Number.isNaN(losses[1]), String(losses));
  refuses(
    () => softmaxCrossEntropy(zeros([2, 1]), target, { ignoreIndex: 0.5 }),
    ValueError,
    'softmaxCrossEntropy: ignoreIndex must be an integer, got 0.5; pass a label',
  );
});

test('softmaxCrossEntropy refuses targets and weights of other shapes', () => {
  const [logits, labels] = [zeros([2, 3]), zeros([2], { dtype: 'int32' })];
  refuses(
    () => softmaxCrossEntropy(logits, zeros([3], { dtype: 'int32' })),
    ShapeError,
    'softmaxCrossEntropy: expected target of shape [2] for logits [2, 3], got int32 [3]',
  );
  refuses(
    () => softmaxCrossEntropy(logits, zeros([2])),
    ShapeError,
    'expected target of shape [2, 3] for logits [2, 3], got float32 [2]',
  );
  refuses(
    () => softmaxCrossEntropy(zeros([3]), zeros([3])),
    ShapeError,
    'expected logits of shape [N, C, ...], got [3]',
  );
  refuses(
    () => softmaxCrossEntropy(logits, labels, { weight: zeros([2]) }),
    ShapeError,
    'expected weight of shape [3]',
  );
  refuses(
    () => softmaxCrossEntropy(logits, labels, { labelSmoothing: 2 }),
    ValueError,
    'labelSmoothing must be a number from 0 to 1, got 2',
  );
});
