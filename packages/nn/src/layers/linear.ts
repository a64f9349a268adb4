import {
  type ActivationOptions,
  expectInteger,
  expectOptions,
  expectTensor,
  linear,
  type RandomOptions,
  ShapeError,
  type Tensor,
} from '@mien/tensor';
import { defaultUniform } from '../init.ts';
import { Module, parameter } from '../module.ts';

export interface LinearOptions extends RandomOptions {
  /** Whether there is a bias. Default true. */
  readonly bias?: boolean;
}

/** y = x weight^T + bias: [..., inputs] to [..., outputs]. */
export class Linear extends Module {
  /** [outputs, inputs] */
  readonly weight: Tensor;
  /** [outputs] */
  readonly bias: Tensor | null;

  constructor(inputs: number, outputs: number, options: LinearOptions = {}) {
    super();
    expectOptions('Linear', options);
    expectInteger('Linear', 'inputs', inputs);
    expectInteger('Linear', 'outputs', outputs);
    this.weight = parameter(defaultUniform([outputs, inputs], inputs, options));
    this.bias = (options.bias ?? true) ? parameter(defaultUniform([outputs], inputs, options)) : null;
  }

  forward(x: Tensor, options: ActivationOptions = {}): Tensor {
    expectTensor('Linear', 'x', x);
    const [outputs, inputs] = this.weight.shape;
    if (x.shape.at(-1) !== inputs) {
      throw new ShapeError(
        `Linear: weight [${outputs}, ${inputs}] expects ${inputs} features last, x is [${x.shape.join(', ')}]; check the layer before`,
      );
    }
    return linear(x, this.weight, this.bias, options);
  }
}
