// Initial values of weights. Shapes are [outputs, inputs / groups, ...kernel], as of Linear and Conv2d.
// Glorot and Bengio (2010) for xavier, He et al. (2015) for kaiming; gains and defaults are PyTorch's.
import {
  expectList,
  expectNumber,
  expectOneOf,
  expectOptions,
  noGrad,
  type RandomOptions,
  rand,
  randn,
  ShapeError,
  scope,
  type Tensor,
} from '@mien/tensor';

/** What follows the weight, which decides the gain. */
export type Nonlinearity = 'linear' | 'sigmoid' | 'tanh' | 'relu' | 'leakyRelu';

export interface KaimingOptions extends RandomOptions {
  /** Keeps the variance of the forward or of the backward pass. Default `fanIn`. */
  readonly mode?: 'fanIn' | 'fanOut';
  /** Default `leakyRelu`. */
  readonly nonlinearity?: Nonlinearity;
  /** Of leakyRelu. Default 0, which makes it relu. */
  readonly slope?: number;
}

export interface XavierOptions extends RandomOptions {
  readonly gain?: number;
}

/** The factor that keeps the scale of activations through a nonlinearity. */
export function gain(nonlinearity: Nonlinearity, slope = 0.01): number {
  expectOneOf('gain', 'nonlinearity', nonlinearity, ['linear', 'sigmoid', 'tanh', 'relu', 'leakyRelu']);
  expectNumber('gain', 'slope', slope);
  if (nonlinearity === 'tanh') return 5 / 3;
  if (nonlinearity === 'relu') return Math.SQRT2;
  if (nonlinearity === 'leakyRelu') return Math.sqrt(2 / (1 + slope * slope));
  return 1;
}

/** Inputs that one output sums, and outputs that one input goes to. Throws ShapeError below two dimensions. */
export function fans(shape: readonly number[]): { readonly fanIn: number; readonly fanOut: number } {
  expectList('init', 'shape', shape);
  const [outputs, inputs, ...kernel] = shape;
  if (outputs === undefined || inputs === undefined) {
    throw new ShapeError(`init: a weight needs two dimensions or more, got [${shape.join(', ')}]`);
  }
  const taps = kernel.reduce((product, size) => product * size, 1);
  return { fanIn: inputs * taps, fanOut: outputs * taps };
}

/** Uniform in [-bound, bound), the same values on every adapter. */
export function uniform(shape: readonly number[], bound: number, options: RandomOptions = {}): Tensor {
  expectNumber('uniform', 'bound', bound);
  // rand - 1/2 is exact in float32, so the product rounds once, however the adapter contracts.
  return scope(() =>
    noGrad(() =>
      rand(shape, options)
        .sub(0.5)
        .mul(2 * bound),
    ),
  );
}

/** Normal with mean 0 and the given deviation. */
export function normal(shape: readonly number[], deviation: number, options: RandomOptions = {}): Tensor {
  expectNumber('normal', 'deviation', deviation);
  return scope(() => noGrad(() => randn(shape, options).mul(deviation)));
}

/** Uniform in +-gain * sqrt(3 / fan). */
export function kaimingUniform(shape: readonly number[], options: KaimingOptions = {}): Tensor {
  return uniform(shape, Math.sqrt(3) * kaimingDeviation(shape, options), random(options));
}

/** Normal with deviation gain / sqrt(fan). */
export function kaimingNormal(shape: readonly number[], options: KaimingOptions = {}): Tensor {
  return normal(shape, kaimingDeviation(shape, options), random(options));
}

/** Uniform in +-gain * sqrt(6 / (fanIn + fanOut)). */
export function xavierUniform(shape: readonly number[], options: XavierOptions = {}): Tensor {
  return uniform(shape, Math.sqrt(3) * xavierDeviation(shape, options), random(options));
}

/** Normal with deviation gain * sqrt(2 / (fanIn + fanOut)). */
export function xavierNormal(shape: readonly number[], options: XavierOptions = {}): Tensor {
  return normal(shape, xavierDeviation(shape, options), random(options));
}

function kaimingDeviation(shape: readonly number[], options: KaimingOptions): number {
  expectOptions('kaiming', options);
  expectOneOf('kaiming', 'mode', options.mode ?? 'fanIn', ['fanIn', 'fanOut']);
  const { mode = 'fanIn', nonlinearity = 'leakyRelu', slope = 0 } = options;
  return gain(nonlinearity, slope) / Math.sqrt(fans(shape)[mode]);
}

function xavierDeviation(shape: readonly number[], options: XavierOptions): number {
  expectOptions('xavier', options);
  const { fanIn, fanOut } = fans(shape);
  return (options.gain ?? 1) * Math.sqrt(2 / (fanIn + fanOut));
}

function random({ generator }: RandomOptions): RandomOptions {
  return generator ? { generator } : {};
}

/** PyTorch's default for linear layers and convolutions: weight and bias uniform in +-1 / sqrt(fanIn). */
export function defaultUniform(shape: readonly number[], fanIn: number, options: RandomOptions): Tensor {
  return uniform(shape, 1 / Math.sqrt(fanIn), random(options));
}
