import { arange, eye, LimitError, zeros } from '@mien/tensor';
import { refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

test('zeros, arange and eye refuse a tensor over the buffer size limit before they allocate', () => {
  refuses(() => zeros([2 ** 30, 2 ** 30]), LimitError, 'use a smaller batch');
  refuses(() => arange(0, 1e12), LimitError, 'arange: expected at most ');
  refuses(() => eye(1e6), LimitError, 'eye: expected at most ');
});
