// detectAnomaly on models names layers as state dicts do.
import { BatchNorm2d, Conv2d, crossEntropy, Flatten, Linear, Module, ReLU, Sequential, SGD } from '@mien/nn';
import { AnomalyError, assign, checkpoint, detectAnomaly, ones, randn, scope, type Tensor, tensor } from '@mien/tensor';
import { ensure } from '@mien/tensor/testing';
import { test } from '../harness.ts';

/** A layer whose logarithm of a negative number is NaN. */
class Log extends Module {
  forward(x: Tensor): Tensor {
    return x.sub(100).log();
  }
}

class Net extends Module {
  readonly blocks: Sequential;
  readonly head: Linear;
  readonly #hidden = new Log();
  #private = false;

  constructor(broken: Module & { forward(x: Tensor): Tensor } = new ReLU()) {
    super();
    const block = new Sequential(new Conv2d(1, 2, 3), new BatchNorm2d(2), broken);
    this.blocks = new Sequential(block, new Flatten());
    this.head = new Linear(2 * 4 * 4, 3);
  }

  usePrivate(): this {
    this.#private = true;
    return this;
  }

  forward(x: Tensor): Tensor {
    const y = this.head.forward(this.blocks.forward(x));
    return this.#private ? this.#hidden.forward(y) : y;
  }
}

async function anomalyOf(fn: () => unknown): Promise<AnomalyError> {
  try {
    await detectAnomaly(() => void scope(() => void fn()));
  } catch (reason) {
    if (reason instanceof AnomalyError) return reason;
    throw reason;
  }
  throw new Error('nothing was found');
}

const images = (): Tensor => randn([2, 1, 6, 6]);

test('detectAnomaly names the layer of an operation as the state dict does', async () => {
  using net = new Net(new Log());
  const reason = await anomalyOf(() => net.forward(images()));
  ensure(reason.operation === 'log' && reason.layer === 'blocks.0.2', String(reason));
  ensure(reason.message.includes('in layer blocks.0.2'), reason.message);
  using own = new Net().usePrivate();
  const inPrivate = await anomalyOf(() => own.forward(images()));
  ensure(inPrivate.layer === 'Net (Log)', `a layer that no state dict holds is ${inPrivate.layer}`);
});

test('detectAnomaly names the layer whose gradient is not finite, and whose weight was not', async () => {
  class Root extends Module {
    forward(x: Tensor): Tensor {
      return x.mul(0).sqrt();
    }
  }
  using net = new Net(new Root());
  const labels = tensor(Int32Array.of(0, 2));
  const loss = (): void => crossEntropy(net.forward(images()), labels).backward();
  const gradient = await anomalyOf(loss);
  ensure(/in the gradient of sqrt$/.test(gradient.operation) && gradient.layer === 'blocks.0.2', String(gradient));
  const again = await anomalyOf(() => {
    const y = checkpoint((x: Tensor) => net.forward(x), images().detach({ requiresGrad: true }));
    crossEntropy(y, labels).backward();
  });
  ensure(/in the gradient of sqrt$/.test(again.operation) && again.layer === 'blocks.0.2', String(again));
  assign(net.head.weight, ones(net.head.weight.shape).mul(3e38).mul(10));
  const weight = await anomalyOf(() => net.forward(images()));
  ensure(/^weight of /.test(weight.operation) && weight.layer === 'head', String(weight));
});

test('detectAnomaly names the step that made a parameter infinite', async () => {
  using layer = new Linear(2, 1);
  const optimizer = new SGD(layer.namedParameters(), { lr: 1e38 });
  const reason = await anomalyOf(() => {
    layer
      .forward(ones([1, 2]).mul(1e6))
      .sum()
      .backward();
    optimizer.step();
  });
  ensure(reason.operation === 'the step of SGD' && reason.layer === 'weight', String(reason));
});

test('a module whose forward is a field is called like any other', () => {
  class Field extends Module {
    override readonly forward = (x: Tensor): Tensor => x.mul(2);
  }
  ensure(new Field().forward(ones([2])).size === 2, 'it is called');
});
