import { type Epilogue, linear, type RandomOptions, ShapeError, type Tensor } from '@mien/tensor';
import { expectInteger, expectOptions, expectTensor, optionNames } from '@mien/tensor/internal';
import { defaultUniform } from '../init.ts';
import type { FusedForward } from '../layer.ts';
import { Module, parameter } from '../module.ts';

export interface LinearOptions extends RandomOptions {
  /** Whether there is a bias. Default true. */
  readonly bias?: boolean;
}

const linearOptions = optionNames<LinearOptions>({ bias: true, generator: true });

/** y = x weight^T + bias: [..., inFeatures] to [..., outFeatures]. */
export class Linear extends Module {
  /** [outFeatures, inFeatures] */
  readonly weight: Tensor;
  /** [outFeatures] */
  readonly bias: Tensor | null;

  constructor(inFeatures: number, outFeatures: number, options: LinearOptions = {}) {
    super();
    expectOptions('Linear', options, linearOptions);
    expectInteger('Linear', 'inFeatures', inFeatures);
    expectInteger('Linear', 'outFeatures', outFeatures);
    this.weight = parameter(defaultUniform([outFeatures, inFeatures], inFeatures, options));
    this.bias = (options.bias ?? true) ? parameter(defaultUniform([outFeatures], inFeatures, options)) : null;
  }

  /** The product; with `relu`, max(., 0) of it in the same pass. */
  forward(x: Tensor, epilogue: Pick<Epilogue, 'relu'> = {}): Tensor {
    expectTensor('Linear', 'x', x);
    expectOptions('Linear', epilogue, ['relu']);
    const [, inFeatures] = this.weight.shape;
    if (x.shape.at(-1) !== inFeatures) {
      throw new ShapeError(
        `Linear: expected x [..., ${inFeatures}], got [${x.shape.join(', ')}]; check inFeatures or the previous layer`,
      );
    }
    return linear(x, this.weight, this.bias, epilogue);
  }

  /** The forward with relu in the same pass. */
  fuse({ norm, residual, relu = false }: Epilogue): FusedForward | null {
    return norm || residual ? null : (x) => this.forward(x, { relu });
  }
}
