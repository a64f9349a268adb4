// One tensor under two names: every part of @mien/nn treats it as one.
import { clipGradNorm, clipGradValue, EMA, type HostTensor, Linear, Module, SGD, StateError, toHost } from '@mien/nn';
import { readCheckpoint, writeCheckpoint } from '@mien/nn/checkpoint';
import { readPytorch, writePytorch } from '@mien/nn/pytorch';
import { assign, ones, type Tensor, tensor, ValueError } from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { ensure, near, refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

class Tied extends Module {
  readonly first: Linear = new Linear(2, 2, { bias: false });
  readonly second: { -readonly [K in keyof Linear]: Linear[K] } = new Linear(2, 2, { bias: false });
  constructor() {
    super();
    this.second.weight = this.first.weight;
  }
  forward(x: Tensor): Tensor {
    return this.second.forward(this.first.forward(x));
  }
}

const valuesOf = async (x: Tensor): Promise<string> => (await x.data()).join();

test('tied weights have one average, and applied() restores the weights', async () => {
  const net = new Tied();
  assign(net.first.weight, [0, 0, 0, 0]);
  const ema = new EMA(net, { decay: 0.5 });
  assign(net.first.weight, [1, 2, 3, 4]);
  ema.update();
  // The first update uses a decay of a tenth.
  const expected = reference.values([2, 2], [0.9, 1.8, 2.7, 3.6]);
  for (let again = 0; again < 2; again++) {
    await ema.applied(() => near(net.second.weight, expected));
    ensure((await valuesOf(net.first.weight)) === '1,2,3,4', 'the own weights');
  }
  const state = ema.stateDict();
  ensure(state.get('first.weight') === state.get('second.weight'), 'one tensor under both names');
  const part = new Map([...(await toHost(state))].slice(0, 1));
  ema.loadStateDict(part);
});

test('optimizers refuse a tensor that is listed twice, and take it once from namedParameters()', () => {
  const net = new Tied();
  ensure(net.parameters().length === 1 && net.stateDict().size === 2, 'one parameter, two names');
  const twice = [...net.first.namedParameters(), ['second', net.second.weight] as const];
  refuses(() => new SGD(twice, { lr: 1 }), ValueError, 'weight and second are one tensor; list it once');
  refuses(
    () => new SGD([{ params: net.first.parameters() }, { params: [net.second.weight] }], { lr: 1 }),
    ValueError,
    '0 and 1 are one tensor',
  );
});

test('clipping counts and scales a tensor that is listed twice once', async () => {
  const net = new Tied();
  const { weight } = net.first;
  weight.grad = tensor([
    [1, 1],
    [1, 1],
  ]);
  const norm = clipGradNorm([weight, net.second.weight], 1);
  ensure((await norm.item()) === 2, 'the norm');
  ensure(Math.abs(((await (weight.grad as Tensor).data())[0] as number) - 0.5) < 1e-5, 'scaled once');
  clipGradValue([weight, net.second.weight], 0.25);
  ensure((await valuesOf(weight.grad as Tensor)) === '0.25,0.25,0.25,0.25', 'clamped');
});

test('a state dict of tied weights loads by both names or by one, and not with two values', async () => {
  const net = new Tied();
  const values = (first: number): HostTensor => ({
    shape: [2, 2],
    dtype: 'float32',
    data: Float32Array.of(first, 2, 3, 4),
  });
  net.loadStateDict(new Map([['second.weight', values(1)]]));
  ensure((await valuesOf(net.first.weight)) === '1,2,3,4', 'one name is enough');
  const both = new Map([
    ['first.weight', values(5)],
    ['second.weight', values(5)],
  ]);
  net.loadStateDict(both);
  ensure((await valuesOf(net.first.weight)) === '5,2,3,4', 'both names');
  both.set('second.weight', values(6));
  refuses(
    () => net.loadStateDict(both),
    StateError,
    'loadStateDict: first.weight and second.weight are one tensor here, but have different saved values',
  );
  refuses(() => net.loadStateDict(new Map()), StateError, 'missing first.weight, second.weight');
});

test('a checkpoint of tied weights, their averages and their optimizer reads back tied', async () => {
  const net = new Tied();
  const optimizer = new SGD(net.namedParameters(), { lr: 0.5, momentum: 0.9 });
  const ema = new EMA(net);
  net
    .forward(ones([1, 2]))
    .sum()
    .backward();
  optimizer.step();
  ema.update();
  const host = await toHost(net.stateDict());
  ensure(host.get('first.weight') === host.get('second.weight'), 'read from the device once');
  const info = {
    ...{ model: 'tied', classes: [], input: null, preset: null, epoch: 0, step: 1, seed: 0 },
    ...{ generator: { seed: 0, offset: 0 }, shuffle: { seed: 0, epoch: 0, batch: 0 } },
  };
  const bytes = await writeCheckpoint({
    info,
    model: net.stateDict(),
    optimizer: optimizer.stateDict(),
    ema: ema.stateDict(),
  });
  const read = readCheckpoint(bytes);
  const other = new Tied();
  const [otherOptimizer, otherEma] = [new SGD(other.namedParameters(), { lr: 0.5, momentum: 0.9 }), new EMA(other)];
  other.loadStateDict(read.model);
  otherOptimizer.loadStateDict(read.optimizer);
  otherEma.loadStateDict(read.ema);
  ensure((await valuesOf(other.second.weight)) === (await valuesOf(net.first.weight)), 'the weights');
  ensure(other.second.weight === other.first.weight, 'tied');
});

test('a PyTorch file of tied weights holds their values once, and loads into a tied network', async () => {
  const net = new Tied();
  const state = await toHost(net.stateDict());
  const bytes = writePytorch(state);
  const untied = new Map([...state].map(([name, value]) => [name, { ...value, data: value.data.slice() }]));
  ensure(writePytorch(untied).length - bytes.length > 64, 'one storage less');
  const other = new Tied();
  const read = readPytorch(bytes).tensors;
  other.loadStateDict(new Map([...read].map(([name, tensor]) => [name, tensor.toHost() as HostTensor])));
  ensure((await valuesOf(other.second.weight)) === (await valuesOf(net.first.weight)), 'the weights');
});
