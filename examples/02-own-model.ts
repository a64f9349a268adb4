// A user-defined layer and model: parameters are fields, `forward` defines the result, names are PyTorch's.
import { crossEntropy, Linear, Module, parameter, SGD } from '@mien/nn';
import { Generator, init, ones, randn, scope, type Tensor, tensor, zeros } from '@mien/tensor';

await init();

/** Normalizes each row to mean 0 and variance 1, then scales and shifts it. Ba, Kiros and Hinton (2016). */
class LayerNorm extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor;

  constructor(size: number) {
    super();
    this.weight = parameter(ones([size]));
    this.bias = parameter(zeros([size]));
  }

  forward(x: Tensor): Tensor {
    const centered = x.sub(x.mean(-1, { keepDim: true }));
    const deviation = centered.square().mean(-1, { keepDim: true }).add(1e-5).sqrt();
    return centered.div(deviation).mul(this.weight).add(this.bias);
  }
}

/** A residual network of two layers. */
class Classifier extends Module {
  readonly enter: Linear;
  readonly norm: LayerNorm;
  readonly inner: Linear;
  readonly leave: Linear;

  constructor(inputs: number, width: number, classes: number, generator: Generator) {
    super();
    this.enter = new Linear(inputs, width, { generator });
    this.norm = new LayerNorm(width);
    this.inner = new Linear(width, width, { generator });
    this.leave = new Linear(width, classes, { generator });
  }

  forward(x: Tensor): Tensor {
    const h = this.enter.forward(x);
    return this.leave.forward(h.add(this.inner.forward(this.norm.forward(h)).relu()));
  }
}

const generator = new Generator(3);
using model = new Classifier(8, 32, 4, generator);
using optimizer = new SGD(model.namedParameters(), { lr: 0.1, momentum: 0.9 });

// The class of a row is the index of the largest of its first four values.
const x = randn([256, 8], { generator });
const labels = x.slice(1, 0, 4).argmax(1);

for (let step = 0; step < 60; step++) {
  scope(() => {
    crossEntropy(model.forward(x), labels).backward();
    optimizer.step();
    optimizer.zeroGrad();
  });
}

console.log([...model.stateDict().keys()].join(', '));
const correct = scope(() => model.forward(x).argmax(1).eq(labels).sum());
const total = scope(() => tensor(model.parameters().map(({ size }) => size)).sum());
console.log(`${await total.item()} parameters; ${await correct.item()} of 256 rows correct`);
