// Activations as layers, for Sequential; each calls its operation.

import { type Epilogue, gelu, leakyRelu, type Tensor, unchanging } from '@mien/tensor';
import { expectNumber, expectTensor } from '@mien/tensor/internal';
import { Module } from '../module.ts';

/** max(x, 0) */
export class ReLU extends Module {
  forward(x: Tensor): Tensor {
    expectTensor('ReLU', 'x', x);
    return x.relu();
  }

  /** `{ relu: true }`: Sequential computes it with the previous layer where that can. */
  asEpilogue(): Epilogue {
    return { relu: true };
  }
}

/** x where x > 0, else negativeSlope * x */
export class LeakyReLU extends Module {
  readonly negativeSlope: number;

  constructor(negativeSlope = 0.01) {
    super();
    expectNumber('LeakyReLU', 'negativeSlope', negativeSlope);
    this.negativeSlope = negativeSlope;
  }

  forward(x: Tensor): Tensor {
    unchanging('negativeSlope of LeakyReLU', () => this.negativeSlope);
    return leakyRelu(x, this.negativeSlope);
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

/** x times the standard normal distribution function of x */
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
