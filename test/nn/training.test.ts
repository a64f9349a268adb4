import {
  Adam,
  ArrayDataset,
  BatchNorm1d,
  clipGradNorm,
  cosine,
  crossEntropy,
  DataLoader,
  Dropout,
  EMA,
  type HostTensor,
  Linear,
  Sequential,
  SGD,
  Tanh,
} from '@mien/nn';
import { type Checkpoint, readCheckpoint, writeCheckpoint } from '@mien/nn/checkpoint';
import { Generator, memory, noGrad, scope, type Tensor, tensor } from '@mien/tensor';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';

/** Two interleaving half circles with a little noise: [count, 2] and labels [count]. */
function twoMoons(count: number, seed: number): readonly [HostTensor, HostTensor] {
  const generator = new Generator(seed);
  const points = new Float32Array(2 * count);
  const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
  labels.forEach((label, i) => {
    const angle = Math.PI * generator.uniform();
    const noise = (): number => 0.2 * (generator.uniform() - 0.5);
    points[2 * i] = (label ? 1 - Math.cos(angle) : Math.cos(angle)) + noise();
    points[2 * i + 1] = (label ? 0.5 - Math.sin(angle) : Math.sin(angle)) + noise();
  });
  return [
    { shape: [count, 2], dtype: 'float32', data: points },
    { shape: [count], dtype: 'int32', data: labels },
  ];
}

const [points, labels] = twoMoons(96, 1);

test('a small network learns two moons', async () => {
  const generator = new Generator(2);
  using network = new Sequential(new Linear(2, 16, { generator }), new Tanh(), new Linear(16, 2, { generator }));
  using optimizer = new Adam(network.namedParameters(), { lr: 0.1 });
  const [x, target] = [tensor(points), tensor(labels)];
  let first: Tensor | null = null;
  let last: Tensor | null = null;
  for (let step = 0; step < 150; step++) {
    const loss: Tensor = scope(() => {
      const loss = crossEntropy(network.forward(x), target);
      loss.backward();
      optimizer.lrFactor = cosine(150)(step);
      optimizer.step();
      optimizer.zeroGrad();
      return loss.detach();
    });
    first ??= loss;
    last = loss;
  }
  const right = await noGrad(() => network.forward(x).argmax(1).to('int32').eq(target).to('float32').mean()).item();
  const [before, after] = [await first?.item(), await last?.item()];
  ensure(right === 1 && Number(after) < 0.1 && Number(before) > 0.4, `${right} right, loss ${before} to ${after}`);
});

/** The parts of a run: dropout, batch statistics, momentum, averages, shuffling. */
class Run {
  readonly noise: Generator;
  readonly network: Sequential;
  readonly optimizer: SGD;
  readonly ema: EMA;
  readonly loader: DataLoader<readonly HostTensor[], readonly HostTensor[]>;
  readonly losses: Tensor[] = [];
  steps = 0;

  constructor(saved?: Required<Checkpoint<ReadonlyMap<string, HostTensor>>>) {
    this.noise = saved ? Generator.from(saved.info.generator) : new Generator(3);
    const generator = new Generator(saved ? 99 : 4);
    this.network = new Sequential(
      new Linear(2, 8, { generator }),
      new BatchNorm1d(8),
      new Tanh(),
      new Dropout(0.25, { generator: this.noise }),
      new Linear(8, 2, { generator }),
    );
    this.optimizer = new SGD(this.network.namedParameters(), {
      lr: 0.1,
      momentum: 0.9,
      nesterov: true,
      weightDecay: 1e-3,
    });
    this.loader = new DataLoader(new ArrayDataset(points, labels), {
      batchSize: 16,
      shuffle: true,
    });
    if (saved) this.network.loadStateDict(saved.model);
    this.ema = new EMA(this.network, { decay: 0.9, updates: saved?.info.step ?? 0 });
    if (!saved) return;
    this.optimizer.loadStateDict(saved.optimizer);
    this.ema.loadStateDict(saved.ema);
    this.loader.loadState(saved.info.shuffle);
    this.steps = saved.info.step;
  }

  step([x, target]: readonly HostTensor[]): void {
    const loss = scope(() => {
      const loss = crossEntropy(this.network.forward(tensor(x as HostTensor)), tensor(target as HostTensor));
      loss.backward();
      clipGradNorm(this.network.parameters(), 1);
      this.optimizer.step();
      this.optimizer.zeroGrad();
      this.ema.update();
      return loss.detach();
    });
    this.losses.push(loss);
    this.steps++;
  }

  async train(until: number): Promise<void> {
    while (this.steps < until) {
      for await (const batch of this.loader) {
        this.step(batch);
        if (this.steps === until) break;
      }
    }
  }

  checkpoint(): Promise<Uint8Array> {
    return writeCheckpoint({
      info: {
        ...{ model: 'moons', classes: ['left', 'right'], input: { channels: 2 }, preset: null },
        ...{ epoch: this.loader.epoch, step: this.steps, seed: 3 },
        ...{ generator: this.noise.state(), shuffle: this.loader.state() },
      },
      model: this.network.stateDict(),
      optimizer: this.optimizer.stateDict(),
      ema: this.ema.stateDict(),
    });
  }
}

test('training resumed from a checkpoint after step 10 equals uninterrupted training bit for bit', async () => {
  const whole = new Run();
  await whole.train(20);
  const first = new Run();
  await first.train(10);
  const second = new Run(readCheckpoint(await first.checkpoint()));
  await second.train(20);
  const losses = async (run: Run): Promise<number[]> => Promise.all(run.losses.map((loss) => loss.item()));
  const [expected, actual] = [await losses(whole), [...(await losses(first)), ...(await losses(second))]];
  ensure(actual.join() === expected.join(), `the losses are ${actual}, expected ${expected}`);
  const [a, b] = [await whole.checkpoint(), await second.checkpoint()];
  ensure(a.join() === b.join(), 'the checkpoints at the end differ');
});

test('a training loop of 200 steps in scopes has flat memory from the second step on', async () => {
  const run = new Run();
  const batches: (readonly HostTensor[])[] = [];
  for await (const batch of run.loader) batches.push(batch);
  const lived: number[] = [];
  const buffers: number[] = [];
  for (let step = 0; step < 200; step++) {
    run.step(batches[step % batches.length] as readonly HostTensor[]);
    using loss = run.losses.pop() as Tensor;
    await loss.item();
    lived.push(memory().liveBytes);
    buffers.push(memory().buffers);
  }
  // Less is fine: the garbage collector may free tensors of other tests.
  const grows = (list: readonly number[]): number => list.findIndex((each, i) => i > 1 && each > Number(list[i - 1]));
  ensure(grows(lived) < 0, `live bytes grow in step ${grows(lived)}: ${[...new Set(lived)]}`);
  ensure(grows(buffers) < 0, `buffers grow in step ${grows(buffers)}: ${[...new Set(buffers)]}`);
});
