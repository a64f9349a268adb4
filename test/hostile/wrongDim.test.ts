import { cat, gather, logSoftmax, softmax, stack, tensor, ValueError, zeros } from '@mien/tensor';
import { refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

/** Dimensions out of range, and the expected messages. */
const cases: Readonly<Record<string, readonly [() => unknown, string]>> = {
  'sum refuses a dimension beyond the last': [() => zeros([2, 3]).sum(2), 'sum: dim 2 is not in -2..1'],
  'sum refuses a dimension before the first': [() => zeros([2, 3]).sum(-3), 'sum: dim -3 is not in -2..1'],
  'sum refuses a fractional dimension': [() => zeros([2, 3]).sum(0.5), 'sum: dim 0.5 is not in -2..1'],
  'sum refuses a repeated dimension': [() => zeros([2, 3]).sum([0, -2]), 'name one twice'],
  'flip refuses a repeated dimension': [() => zeros([2, 3]).flip([1, -1]), 'name one twice'],
  'argmax refuses a dimension of a scalar': [() => zeros([]).argmax(0), 'argmax: dim 0 of a tensor without dimensions'],
  'softmax refuses a dimension beyond the last': [() => softmax(zeros([2]), 1), 'softmax: dim 1 is not in -1..0'],
  'logSoftmax refuses a dimension beyond the last': [
    () => logSoftmax(zeros([2]), 1),
    'logSoftmax: dim 1 is not in -1..0',
  ],
  'transpose refuses a dimension beyond the last': [
    () => zeros([2, 3]).transpose(0, 2),
    'transpose: dim 2 is not in -2..1',
  ],
  'permute refuses a repeated dimension': [
    () => zeros([2, 3]).permute([0, 0]),
    'must name each dimension of [2, 3] once',
  ],
  'permute refuses a missing dimension': [() => zeros([2, 3]).permute([0]), 'must name each dimension of [2, 3] once'],
  'slice refuses a dimension beyond the last': [() => zeros([2]).slice(1, 0, 1), 'slice: dim 1 is not in -1..0'],
  'cat refuses scalars': [() => cat([zeros([]), zeros([])], 0), 'cat: dim 0 of a tensor without dimensions'],
  'stack refuses a dimension beyond the new last': [() => stack([zeros([2])], 2), 'stack: dim 2 is not in -2..1'],
  'gather refuses a dimension beyond the last': [
    () => gather(zeros([2]), 1, tensor([0], { dtype: 'int32' })),
    'gather: dim 1 is not in -1..0',
  ],
};

for (const [title, [call, message]] of Object.entries(cases)) {
  test(title, () => refuses(call, ValueError, message));
}
