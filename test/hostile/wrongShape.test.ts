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

/** Shapes that do not fit, and what is said of them: both of them, and where. */
const cases: Readonly<Record<string, readonly [() => unknown, string]>> = {
  'rows of different length': [() => tensor([[1, 2], [3]]), 'rows at depth 1 hold 2 values, got 1 values'],
  'too few values': [() => tensor([1, 2, 3], { shape: [2, 2] }), 'shape [2, 2] holds 4 values, got 3'],
  'nine dimensions': [() => zeros([1, 1, 1, 1, 1, 1, 1, 1, 1]), 'at most 8 dimensions'],
  'sizes that do not broadcast': [
    () => zeros([2, 6]).add(zeros([4])),
    '[2, 6] and [4] do not broadcast: 6 and 4 at dimension -1; sizes must be equal or 1',
  ],
  'inner sizes of a product': [() => zeros([2, 3]).matmul(zeros([2, 3])), 'matmul: '],
  'another number of elements': [
    () => zeros([6]).reshape([4, -1]),
    'reshape: [6] has 6 elements, [4, -1] does not hold them',
  ],
  'sizes that do not stretch': [() => zeros([6]).expand([2, 5]), 'expand: [6] does not stretch to [2, 5]'],
  'parts that differ': [() => cat([zeros([2, 2]), zeros([2, 3])], 0), 'cat: [2, 2] and [2, 3] differ beside dim 0'],
  'stacked parts that differ': [() => stack([zeros([2]), zeros([3])]), 'differ beside'],
  'channels of a convolution': [
    () => conv2d(zeros([1, 3, 8, 8]), zeros([4, 2, 3, 3]), null),
    'weight expects 2 input channels, x has 3 (x [1, 3, 8, 8], weight [4, 2, 3, 3])',
  ],
  'a window larger than the image': [() => conv2d(zeros([1, 1, 2, 2]), zeros([1, 1, 3, 3]), null), 'conv2d: '],
  'a bias of another length': [
    () => conv2d(zeros([1, 1, 4, 4]), zeros([2, 1, 3, 3]), zeros([3])),
    'bias expects [2], one for each output channel, got [3]',
  ],
  'channels of a transposed convolution': [
    () => convTranspose2d(zeros([1, 3, 4, 4]), zeros([2, 4, 3, 3]), null),
    'convTranspose2d: ',
  ],
  'a pooling window larger than the image': [
    () => maxPool2d(zeros([1, 1, 2, 2]), { kernelSize: 3 }),
    'windows of [3, 3] do not fit into [2, 2]',
  ],
  'an image without channels': [
    () => avgPool2d(zeros([4, 4]), { kernelSize: 2 }),
    'x expects [N, C, H, W] or [C, H, W], got [4, 4]',
  ],
  'a scale of another length': [
    () =>
      batchNorm(zeros([2, 3]), { weight: zeros([2]), bias: null, runningMean: null, runningVar: null, training: true }),
    'weight expects [3], one for each channel of x [2, 3], got [2]',
  ],
  'features of a layer': [() => new Linear(4, 2, { generator: new Generator(0) }).forward(zeros([1, 3])), '[1, 3]'],
  'targets of another batch': [
    () => crossEntropy(zeros([3, 7]), tensor([1, 2], { dtype: 'int32' })),
    'for [3, 7] the target expects [3], got int32 [2]',
  ],
  'a gradient of another shape': [
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

for (const [what, [act, sentence]] of Object.entries(cases)) {
  test(`a wrong shape, ${what}, is refused at the call`, () => refuses(act, ShapeError, sentence));
}
