import { conv2d, DtypeError, gather, maxPool2d, softmax, type Tensor, tensor, where, zeros } from '@mien/tensor';
import { refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const whole = (): Tensor => tensor([1, 2], { dtype: 'int32' });

/** Element types that an operation does not take, and what is said of them. */
const cases: Readonly<Record<string, readonly [() => unknown, string]>> = {
  'two types': [() => zeros([2]).add(whole()), 'add: a is float32 and b is int32; convert one with to(dtype)'],
  'a quotient of integers': [() => whole().div(2), "div: a expects float32, got int32; convert with to('float32')"],
  'a mean of integers': [() => whole().mean(), 'mean: x expects float32, got int32'],
  'a sum of booleans': [
    () => tensor([true]).add(tensor([true])),
    'add: a expects float32 or int32 or uint32, got bool',
  ],
  'a condition of numbers': [() => where(zeros([2]), 1, 2), 'where: condition expects bool, got float32'],
  'places that are not whole': [
    () => gather(zeros([2]), 0, zeros([2])),
    'gather: index expects int32 or uint32, got float32',
  ],
  'integers to differentiate by': [
    () => tensor([1], { dtype: 'int32', requiresGrad: true }),
    'only float32 has gradients, got int32',
  ],
  'a gradient of integers': [
    () => tensor([1, 2], { requiresGrad: true }).mul(2).backward(whole()),
    'backward: the gradient expects float32',
  ],
  'an assigned gradient of integers': [
    () => {
      tensor([1, 2], { requiresGrad: true }).grad = whole();
    },
    'grad: the gradient expects float32, got int32',
  ],
  'integers in a softmax': [() => softmax(whole(), 0), 'softmax: x expects float32'],
  'integers in a pooling': [
    () => maxPool2d(zeros([1, 1, 2, 2], { dtype: 'int32' }), { kernelSize: 2 }),
    'maxPool2d: x expects float32',
  ],
  'integers in a convolution': [
    () => conv2d(zeros([1, 1, 3, 3], { dtype: 'int32' }), zeros([1, 1, 3, 3]), null),
    'conv2d: x expects float32',
  ],
  // Numbers that a type does not have would be cut or wrapped silently: 4294967295 > -1 would be false.
  'half an integer': [() => tensor([1, 1.5], { dtype: 'int32' }), 'int32 does not hold 1.5 (element 1)'],
  'NaN as an integer': [() => zeros([2], { dtype: 'int32' }).add(Number.NaN), 'add: NaN is no int32'],
  'a negative unsigned number': [() => zeros([2], { dtype: 'uint32' }).gt(-1), 'gt: -1 is no uint32'],
  'an integer beyond 31 bits': [() => whole().lt(2 ** 31), 'lt: 2147483648 is no int32'],
  'a boolean of 2': [() => tensor([true]).eq(2), 'eq: 2 is no bool'],
};

for (const [what, [act, sentence]] of Object.entries(cases)) {
  test(`a wrong dtype, ${what}, is refused at the call`, () => refuses(act, DtypeError, sentence));
}
