// Activations as layers, for Sequential; each is its op.
import { expectNumber, expectTensor, gelu, leakyRelu, type Tensor, unchanging } from '@mien/tensor';
import { Module } from '../module.ts';

/** max(x, 0) */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    expectTensor('ReLU', 'x', x);
    return x.relu();
  }
}

/** x where positive, slope * x elsewhere. */
export class LeakyReLU extends Module {
  readonly slope: number;

  constructor(slope = 0.01) {
    super();
    expectNumber('LeakyReLU', 'slope', slope);
    this.slope = slope;
  }

  forward(x: Tensor): Tensor {
    unchanging('slope of LeakyReLU', () => this.slope);
    return leakyRelu(x, this.slope);
  }
}

/** 1 / (1 + exp(-x)) */
export class Sigmoid extends Module {
  forward(x: Tensor): Tensor {
    expectTensor('Sigmoid', 'x', x);
    return x.sigmoid();
  }
}

/** tanh(x) */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
    expectTensor('Tanh', 'x', x);
    return x.tanh();
  }
}

/** x times the normal distribution function of x. */
export class GELU extends Module {
  forward(x: Tensor): Tensor {
    return gelu(x);
  }
}

/** x * sigmoid(x) */
export class SiLU extends Module {
  forward(x: Tensor): Tensor {
    expectTensor('SiLU', 'x', x);
    return x.silu();
  }
}
