// Activations as layers, for Sequential; each is its op.
import { gelu, leakyRelu, type Tensor, unchanging } from '@mien/tensor';
import { Module } from '../module.ts';

/** max(x, 0) */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    return x.relu();
  }
}

/** x where positive, slope * x elsewhere. */
export class LeakyReLU extends Module {
  readonly slope: number;

  constructor(slope = 0.01) {
    super();
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
    return x.sigmoid();
  }
}

/** tanh(x) */
export class Tanh extends Module {
  forward(x: Tensor): Tensor {
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
    return x.silu();
  }
}
