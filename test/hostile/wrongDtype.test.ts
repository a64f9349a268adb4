import { conv2d, DtypeError, gather, maxPool2d, softmax, type Tensor, tensor, where, zeros } from '@mien/tensor';
import { refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const int32 = (): Tensor => tensor([1, 2], { dtype: 'int32' });

/** Element types that an operation does not accept, and the expected messages. */
const cases: Readonly<Record<string, readonly [() => unknown, string]>> = {
  'add refuses mixed dtypes': [
    () => zeros([2]).add(int32()),
    'add: expected a and b of one dtype, got float32 and int32; convert one with to(dtype)',
  ],
  'div refuses integers': [
    () => int32().div(2),
    "div: expected a to be float32, got int32; convert with to('float32')",
  ],
  'mean refuses integers': [() => int32().mean(), 'mean: expected x to be float32, got int32'],
  'add refuses booleans': [
    () => tensor([true]).add(tensor([true])),
    'add: expected a to be float32 or int32 or uint32, got bool',
  ],
  'where refuses a condition of numbers': [
    () => where(zeros([2]), 1, 2),
    'where: expected condition to be bool, got float32',
  ],
  'gather refuses a float index': [
    () => gather(zeros([2]), 0, zeros([2])),
    'gather: expected index to be int32 or uint32, got float32',
  ],
  'tensor refuses requiresGrad for integers': [
    () => tensor([1], { dtype: 'int32', requiresGrad: true }),
    'only float32 has gradients, got int32',
  ],
  'backward refuses a gradient of integers': [
    () => tensor([1, 2], { requiresGrad: true }).mul(2).backward(int32()),
    'backward: expected the gradient to be float32',
  ],
  'tensor refuses an assigned gradient of integers': [
    () => {
      tensor([1, 2], { requiresGrad: true }).grad = int32();
    },
    'grad: expected the gradient to be float32, got int32',
  ],
  'softmax refuses integers': [() => softmax(int32(), 0), 'softmax: expected x to be float32'],
  'maxPool2d refuses integers': [
    () => maxPool2d(zeros([1, 1, 2, 2], { dtype: 'int32' }), { kernelSize: 2 }),
    'maxPool2d: expected x to be float32',
  ],
  'conv2d refuses integers': [
    () => conv2d(zeros([1, 1, 3, 3], { dtype: 'int32' }), zeros([1, 1, 3, 3]), null),
    'conv2d: expected x to be float32',
  ],
  // Values out of range would be truncated or wrapped silently: 4294967295 > -1 would be false.
  'tensor refuses a fraction as int32': [
    () => tensor([1, 1.5], { dtype: 'int32' }),
    'int32 does not hold 1.5 (element 1)',
  ],
  'add refuses NaN as int32': [
    () => zeros([2], { dtype: 'int32' }).add(Number.NaN),
    'add: expected a number that int32 can represent, got NaN',
  ],
  'gt refuses a negative value as uint32': [
    () => zeros([2], { dtype: 'uint32' }).gt(-1),
    'gt: expected a number that uint32 can represent, got -1',
  ],
  'lt refuses an integer beyond int32': [
    () => int32().lt(2 ** 31),
    'lt: expected a number that int32 can represent, got 2147483648',
  ],
  'eq refuses 2 as bool': [() => tensor([true]).eq(2), 'eq: expected a number that bool can represent, got 2'],
};

for (const [title, [call, message]] of Object.entries(cases)) {
  test(title, () => refuses(call, DtypeError, message));
}
