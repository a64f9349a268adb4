// A convolution and the batch normalization after it, in one pass outside training: the epilogue of the convolution's kernels
// normalizes by the running statistics. Nothing is folded into weights, so nothing can be out of date.

import { inspect } from '../anomaly.ts';
import { expectOptions } from '../arguments.ts';
import { gradEnabled } from '../autograd.ts';
import { scope } from '../runtime/scope.ts';
import { assign, empty, type Tensor } from '../tensor.ts';
import { conv2d, convolveInto, geometryOf } from './conv.ts';
import { type Conv2dOptions, convolutionOptions } from './convGeometry.ts';
import type { BatchNormParameters } from './epilogue.ts';
import { batchNorm, batchNormOptions, checkBatchNorm, ofRunning } from './norm.ts';

/**
 * `batchNorm` of `conv2d`, with `residual` and `relu`: [N, C, H, W] to [N, K, P, Q]. Outside training, if no gradient is
 * recorded, it runs in one pass and stores no intermediate result. Throws as the two do.
 */
export function convBatchNorm2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: Conv2dOptions,
  norm: BatchNormParameters,
): Tensor {
  expectOptions('convBatchNorm2d', options, convolutionOptions);
  expectOptions('convBatchNorm2d', norm, batchNormOptions);
  const { residual = null, relu = false, training } = norm;
  const inputs = [x, weight, bias, norm.weight, norm.bias, residual];
  if (training || (gradEnabled() && inputs.some((input) => input?.requiresGrad))) {
    return scope(() => batchNorm(conv2d(x, weight, bias, options), norm));
  }
  const y = scope(() => {
    const g = geometryOf(x, weight, bias, options);
    const y = empty([g.images, g.outputs, ...g.output]);
    checkBatchNorm(y, norm);
    const statistics = ofRunning(g.outputs, norm, bias);
    if (residual) assign(y, residual);
    convolveInto(y, x, weight, { statistics, adds: residual !== null, relu }, g);
    return y;
  });
  inspect('convBatchNorm2d', y, { x, weight, bias, residual });
  return y;
}
