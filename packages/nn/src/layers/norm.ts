import countBatch from '@mien/shaders/norm/countBatch.wgsl';
import {
  type BatchNormParameters,
  batchNorm,
  type Epilogue,
  kernel,
  ones,
  recomputing,
  run,
  ShapeError,
  type Tensor,
  zeros,
} from '@mien/tensor';
import { expectInteger, expectNumber, expectOptions, expectTensor, optionNames } from '@mien/tensor/internal';
import { epilogueOptions, type FusedForward } from '../layer.ts';
import { buffer, Module, parameter } from '../module.ts';

const count = kernel(countBatch);

export interface BatchNormOptions {
  /** Weight of the new batch in the running statistics. Default 0.1. */
  readonly momentum?: number;
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

const batchNormOptions = optionNames<BatchNormOptions>({ momentum: true, eps: true });

/** Base of BatchNorm1d and BatchNorm2d, which differ in the ranks of x. Ioffe and Szegedy (2015). */
abstract class BatchNorm extends Module {
  /** [numFeatures] */
  readonly weight: Tensor;
  /** [numFeatures] */
  readonly bias: Tensor;
  /** [numFeatures] */
  readonly runningMean: Tensor;
  /** [numFeatures], unbiased variances. */
  readonly runningVar: Tensor;
  /** The number of training batches: one int32. */
  readonly numBatchesTracked: Tensor;
  readonly #momentum: number;
  readonly #eps: number;

  constructor(numFeatures: number, options: BatchNormOptions = {}) {
    super();
    const name = this.constructor.name;
    expectInteger(name, 'numFeatures', numFeatures);
    expectOptions(name, options, batchNormOptions);
    this.#momentum = options.momentum ?? 0.1;
    this.#eps = options.eps ?? 1e-5;
    expectNumber(name, 'momentum', this.#momentum, 0, 1);
    expectNumber(name, 'eps', this.#eps, 0);
    this.weight = parameter(ones([numFeatures]));
    this.bias = parameter(zeros([numFeatures]));
    this.runningMean = buffer(zeros([numFeatures]));
    this.runningVar = buffer(ones([numFeatures]));
    this.numBatchesTracked = buffer(zeros([], { dtype: 'int32' }));
  }

  protected abstract readonly ranks: readonly number[];

  /** Normalizes x; with an epilogue relu(normalized x + residual) in the same pass. */
  forward(x: Tensor, epilogue: Omit<Epilogue, 'norm'> = {}): Tensor {
    expectTensor(this.constructor.name, 'x', x);
    expectOptions(this.constructor.name, epilogue, epilogueOptions);
    if (!this.ranks.includes(x.rank)) {
      throw new ShapeError(
        `${this.constructor.name}: expected x of ${this.ranks.join(' or ')} dimensions, got [${x.shape.join(', ')}]`,
      );
    }
    if (this.training && !recomputing()) run(count, { batches: this.numBatchesTracked }, {}, 1);
    return batchNorm(x, { ...this.batchNormParameters(), ...epilogue });
  }

  /** The forward with a residual and relu in the same pass. */
  fuse({ norm, ...epilogue }: Epilogue): FusedForward | null {
    return norm ? null : (x) => this.forward(x, epilogue);
  }

  /** This layer's arguments of `batchNorm`. */
  protected batchNormParameters(): BatchNormParameters {
    const { weight, bias, runningMean, runningVar, training } = this;
    return { weight, bias, runningMean, runningVar, training, momentum: this.#momentum, eps: this.#eps };
  }
}

/** Batch normalization of x [N, C] or [N, C, L] over all dimensions except C. */
export class BatchNorm1d extends BatchNorm {
  protected get ranks(): readonly number[] {
    return [2, 3];
  }
}

/** Batch normalization of x [N, C, H, W] over all dimensions except C. */
export class BatchNorm2d extends BatchNorm {
  protected get ranks(): readonly number[] {
    return [4];
  }

  /** In evaluation, the normalization: Sequential computes it with the previous layer where that can. */
  asEpilogue(): Epilogue | null {
    return this.training ? null : { norm: this.batchNormParameters() };
  }
}
