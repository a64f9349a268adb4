// Losses of elements with a kink or a logarithm.
import { huberLoss, klDiv, l1Loss, type Reduction, smoothL1Loss } from '@mien/nn';
import { ShapeError, type Tensor, tensor, ValueError, zeros } from '@mien/tensor';
import { build, div, exp, log, mean, mul, sub, sum, ulps, type Values, values } from '@mien/tensor/reference';
import { ensure, gradcheck, gradgradcheck, near, refuses, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

type Loss = (x: Tensor, target: Tensor, reduction: Reduction) => Tensor;
type Definition = (x: Values, target: Values) => Values;

/** `f` of the distances of x and target, with the error of a few roundings. */
const ofDistance =
  (f: (distance: number) => number): Definition =>
  (x, target) =>
    build(x.shape, (at) => {
      const i = at.reduce((place, p, dim) => place * (x.shape[dim] as number) + p, 0);
      const value = f(Math.abs((x.data[i] as number) - (target.data[i] as number)));
      return { value, error: ulps(6, value) };
    });

const huberOf = (delta: number) => (d: number) => (d < delta ? (d * d) / 2 : delta * (d - delta / 2));

const losses: Readonly<Record<string, readonly [loss: Loss, definition: Definition, kink: number]>> = {
  l1Loss: [(x, target, reduction) => l1Loss(x, target, { reduction }), ofDistance((d) => d), 0],
  smoothL1Loss: [
    (x, target, reduction) => smoothL1Loss(x, target, { reduction, beta: 0.75 }),
    ofDistance((d) => huberOf(0.75)(d) / 0.75),
    0.75,
  ],
  huberLoss: [
    (x, target, reduction) => huberLoss(x, target, { reduction, delta: 0.75 }),
    ofDistance(huberOf(0.75)),
    0.75,
  ],
};

const reductions = ['mean', 'sum', 'none'] as const;
const reduced = (samples: Values, reduction: Reduction): Values =>
  reduction === 'none' ? samples : reduction === 'sum' ? sum(samples) : mean(samples);

/** x and targets whose distances keep away from 0 and from `kink`. */
const pairs = (kink: number, shapes: readonly (readonly number[])[]) =>
  fc
    .constantFrom(...shapes)
    .chain((shape) =>
      fc.record({ x: valuesOf(shape, { min: -2, max: 2 }), target: valuesOf(shape, { min: -2, max: 2 }) }),
    )
    .map(({ x, target }) => {
      const data = x.data.map((v, i) => {
        const distance = Math.abs(v - (target.data[i] as number));
        return Math.min(distance, Math.abs(distance - kink)) < 0.05 ? Math.fround(v + 0.15) : v;
      });
      return { x: { ...x, data }, target };
    })
    .filter(({ x, target }) =>
      x.data.every((v, i) => {
        const distance = Math.abs(v - (target.data[i] as number));
        return Math.min(distance, Math.abs(distance - kink)) > 0.04;
      }),
    );

const shapes = [[], [1], [7], [3, 5], [2, 3, 37]];

for (const [name, [loss, definition, kink]] of Object.entries(losses)) {
  law(
    `${name} equals its definition with each reduction`,
    fc.record({ pair: pairs(kink, shapes), reduction: fc.constantFrom(...reductions) }),
    ({ pair: { x, target }, reduction }) =>
      near(loss(toTensor(x), toTensor(target), reduction), reduced(definition(x, target), reduction)),
  );

  law(`the gradient of ${name} is the derivative of its definition`, pairs(kink, shapes), ({ x, target }) =>
    gradcheck(
      (a, b) => loss(a as Tensor, b as Tensor, 'mean'),
      (a, b) => mean(definition(a as Values, b as Values)),
      [x, target],
    ),
  );

  law(
    `the second derivative of ${name} is that of its definition`,
    pairs(kink, [[2, 3]]),
    ({ x, target }) =>
      gradgradcheck(
        (a, b) => loss(a as Tensor, b as Tensor, 'sum'),
        (a, b) => sum(definition(a as Values, b as Values)),
        [x, target],
      ),
    { runs: 6 },
  );
}

/** target (log target - x), or the same of log targets. */
const divergence = (x: Values, target: Values, logTarget: boolean): Values =>
  logTarget ? mul(exp(target), sub(target, x)) : mul(target, sub(log(target), x));

const distributions = fc
  .constantFrom([4], [3, 5], [2, 3, 7])
  .chain((shape) =>
    fc.record({
      x: valuesOf(shape, { min: -4, max: -0.1 }),
      target: valuesOf(shape, { min: 0.05, max: 1 }),
      logTarget: fc.boolean(),
      reduction: fc.constantFrom(...reductions, 'batchmean' as const),
    }),
  )
  .map((c) =>
    c.logTarget ? { ...c, target: { ...c.target, data: c.target.data.map((v) => Math.fround(Math.log(v))) } } : c,
  );

law('klDiv equals its definition with each reduction, for targets and log targets', distributions, async (c) => {
  const { x, target, logTarget, reduction } = c;
  const samples = divergence(x, target, logTarget);
  const rows = values([], [x.shape[0] as number]);
  const expected = reduction === 'batchmean' ? div(sum(samples), rows) : reduced(samples, reduction);
  await near(klDiv(toTensor(x), toTensor(target), { logTarget, reduction }), expected);
});

law('the gradient of klDiv is the derivative of its definition', distributions, ({ x, target, logTarget }) =>
  gradcheck(
    (a, b) => klDiv(a as Tensor, b as Tensor, { logTarget }),
    (a, b) => mean(divergence(a as Values, b as Values, logTarget)),
    [x, target],
  ),
);

law(
  'the second derivative of klDiv is that of its definition',
  fc.record({ x: valuesOf([2, 2]), target: valuesOf([2, 2], { min: 0.5, max: 2 }), logTarget: fc.boolean() }),
  ({ x, target, logTarget }) =>
    gradgradcheck(
      (a, b) => klDiv(a as Tensor, b as Tensor, { logTarget, reduction: 'sum' }),
      (a, b) => sum(divergence(a as Values, b as Values, logTarget)),
      [x, target],
    ),
  { runs: 6 },
);

test('klDiv is 0 where a target is 0, and NaN for a negative or NaN one', async () => {
  const x = tensor([-1, Number.NEGATIVE_INFINITY, -1, -1], { requiresGrad: true });
  const y = klDiv(x, tensor([0, 0, -1, Number.NaN]), { reduction: 'none' });
  const data = await y.data();
  ensure(data[0] === 0 && data[1] === 0 && Number.isNaN(data[2]) && Number.isNaN(data[3]), `${data}`);
  y.slice(0, 0, 2).sum().backward();
  const slopes = await (x.grad as Tensor).data();
  ensure(slopes[0] === 0 && slopes[1] === 0, `${slopes}`);
});

test('l1Loss, smoothL1Loss and huberLoss have no slope where x is the target, and give NaN for NaN', async () => {
  for (const loss of [l1Loss, smoothL1Loss, huberLoss]) {
    const x = tensor([3, Number.NaN, Number.POSITIVE_INFINITY], { requiresGrad: true });
    const y = loss(x, tensor([3, 1, 1]), { reduction: 'none' });
    const data = await y.data();
    ensure(data[0] === 0 && Number.isNaN(data[1]) && data[2] === Number.POSITIVE_INFINITY, `${loss.name}: ${data}`);
    y.slice(0, 0, 1).sum().backward();
    ensure((await (x.grad as Tensor).data())[0] === 0, loss.name);
  }
});

test('smoothL1Loss with beta 0 is l1Loss, and huberLoss with delta 1 smoothL1Loss', async () => {
  const [x, target] = [tensor([0.25, -3, 2]), tensor([0, 0, 1])];
  const both = async (a: Tensor, b: Tensor) => ensure((await a.item()) === (await b.item()), 'they differ');
  await both(smoothL1Loss(x, target, { beta: 0 }), l1Loss(x, target));
  await both(huberLoss(x, target), smoothL1Loss(x, target));
});

test('losses of elements refuse other shapes, reductions and kinks', () => {
  const [x, y] = [zeros([2]), zeros([3])];
  refuses(() => l1Loss(x, y), ShapeError, 'l1Loss: expected target [2] for [2], got float32 [3]');
  refuses(() => huberLoss(x, x, { delta: 0 }), ValueError, 'huberLoss: delta must be over 0, got 0');
  refuses(() => smoothL1Loss(x, x, { beta: -1 }), ValueError, 'smoothL1Loss: beta must be a number from 0');
  refuses(
    () => klDiv(x, x, { reduction: 'batchMean' as 'batchmean' }),
    ValueError,
    "klDiv: reduction must be 'mean', 'sum', 'none' or 'batchmean', got 'batchMean'",
  );
});
