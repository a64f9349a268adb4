import { BatchNorm2d, buffer, Conv2d, Linear, Module, parameter, Sequential, StateError } from '@mien/nn';
import { DisposedError, ones, type Tensor, tensor, zeros } from '@mien/tensor';
import { gradOf, storageOf } from '@mien/tensor/internal';
import { ensure, refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

/** A custom layer: its fields are its parameters, buffers and children. */
class Scale extends Module {
  readonly innerWeight: Tensor = parameter(ones([2]));
  readonly callCount: Tensor = buffer(zeros([1]));
  readonly #scratch: Tensor = buffer(zeros([1]));

  forward(x: Tensor): Tensor {
    return x.mul(this.innerWeight).add(this.#scratch);
  }
}

class Network extends Module {
  readonly features: Sequential = new Sequential(new Conv2d(1, 2, 3, { bias: false }), new BatchNorm2d(2));
  readonly blocks: readonly Module[] = [new Scale(), new Scale()];
  readonly classifier: Linear = new Linear(2, 3);
  readonly shared: Linear = this.classifier;

  forward(x: Tensor): Tensor {
    return this.features.forward(x);
  }
}

test('stateDict has the names and the order of PyTorch', () => {
  using network = new Network();
  const names = [...network.stateDict().keys()].join(' ');
  const expected = [
    ...['features.0.weight', 'features.1.weight', 'features.1.bias', 'features.1.running_mean'],
    ...['features.1.running_var', 'features.1.num_batches_tracked'],
    ...['blocks.0.inner_weight', 'blocks.0.call_count', 'blocks.1.inner_weight', 'blocks.1.call_count'],
    ...['classifier.weight', 'classifier.bias', 'shared.weight', 'shared.bias'],
  ];
  ensure(names === expected.join(' '), names);
});

test('namedParameters and namedBuffers name every tensor once', () => {
  using network = new Network();
  const parameters = network.namedParameters().map(([name]) => name);
  const buffers = network.namedBuffers().map(([name]) => name);
  ensure(parameters.length === 7 && !parameters.some((name) => name.startsWith('shared')), parameters.join(' '));
  ensure(buffers.length === 5 && buffers.includes('blocks.1.call_count'), buffers.join(' '));
});

test('train and eval reach every module of the tree', () => {
  using network = new Network();
  const modes = (): string =>
    network
      .namedModules()
      .map(([, module]) => Number(module.training))
      .join('');
  ensure(modes() === '1111111', modes());
  ensure(network.eval() === network && modes() === '0000000', modes());
  network.train();
  ensure(modes() === '1111111', modes());
});

test('loadStateDict copies every value of another network', async () => {
  using source = new Network();
  using target = new Network();
  target.loadStateDict(source.stateDict());
  for (const [name, value] of source.stateDict()) {
    const copied = target.stateDict().get(name);
    ensure(copied !== undefined && copied !== value, `${name} is not a copy`);
    ensure((await copied.data()).join() === (await value.data()).join(), `${name} differs`);
  }
});

test('loadStateDict names what is missing, unexpected or of another shape, and writes nothing', async () => {
  using network = new Linear(2, 3);
  const before = (await network.weight.data()).join();
  const wrong = new Map([
    ['weight', tensor([[1, 2]])],
    ['scale', tensor([1])],
  ]);
  const expected = 'loadStateDict: missing bias, unexpected scale, weight: expected float32 [3, 2], got float32 [1, 2]';
  refuses(() => network.loadStateDict(wrong), StateError, expected);
  refuses(() => network.loadStateDict(wrong, { strict: false }), StateError, 'weight: expected float32 [3, 2]');
  ensure((await network.weight.data()).join() === before, 'the weight was written');
  network.loadStateDict(new Map([['bias', tensor([1, 2, 3])]]), { strict: false });
  ensure((await network.bias?.data())?.join() === '1,2,3', 'the bias was not written');
});

test('dispose frees parameters, gradients and buffers', () => {
  const network = new Scale();
  network
    .forward(ones([2]))
    .sum()
    .backward();
  const { innerWeight, callCount } = network;
  const gradient = gradOf(innerWeight);
  network.dispose();
  ensure(gradient !== null && innerWeight.grad === null, 'there is no gradient, or it is still there');
  for (const tensor of [innerWeight, callCount, gradient]) refuses(() => storageOf(tensor), DisposedError, 'disposed');
});
