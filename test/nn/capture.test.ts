// Captured training steps of networks: the bits of uncaptured steps, and refusals.
import {
  AdamW,
  BatchNorm2d,
  Conv2d,
  cosine,
  crossEntropy,
  Dropout,
  EMA,
  Flatten,
  type HostTensor,
  Linear,
  ReLU,
  Sequential,
  SGD,
  toHost,
} from '@mien/nn';
import { CaptureError, capture, Generator, noGrad, randn, type Tensor, tensor } from '@mien/tensor';
import { refuses } from '@mien/tensor/testing';
import * as assert from 'uvu/assert';
import { test } from '../harness.ts';

interface Run {
  readonly network: Sequential;
  readonly optimizer: SGD | AdamW;
  readonly ema: EMA;
  readonly generator: Generator;
  readonly step: (x: Tensor, labels: Tensor) => Tensor;
}

/** A network with dropout, batch statistics and averages, and its training step. */
function begin(kind: 'sgd' | 'adam'): Run {
  const generator = new Generator(3);
  const network = new Sequential(
    new Conv2d(1, 4, 3, { padding: 1, generator }),
    new BatchNorm2d(4),
    new ReLU(),
    new Flatten(),
    new Dropout(0.3, { generator }),
    new Linear(4 * 6 * 6, 3, { generator }),
  );
  const parameters = network.namedParameters();
  const optimizer =
    kind === 'sgd'
      ? new SGD(parameters, { lr: 0.05, momentum: 0.9, nesterov: true, weightDecay: 1e-3 })
      : new AdamW(parameters, { lr: 0.01 });
  const ema = new EMA(network, { decay: 0.9 });
  const step = (x: Tensor, labels: Tensor): Tensor => {
    const loss = crossEntropy(network.forward(x), labels, { labelSmoothing: 0.1 });
    loss.backward();
    optimizer.step({ kind: 'norm', limit: 1 });
    optimizer.zeroGrad();
    ema.update();
    return loss.detach();
  };
  return { network, optimizer, ema, generator, step };
}

function batch(seed: number): readonly [Tensor, Tensor] {
  return [randn([5, 1, 6, 6], { generator: new Generator(seed) }), tensor(Int32Array.of(0, 1, 2, seed % 3, 1))];
}

/** Everything that a step changes, on the host. */
async function stateOf({ network, optimizer, ema }: Run): Promise<Map<string, HostTensor>> {
  const states = { network: network.stateDict(), optimizer: optimizer.stateDict(), averages: ema.stateDict() };
  const actual = new Map<string, HostTensor>();
  for (const [part, state] of Object.entries(states)) {
    for (const [name, values] of await toHost(state)) actual.set(`${part} ${name}`, values);
  }
  return actual;
}

for (const kind of ['sgd', 'adam'] as const) {
  test(`capture trains fifty steps to the bits of uncaptured ones, with ${kind}, a schedule, dropout and averages`, async () => {
    const [plain, other] = [begin(kind), begin(kind)];
    using captured = capture(other.step);
    const schedule = cosine(50);
    for (let i = 0; i < 50; i++) {
      for (const { optimizer } of [plain, other]) optimizer.lrFactor = schedule(i);
      const [expected, actual] = [plain.step(...batch(i)), captured.run(...batch(i))];
      assert.is(await actual.item(), await expected.item(), `the loss of step ${i}`);
      if (i === 20) for (const { network } of [plain, other]) for (const mode of [false, true]) network.train(mode);
    }
    assert.ok(captured.replays);
    assert.equal(other.generator.state(), plain.generator.state());
    assert.equal(await stateOf(other), await stateOf(plain));
  });
}

test('a captured training step refuses evaluation mode, other options, averages in use and a state that was loaded', async () => {
  const run = begin('adam');
  using captured = capture(run.step);
  for (let i = 0; i < 4; i++) captured.run(...batch(i));
  assert.ok(captured.replays);
  run.network.eval();
  refuses(() => captured.run(...batch(4)), CaptureError, 'training of BatchNorm2d is false and was true');
  run.network.train();
  captured.run(...batch(4));
  const [group] = run.optimizer.paramGroups as unknown as [{ options: object }];
  const before = group.options;
  group.options = { ...before };
  refuses(() => captured.run(...batch(5)), CaptureError, "AdamW's options is another object");
  group.options = before;
  await run.ema.applied(() => {
    refuses(
      () => captured.run(...batch(5)),
      CaptureError,
      'whether the module holds the averages is true and was false',
    );
  });
  captured.run(...batch(5));
  run.optimizer.loadStateDict(await toHost(run.optimizer.stateDict()));
  refuses(() => captured.run(...batch(6)), CaptureError, 'a tensor that the recorded function uses was disposed of');
});

test('a captured evaluation uses weights and statistics that training has changed since', async () => {
  const { network, step } = begin('sgd');
  const evaluate = (x: Tensor): Tensor => noGrad(() => network.forward(x));
  using captured = capture(evaluate);
  const actual: number[] = [];
  for (let i = 0; i < 6; i++) {
    network.train();
    for (let again = 0; again < 2; again++) step(...batch(2 * i + again)).dispose();
    network.eval();
    const [x] = batch(100);
    const [expected, logits] = [await evaluate(x).data(), await captured.run(x).data()];
    assert.equal(logits, expected, `evaluation ${i}`);
    actual.push(logits[0] as number);
  }
  assert.ok(captured.replays);
  assert.is(new Set(actual).size, 6);
});
