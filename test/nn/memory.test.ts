import { BatchNorm1d, crossEntropy, Dropout, Linear, Module, Sequential, SGD, Tanh } from '@mien/nn';
import { checkpoint, empty, Generator, memory, randn, record, scope, type Tensor, tensor } from '@mien/tensor';
import { viewOf } from '@mien/tensor/internal';
import { summed } from '@mien/tensor/reference';
import { ensure, nearValues } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const size = 4096;
const bytes = 4 * size;

/** The identity; records the live bytes when backward passes it. */
class Probe extends Module {
  readonly #note: (liveBytes: number) => void;

  constructor(note: (liveBytes: number) => void) {
    super();
    this.#note = note;
  }

  forward(x: Tensor): Tensor {
    return record(
      'probe',
      viewOf(x, x.shape),
      { x },
      {
        saves: {},
        backward: (dy) => {
          this.#note(memory().liveBytes);
          return { x: viewOf(dy, dy.shape) };
        },
      },
    );
  }
}

test('backward frees the activations of a Sequential as it passes them', () => {
  const readings: number[] = [];
  const layers = Array.from({ length: 8 }, () => [new Tanh(), new Probe((live) => readings.push(live))]).flat();
  using net = new Sequential(new Tanh(), ...layers);
  const x = randn([size]).detach({ requiresGrad: true });
  scope(() => net.forward(x).sum().backward());
  for (const [i, live] of readings.entries()) {
    const freed = ((readings[0] as number) - live) / bytes;
    // The caller still holds the result while backward passes the first layer.
    ensure(freed >= i - 1, `${freed} activations freed when ${i} were passed`);
  }
  ensure(readings.length === 8, `${readings.length} readings`);
});

test('a Sequential without gradients holds at most the input and output of one layer', () => {
  const readings: number[] = [];
  class Watch extends Module {
    forward(x: Tensor): Tensor {
      readings.push(memory().liveBytes);
      return empty(x.shape);
    }
  }
  using net = new Sequential(...Array.from({ length: 6 }, () => new Watch()));
  const before = memory().liveBytes;
  scope(() => net.forward(empty([size])));
  const most = (Math.max(...readings) - before) / bytes;
  ensure(most === 2, `${most} activations live, not 2`);
});

test('checkpoint counts a batch once in BatchNorm, and does not change gradients', async () => {
  const run = async (through: typeof checkpoint): Promise<string> => {
    const generator = new Generator(1);
    using net = new Sequential(
      new Linear(5, 7, { generator }),
      new BatchNorm1d(7),
      new Dropout(0.5, { generator }),
      new Linear(7, 3, { generator }),
    );
    using optimizer = new SGD(net.namedParameters(), { lr: 0.1, momentum: 0.9 });
    const x = randn([6, 5], { generator: new Generator(2) });
    for (let step = 0; step < 3; step++) {
      scope(() => {
        through((v: Tensor) => net.forward(v), x)
          .square()
          .mean()
          .backward();
        optimizer.step();
        optimizer.zeroGrad();
      });
    }
    const state = await Promise.all([...net.stateDict()].map(async ([name, value]) => `${name} ${await value.data()}`));
    return state.join('\n');
  };
  const [kept, repeated] = [await run((fn, ...inputs) => fn(...inputs)), await run(checkpoint)];
  ensure(kept === repeated, `${repeated}\nis not\n${kept}`);
  ensure(kept.includes('num_batches_tracked 3'), kept);
});

test('gradients of micro-batches add up to the gradient of the batch', async () => {
  using layer = new Linear(5, 3);
  const x = randn([12, 5]);
  const labels = tensor(Int32Array.from({ length: 12 }, (_, i) => i % 3));
  const gradient = async (): Promise<number[]> => {
    const actual = Array.from(await (layer.weight.grad as Tensor).data());
    layer.weight.grad = null;
    return actual;
  };
  scope(() => crossEntropy(layer.forward(x), labels).backward());
  const whole = await gradient();
  for (const [start, end] of [
    [0, 5],
    [5, 7],
    [7, 12],
  ] as const) {
    scope(() => {
      const loss = crossEntropy(layer.forward(x.slice(0, start, end)), labels.slice(0, start, end));
      loss.mul((end - start) / 12).backward();
    });
  }
  nearValues(await gradient(), summed(whole, 12));
});
