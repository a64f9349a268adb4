// Laws of every algorithm of a convolution, its transpose and its weight gradient.
import { conv2d, convTranspose2d, type Tensor } from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { near, toTensor } from '@mien/tensor/testing';
import {
  type ConvCase,
  type ConvSpec,
  convValues,
  forwardCases,
  optionsOf,
  outputPaddingOf,
  transposeCases,
  weightGradientCases,
} from './conv.ts';
import type { AlgorithmLaw } from './laws.ts';

/** conv2d with and without bias. */
export const forwardLaw: AlgorithmLaw<ConvSpec, ConvCase> = {
  operation: 'conv2d',
  sentence: (name) => `conv2d by ${name} equals its reference for any case that it fits, with and without bias`,
  cases: forwardCases,
  values: convValues,
  property: async ({ spec, x, weight, bias }) => {
    const options = optionsOf(spec);
    for (const b of [bias, null])
      await near(
        conv2d(toTensor(x), toTensor(weight), b && toTensor(b), options),
        reference.conv2d(x, weight, b, options),
      );
  },
};

/** convTranspose2d with and without bias. */
export const transposeLaw: AlgorithmLaw<ConvSpec, ConvCase> = {
  operation: 'convTranspose2d',
  sentence: (name) =>
    `convTranspose2d by ${name} equals its reference for any case that it fits, with and without bias`,
  cases: transposeCases,
  values: convValues,
  property: async ({ spec, dy, weight, inputBias }) => {
    const options = { ...optionsOf(spec), outputPadding: outputPaddingOf(spec) };
    for (const b of [inputBias, null])
      await near(
        convTranspose2d(toTensor(dy), toTensor(weight), b && toTensor(b), options),
        reference.convTranspose2d(dy, weight, b, options),
      );
  },
};

/** The gradient of conv2d by its weight alone. */
export const weightGradientLaw: AlgorithmLaw<ConvSpec, ConvCase> = {
  operation: 'conv2dWeightGradient',
  sentence: (name) => `the weight gradient of conv2d by ${name} equals its reference for any case that it fits`,
  cases: weightGradientCases,
  values: convValues,
  property: async ({ spec, x, weight, dy }) => {
    const [options, leaf] = [optionsOf(spec), toTensor(weight, { requiresGrad: true })];
    conv2d(toTensor(x), leaf, null, options).backward(toTensor(dy));
    await near(leaf.grad as Tensor, reference.conv2dWeightGradient(x, dy, weight.shape, options));
  },
};
