import { crossEntropy, Linear } from '@mien/nn';
import {
  avgPool2d,
  batchNorm,
  cat,
  conv2d,
  convTranspose2d,
  Generator,
  maxPool2d,
  ShapeError,
  stack,
  type Tensor,
  tensor,
  zeros,
} from '@mien/tensor';
import { refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

/** Shapes that do not match, and the expected messages. */
const cases: Readonly<Record<string, readonly [() => unknown, string]>> = {
  'tensor refuses rows of different lengths': [
    () => tensor([[1, 2], [3]]),
    'expected rows of 2 values at depth 1, got 1',
  ],
  'tensor refuses too few values': [
    () => tensor([1, 2, 3], { shape: [2, 2] }),
    'expected 4 values for shape [2, 2], got 3',
  ],
  'zeros refuses nine dimensions': [() => zeros([1, 1, 1, 1, 1, 1, 1, 1, 1]), 'expected at most 8 dimensions'],
  'add refuses sizes that do not broadcast': [
    () => zeros([2, 6]).add(zeros([4])),
    '[2, 6] and [4] do not broadcast: 6 and 4 at dimension -1; sizes must be equal or 1',
  ],
  'matmul refuses different inner sizes': [() => zeros([2, 3]).matmul(zeros([2, 3])), 'matmul: '],
  'reshape refuses another number of elements': [
    () => zeros([6]).reshape([4, -1]),
    'reshape: expected a shape of 6 elements for [6], got [4, -1]',
  ],
  'expand refuses other sizes': [
    () => zeros([6]).expand([2, 5]),
    'expand: expected a shape that [6] broadcasts to, got [2, 5]',
  ],
  'cat refuses other sizes': [
    () => cat([zeros([2, 2]), zeros([2, 3])], 0),
    'cat: expected sizes that agree except along dim 0, got [2, 2] and [2, 3]',
  ],
  'stack refuses different shapes': [
    () => stack([zeros([2]), zeros([3])]),
    'expected sizes that agree except along dim',
  ],
  'conv2d refuses other input channels': [
    () => conv2d(zeros([1, 3, 8, 8]), zeros([4, 2, 3, 3]), null),
    'expected x with 2 channels for weight [4, 2, 3, 3], got 3 (x [1, 3, 8, 8])',
  ],
  'conv2d refuses a window larger than the image': [
    () => conv2d(zeros([1, 1, 2, 2]), zeros([1, 1, 3, 3]), null),
    'conv2d: ',
  ],
  'conv2d refuses a bias of another length': [
    () => conv2d(zeros([1, 1, 4, 4]), zeros([2, 1, 3, 3]), zeros([3])),
    'expected bias of shape [2], one value per output channel, got [3]',
  ],
  'convTranspose2d refuses other input channels': [
    () => convTranspose2d(zeros([1, 3, 4, 4]), zeros([2, 4, 3, 3]), null),
    'convTranspose2d: ',
  ],
  'maxPool2d refuses a window larger than the image': [
    () => maxPool2d(zeros([1, 1, 2, 2]), { kernelSize: 3 }),
    'windows of [3, 3] do not fit into [2, 2]',
  ],
  'avgPool2d refuses an image without channels': [
    () => avgPool2d(zeros([4, 4]), { kernelSize: 2 }),
    'expected x of shape [N, C, H, W] or [C, H, W], got [4, 4]',
  ],
  'batchNorm refuses a weight of another length': [
    () =>
      batchNorm(zeros([2, 3]), { weight: zeros([2]), bias: null, runningMean: null, runningVar: null, training: true }),
    'expected weight of shape [3], one value per channel of x [2, 3], got [2]',
  ],
  'Linear refuses other input features': [
    () => new Linear(4, 2, { generator: new Generator(0) }).forward(zeros([1, 3])),
    '[1, 3]',
  ],
  'crossEntropy refuses targets of another batch size': [
    () => crossEntropy(zeros([3, 7]), tensor([1, 2], { dtype: 'int32' })),
    'crossEntropy: expected target [3] for [3, 7], got int32 [2]',
  ],
  'backward refuses a gradient of another shape': [
    () =>
      leaf()
        .mul(2)
        .backward(zeros([3])),
    'backward: the tensor is [2], the gradient [3]',
  ],
};

function leaf(): Tensor {
  return tensor([1, 2], { requiresGrad: true });
}

for (const [title, [call, message]] of Object.entries(cases)) {
  test(title, () => refuses(call, ShapeError, message));
}
