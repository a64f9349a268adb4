import { avgPool2d, conv2d, convTranspose2d, maxPool2d, pad, type Tensor, ValueError, zeros } from '@mien/tensor';
import { refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const x = (): Tensor => zeros([1, 2, 5, 5]);
const weight = (): Tensor => zeros([2, 2, 3, 3]);

/** Negative, zero and fractional strides, paddings and sizes, and the expected messages. */
const cases: Readonly<Record<string, readonly [() => unknown, string]>> = {
  'slice refuses step -1': [
    () => x().slice(2, 0, 5, -1),
    'slice: step must be a positive integer, got -1; reverse with flip',
  ],
  'slice refuses step 0': [() => x().slice(2, 0, 5, 0), 'slice: step must be a positive integer, got 0'],
  'slice refuses a fractional start': [
    () => x().slice(2, 0.5, 2),
    'slice: start and end must be integers, got 0.5 and 2',
  ],
  'conv2d refuses stride -1': [() => conv2d(x(), weight(), null, { stride: -1 }), 'stride'],
  'conv2d refuses stride [1, 0]': [() => conv2d(x(), weight(), null, { stride: [1, 0] }), 'stride'],
  'conv2d refuses padding -1': [() => conv2d(x(), weight(), null, { padding: -1 }), 'padding'],
  'conv2d refuses dilation 0': [() => conv2d(x(), weight(), null, { dilation: 0 }), 'dilation'],
  'conv2d refuses stride NaN': [() => conv2d(x(), weight(), null, { stride: Number.NaN }), 'stride'],
  'conv2d refuses groups -1': [() => conv2d(x(), weight(), null, { groups: -1 }), 'groups'],
  'convTranspose2d refuses stride -2': [() => convTranspose2d(x(), weight(), null, { stride: -2 }), 'stride'],
  'convTranspose2d refuses output padding equal to the stride': [
    () => convTranspose2d(x(), weight(), null, { stride: 2, outputPadding: 2 }),
    'outputPadding',
  ],
  'maxPool2d refuses stride -1': [
    () => maxPool2d(x(), { kernelSize: 2, stride: -1 }),
    'stride must be one or two integers of at least 1, got -1',
  ],
  'maxPool2d refuses kernelSize 0': [
    () => maxPool2d(x(), { kernelSize: 0 }),
    'kernelSize must be one or two integers of at least 1, got 0',
  ],
  'maxPool2d refuses padding over half of the window': [
    () => maxPool2d(x(), { kernelSize: 2, padding: 2 }),
    'padding must be at most half the window of 2, got 2',
  ],
  'avgPool2d refuses padding -1': [
    () => avgPool2d(x(), { kernelSize: 2, padding: -1 }),
    'padding must be one or two integers of at least 0, got -1',
  ],
  'pad refuses -1': [
    () => pad(zeros([3]), [[-1, 0]]),
    'pad: expected [before, after], non-negative integers, for each of the 1 dimensions',
  ],
};

for (const [title, [call, message]] of Object.entries(cases)) {
  test(title, () => refuses(call, ValueError, message));
}
