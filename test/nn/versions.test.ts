// Every in-place write of @mien/nn, between a forward pass and its backward.
import { Adam, AdamW, BatchNorm1d, clipGradNorm, clipGradValue, EMA, Linear, mseLoss, SGD } from '@mien/nn';
import { GradientError, ones, randn, type Tensor, zeros } from '@mien/tensor';
import { ensure, refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const network = (): Linear => new Linear(2, 2);
const withGradients = (layer: Linear): Linear => {
  for (const parameter of layer.parameters()) parameter.grad = ones(parameter.shape);
  return layer;
};

/** Each writes to the weight of a layer; those of averages do so in the function given to `applied`. */
const writers: Readonly<Record<string, (layer: Linear, backward: () => void) => void | Promise<void>>> = {
  'SGD.step': (layer) => new SGD(withGradients(layer).namedParameters(), { lr: 0.1 }).step(),
  'SGD.step with momentum and a clip': (layer) =>
    new SGD(withGradients(layer).namedParameters(), { lr: 0.1, momentum: 0.9 }).step({ kind: 'norm', limit: 1 }),
  'Adam.step': (layer) => new Adam(withGradients(layer).namedParameters()).step(),
  'AdamW.step': (layer) => new AdamW(withGradients(layer).namedParameters()).step(),
  loadStateDict: (layer) => layer.loadStateDict(network().stateDict()),
  'EMA.applied': (layer, backward) => new EMA(layer).applied(backward),
};

for (const [what, write] of Object.entries(writers)) {
  test(`backward refuses what ${what} changed since the forward pass`, async () => {
    const layer = network();
    const x = ones([3, 2], { requiresGrad: true });
    const y = layer.forward(x).sum();
    const backward = (): void =>
      refuses(
        () => y.backward(null, { keepGraph: true }),
        GradientError,
        'the gradient of linear needs the old value of weight [2, 2]',
      );
    await write(layer, backward);
    backward();
  });

  test(`backward through one layer takes what ${what} changed: its gradients need the input only`, async () => {
    const layer = network();
    const y = layer.forward(ones([3, 2])).sum();
    await write(layer, () => {});
    for (const parameter of layer.parameters()) parameter.grad = null;
    y.backward();
    ensure((layer.bias as Tensor).grad !== null, 'there is a gradient');
    ensure(
      (await (layer.weight.grad as Tensor).data()).every((g) => g === 3),
      'the gradient is that of the sum',
    );
  });
}

test('writes that no graph saved are not refused: running statistics, averages, clipped gradients, two forward passes', () => {
  const [norm, layer] = [new BatchNorm1d(2), network()];
  const ema = new EMA(norm);
  const first = norm
    .forward(layer.forward(randn([4, 2])))
    .square()
    .sum();
  ema.update();
  const second = norm
    .forward(layer.forward(randn([4, 2])))
    .square()
    .sum();
  first.backward();
  clipGradNorm(layer.parameters(), 1);
  clipGradValue(layer.parameters(), 0.5);
  second.backward();
});

test('an evaluation with gradients by running statistics is not affected by later training', async () => {
  const norm = new BatchNorm1d(2).eval();
  const x = ones([4, 2], { requiresGrad: true });
  const y = norm.forward(x).sum();
  norm.train().forward(randn([4, 2]));
  y.backward();
  const slope = 1 / Math.sqrt(1 + 1e-5);
  const actual = await (x.grad as Tensor).data();
  ensure(
    actual.every((g) => Math.abs(g - slope) < 1e-6),
    `expected ${slope}, got ${actual.join(', ')}`,
  );
});

test('training steps in the order of a GAN are refused where PyTorch refuses them, and pass in the right one', () => {
  const [generator, critic] = [network(), network()];
  const optimizer = new SGD(critic.namedParameters(), { lr: 0.1 });
  const fake = generator.forward(ones([3, 2]));
  const loss = critic.forward(fake).mean();
  mseLoss(critic.forward(fake.detach()), zeros([3, 2])).backward();
  optimizer.step();
  refuses(() => loss.backward(), GradientError, 'call backward() before the update');
  critic.forward(fake).mean().backward();
  ensure(generator.weight.grad !== null, 'the generator has its gradient');
});
