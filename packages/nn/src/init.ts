// Initial values of weights. Shapes are [outputs, inputs / groups, ...kernel], as in Linear and Conv2d.
// Glorot and Bengio (2010) for xavier, He et al. (2015) for kaiming; gains and defaults are PyTorch's. Where torch.nn.init
// fills a tensor in place, these return a new one.

import { noGrad, type RandomOptions, rand, randn, ShapeError, scope, type Tensor } from '@mien/tensor';
import { expectList, expectNumber, expectOneOf, expectOptions, optionNames } from '@mien/tensor/internal';

/** The activation after the weight, which determines the gain. */
export type Nonlinearity = 'linear' | 'sigmoid' | 'tanh' | 'relu' | 'leakyRelu';

export interface KaimingOptions extends RandomOptions {
  /** Whether the variance of the forward (`fanIn`) or the backward pass (`fanOut`) is preserved. Default `fanIn`. */
  readonly mode?: 'fanIn' | 'fanOut';
  /** Default `leakyRelu`. */
  readonly nonlinearity?: Nonlinearity;
  /** Slope of leakyRelu for negative inputs. Default 0, as in relu. */
  readonly negativeSlope?: number;
}

export interface XavierOptions extends RandomOptions {
  /** Default 1. */
  readonly gain?: number;
}

const kaimingOptions = optionNames<KaimingOptions>({
  ...{ mode: true, nonlinearity: true, negativeSlope: true, generator: true },
});
const xavierOptions = optionNames<XavierOptions>({ gain: true, generator: true });

/** The factor by which weights grow so that a nonlinearity preserves the scale of activations. */
export function calculateGain(nonlinearity: Nonlinearity, negativeSlope = 0.01): number {
  expectOneOf('calculateGain', 'nonlinearity', nonlinearity, ['linear', 'sigmoid', 'tanh', 'relu', 'leakyRelu']);
  expectNumber('calculateGain', 'negativeSlope', negativeSlope);
  if (nonlinearity === 'tanh') return 5 / 3;
  if (nonlinearity === 'relu') return Math.SQRT2;
  if (nonlinearity === 'leakyRelu') return Math.sqrt(2 / (1 + negativeSlope * negativeSlope));
  return 1;
}

/** Inputs per output, and outputs per input. Throws ShapeError for fewer than two dimensions. */
export function fans(shape: readonly number[]): { readonly fanIn: number; readonly fanOut: number } {
  expectList('init', 'shape', shape);
  const [outputs, inputs, ...kernel] = shape;
  if (outputs === undefined || inputs === undefined) {
    throw new ShapeError(`init: expected a weight of at least two dimensions, got [${shape.join(', ')}]`);
  }
  const taps = kernel.reduce((product, size) => product * size, 1);
  return { fanIn: inputs * taps, fanOut: outputs * taps };
}

/** Uniform in [-bound, bound); equal values on every adapter. */
export function uniform(shape: readonly number[], bound: number, options: RandomOptions = {}): Tensor {
  expectNumber('uniform', 'bound', bound);
  expectOptions('uniform', options, ['generator']);
  // rand - 1/2 is exact in float32, so the product rounds once, however the adapter contracts.
  return scope(() =>
    noGrad(() =>
      rand(shape, options)
        .sub(0.5)
        .mul(2 * bound),
    ),
  );
}

/** Normal with mean 0 and standard deviation `std`. */
export function normal(shape: readonly number[], std: number, options: RandomOptions = {}): Tensor {
  expectNumber('normal', 'std', std);
  expectOptions('normal', options, ['generator']);
  return scope(() => noGrad(() => randn(shape, options).mul(std)));
}

/** Uniform in +-gain * sqrt(3 / fan). */
export function kaimingUniform(shape: readonly number[], options: KaimingOptions = {}): Tensor {
  const std = kaimingStd('kaimingUniform', shape, options);
  return uniform(shape, Math.sqrt(3) * std, generatorOf(options));
}

/** Normal with standard deviation gain / sqrt(fan). */
export function kaimingNormal(shape: readonly number[], options: KaimingOptions = {}): Tensor {
  return normal(shape, kaimingStd('kaimingNormal', shape, options), generatorOf(options));
}

/** Uniform in +-gain * sqrt(6 / (fanIn + fanOut)). */
export function xavierUniform(shape: readonly number[], options: XavierOptions = {}): Tensor {
  const std = xavierStd('xavierUniform', shape, options);
  return uniform(shape, Math.sqrt(3) * std, generatorOf(options));
}

/** Normal with standard deviation gain * sqrt(2 / (fanIn + fanOut)). */
export function xavierNormal(shape: readonly number[], options: XavierOptions = {}): Tensor {
  return normal(shape, xavierStd('xavierNormal', shape, options), generatorOf(options));
}

function kaimingStd(name: string, shape: readonly number[], options: KaimingOptions): number {
  expectOptions(name, options, kaimingOptions);
  expectOneOf(name, 'mode', options.mode ?? 'fanIn', ['fanIn', 'fanOut']);
  const { mode = 'fanIn', nonlinearity = 'leakyRelu', negativeSlope = 0 } = options;
  return calculateGain(nonlinearity, negativeSlope) / Math.sqrt(fans(shape)[mode]);
}

function xavierStd(name: string, shape: readonly number[], options: XavierOptions): number {
  expectOptions(name, options, xavierOptions);
  const { fanIn, fanOut } = fans(shape);
  return (options.gain ?? 1) * Math.sqrt(2 / (fanIn + fanOut));
}

function generatorOf({ generator }: RandomOptions): RandomOptions {
  return generator ? { generator } : {};
}

/** Uniform in +-1 / sqrt(fanIn): PyTorch's default for the weight and bias of linear layers and convolutions. */
export function defaultUniform(shape: readonly number[], fanIn: number, options: RandomOptions): Tensor {
  return uniform(shape, 1 / Math.sqrt(fanIn), generatorOf(options));
}
