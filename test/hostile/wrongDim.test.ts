import { cat, gather, logSoftmax, softmax, stack, tensor, ValueError, zeros } from '@mien/tensor';
import { refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

/** Dimensions out of range, and the expected messages. */
const cases: Readonly<Record<string, readonly [() => unknown, string]>> = {
  'sum refuses a dimension beyond the last': [
    () => zeros([2, 3]).sum(2),
    'sum: dim must be an integer from -2 to 1, got 2',
  ],
  'sum refuses a dimension before the first': [
    () => zeros([2, 3]).sum(-3),
    'sum: dim must be an integer from -2 to 1, got -3',
  ],
  'sum refuses a fractional dimension': [
    () => zeros([2, 3]).sum(0.5),
    'sum: dim must be an integer from -2 to 1, got 0.5',
  ],
  'sum refuses a repeated dimension': [() => zeros([2, 3]).sum([0, -2]), 'dims must be distinct'],
  'flip refuses a repeated dimension': [() => zeros([2, 3]).flip([1, -1]), 'dims must be distinct'],
  'argmax refuses a dimension of a scalar': [
    () => zeros([]).argmax(0),
    'argmax: expected a tensor with dimensions, got a scalar',
  ],
  'softmax refuses a dimension beyond the last': [
    () => softmax(zeros([2]), 1),
    'softmax: dim must be an integer from -1 to 0, got 1',
  ],
  'logSoftmax refuses a dimension beyond the last': [
    () => logSoftmax(zeros([2]), 1),
    'logSoftmax: dim must be an integer from -1 to 0, got 1',
  ],
  'transpose refuses a dimension beyond the last': [
    () => zeros([2, 3]).transpose(0, 2),
    'transpose: dim must be an integer from -2 to 1, got 2',
  ],
  'permute refuses a repeated dimension': [
    () => zeros([2, 3]).permute([0, 0]),
    'order must name each dimension of [2, 3] once',
  ],
  'permute refuses a missing dimension': [
    () => zeros([2, 3]).permute([0]),
    'order must name each dimension of [2, 3] once',
  ],
  'slice refuses a dimension beyond the last': [
    () => zeros([2]).slice(1, 0, 1),
    'slice: dim must be an integer from -1 to 0, got 1',
  ],
  'cat refuses scalars': [() => cat([zeros([]), zeros([])], 0), 'cat: expected a tensor with dimensions, got a scalar'],
  'stack refuses a dimension beyond the new last': [
    () => stack([zeros([2])], 2),
    'stack: dim must be an integer from -2 to 1, got 2',
  ],
  'gather refuses a dimension beyond the last': [
    () => gather(zeros([2]), 1, tensor([0], { dtype: 'int32' })),
    'gather: dim must be an integer from -1 to 0, got 1',
  ],
};

for (const [title, [call, message]] of Object.entries(cases)) {
  test(title, () => refuses(call, ValueError, message));
}
