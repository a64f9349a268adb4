import countBatch from '@mien/shaders/norm/countBatch.wgsl';
import {
  type BatchNormParameters,
  batchNorm,
  expectInteger,
  expectNumber,
  expectOptions,
  expectTensor,
  kernel,
  ones,
  recomputing,
  run,
  ShapeError,
  type Tensor,
  zeros,
} from '@mien/tensor';
import { buffer, Module, parameter } from '../module.ts';

const count = kernel(countBatch);

export interface BatchNormOptions {
  /** Weight of the newest batch in the running statistics. Default 0.1. */
  readonly momentum?: number;
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

/** What is done to a layer's result, in the same pass where the layer is a batch normalization. */
export interface Epilogue {
  /** Added to the result: of its shape. */
  readonly residual?: Tensor;
  /** Whether max(., 0) is taken, after the sum. Default false. */
  readonly relu?: boolean;
}

/** What BatchNorm1d and BatchNorm2d share; they differ in the ranks they accept. Ioffe and Szegedy (2015). */
abstract class BatchNorm extends Module {
  /** [features] */
  readonly weight: Tensor;
  /** [features] */
  readonly bias: Tensor;
  /** [features] */
  readonly runningMean: Tensor;
  /** [features], of the unbiased variances. */
  readonly runningVar: Tensor;
  /** Batches seen in training: one int32. */
  readonly numBatchesTracked: Tensor;
  readonly #momentum: number;
  readonly #eps: number;

  constructor(features: number, options: BatchNormOptions = {}) {
    super();
    const name = this.constructor.name;
    expectInteger(name, 'features', features);
    expectOptions(name, options);
    this.#momentum = options.momentum ?? 0.1;
    this.#eps = options.eps ?? 1e-5;
    expectNumber(name, 'momentum', this.#momentum, 0, 1);
    expectNumber(name, 'eps', this.#eps, 0);
    this.weight = parameter(ones([features]));
    this.bias = parameter(zeros([features]));
    this.runningMean = buffer(zeros([features]));
    this.runningVar = buffer(ones([features]));
    this.numBatchesTracked = buffer(zeros([], { dtype: 'int32' }));
  }

  protected abstract readonly ranks: readonly number[];

  /** Normalizes x; with an epilogue relu(normalized x + residual), which costs nothing more. */
  forward(x: Tensor, epilogue: Epilogue = {}): Tensor {
    expectTensor(this.constructor.name, 'x', x);
    expectOptions(this.constructor.name, epilogue);
    if (!this.ranks.includes(x.rank)) {
      throw new ShapeError(
        `${this.constructor.name}: expects ${this.ranks.join(' or ')} dimensions, x is [${x.shape.join(', ')}]`,
      );
    }
    if (this.training && !recomputing()) run(count, { batches: this.numBatchesTracked }, {}, 1);
    return batchNorm(x, this.parametersFor(epilogue));
  }

  /** What `batchNorm` is told of this layer and an epilogue. */
  parametersFor(epilogue: Epilogue): BatchNormParameters {
    const { weight, bias, runningMean, runningVar, training } = this;
    const options = { momentum: this.#momentum, eps: this.#eps, ...epilogue };
    return { weight, bias, runningMean, runningVar, training, ...options };
  }
}

/** Batch normalization of x [N, C] or [N, C, L] over all dimensions but C. */
export class BatchNorm1d extends BatchNorm {
  protected get ranks(): readonly number[] {
    return [2, 3];
  }
}

/** Batch normalization of x [N, C, H, W] over all dimensions but C. */
export class BatchNorm2d extends BatchNorm {
  protected get ranks(): readonly number[] {
    return [4];
  }
}
