// NaN, infinities, signed zeros and values near the limits of float32, as in IEEE 754 and PyTorch.
import {
  clamp,
  gelu,
  layerNorm,
  logSoftmax,
  maxPool2d,
  rmsNorm,
  scope,
  softmax,
  stack,
  type Tensor,
  tensor,
} from '@mien/tensor';
import { ensure, nearValues } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

const sinh = Math.sinh(Math.fround(89.41));

/** Results for extreme values. */
const cases: Readonly<Record<string, readonly [() => Tensor, readonly number[]]>> = {
  'exp overflows to infinity and underflows to 0': [
    () => tensor([1000, -1000, inf, -inf, nan]).exp(),
    [inf, 0, inf, 0, nan],
  ],
  'log of 0 is -infinity, of a negative number NaN': [() => tensor([0, -1, inf, nan]).log(), [-inf, nan, inf, nan]],
  'sqrt of a negative number is NaN': [() => tensor([-1, inf, nan]).sqrt(), [nan, inf, nan]],
  'sigmoid saturates': [() => tensor([1000, -1000, inf, -inf, nan]).sigmoid(), [1, 0, 1, 0, nan]],
  'tanh saturates': [() => tensor([1000, -1000, inf, -inf, nan]).tanh(), [1, -1, 1, -1, nan]],
  'erf saturates': [() => tensor([1000, -1000, inf, -inf, nan]).erf(), [1, -1, 1, -1, nan]],
  'erfc underflows to 0': [() => tensor([1000, -1000, inf, -inf, nan]).erfc(), [0, 2, 0, 2, nan]],
  'erfinv is infinite at its ends': [() => tensor([1, -1, 1.5, -2, nan]).erfinv(), [inf, -inf, nan, nan, nan]],
  'expm1 overflows to infinity and tends to -1': [
    () => tensor([1000, -1000, 88.7]).expm1(),
    [inf, -1, Math.expm1(Math.fround(88.7))],
  ],
  'exp2 overflows to infinity and underflows to 0': [() => tensor([1000, -1000, 127.5]).exp2(), [inf, 0, 2 ** 127.5]],
  'sinh and cosh overflow beyond 89.4': [
    () => stack([tensor([89.41, -89.41, 100]).sinh(), tensor([89.41, -89.41, 100]).cosh()], 0),
    [sinh, -sinh, inf, sinh, sinh, inf],
  ],
  'asinh and acosh do not overflow': [
    () => stack([tensor(3e38).asinh(), tensor(3e38).acosh()], 0),
    [Math.asinh(Math.fround(3e38)), Math.acosh(Math.fround(3e38))],
  ],
  'reciprocal of 0 is infinite': [() => tensor([0, inf, -inf]).reciprocal(), [inf, 0, 0]],
  'floor keeps infinities': [() => tensor([inf, -inf, nan, 3e38]).floor(), [inf, -inf, nan, 3e38]],
  'frac of infinity is NaN': [() => tensor([inf, -inf, 3e38]).frac(), [nan, nan, 0]],
  'atan2 of infinities': [
    () => tensor([inf, 1, -inf]).atan2(tensor([-inf, inf, 1])),
    [(3 * Math.PI) / 4, 0, -Math.PI / 2],
  ],
  'silu tends to 0 and x': [() => tensor([1000, -1000, 3e38, -3e38]).silu(), [1000, 0, 3e38, 0]],
  'gelu tends to 0 and x': [() => gelu(tensor([1000, -1000, 1e30, -1e30])), [1000, 0, 1e30, 0]],
  'gelu with tanh tends to 0 and x': [() => gelu(tensor([1000, -1000, 1e30, -1e30]), 'tanh'), [1000, 0, 1e30, 0]],
  'relu propagates NaN': [() => tensor([nan, -inf, inf]).relu(), [nan, 0, inf]],
  'clamp propagates NaN': [() => clamp(tensor([nan, inf, -inf]), { min: -1, max: 1 }), [nan, 1, -1]],
  'pow follows the C standard': [
    () => tensor([0, nan, -2, -2, -2, 0, inf, -inf, 2]).pow(tensor([0, 0, 3, 2, 0.5, -1, -1, 3, 128])),
    [1, 1, -8, 4, nan, inf, 0, -inf, inf],
  ],
  'div by 0 is infinite, 0 / 0 NaN': [() => tensor([1, -1, 0]).div(0), [inf, -inf, nan]],
  'maximum propagates NaN from either operand': [
    () => tensor([nan, 1, inf]).maximum(tensor([1, nan, -inf])),
    [nan, nan, inf],
  ],
  'minimum propagates NaN from either operand': [
    () => tensor([nan, 1, inf]).minimum(tensor([1, nan, -inf])),
    [nan, nan, -inf],
  ],
  'eq: NaN equals nothing, -0 equals 0': [() => tensor([nan, 0]).eq(tensor([nan, -0])), [0, 1]],
  'ne: NaN differs from everything': [() => tensor([nan, 0, 1]).ne(tensor([nan, -0, nan])), [1, 0, 1]],
  'lt: NaN is not less than a value': [() => tensor([nan, nan]).lt(tensor([1, nan])), [0, 0]],
  'to bool maps NaN to true': [() => tensor([nan, 0, -0]).to('bool'), [1, 0, 0]],
  'logicalAnd takes NaN as true': [() => tensor([nan, 0]).logicalAnd(1), [1, 0]],
  'logicalXor takes NaN as true': [() => tensor([nan, 0]).logicalXor(tensor([1, nan])), [0, 1]],
  'max propagates NaN': [() => tensor([1, nan, 3]).max(), [nan]],
  'max of -infinity is -infinity': [() => tensor([-inf, -inf]).max(), [-inf]],
  'argmax returns the index of NaN': [() => tensor([1, nan, inf]).argmax(), [1]],
  'argmin returns the first of equal infinities': [() => tensor([inf, inf]).argmin(), [0]],
  'sum of opposite infinities is NaN': [() => tensor([inf, -inf]).sum(), [nan]],
  'max of the smallest integers': [() => tensor([-2147483648, -2147483647], { dtype: 'int32' }).max(), [-2147483647]],
  'max of large unsigned integers': [() => tensor([1, 4294967295], { dtype: 'uint32' }).max(), [4294967295]],
  'argmax of large unsigned integers': [() => tensor([1, 4294967295], { dtype: 'uint32' }).argmax(), [1]],
  'sum of int32 wraps around': [() => tensor([2147483647, 1], { dtype: 'int32' }).sum(), [-2147483648]],
  'variance of a large mean keeps its precision': [() => tensor([1e6, 1e6 + 1, 1e6 + 2, 1e6 + 3]).variance(), [5 / 3]],
  'softmax of large values does not overflow': [() => softmax(tensor([3e38, -3e38, 3e38]), 0), [0.5, 0, 0.5]],
  'softmax is 0 at -infinity': [() => softmax(tensor([0, -inf, 0]), 0), [0.5, 0, 0.5]],
  'softmax of NaN is NaN': [() => softmax(tensor([0, nan, 0]), 0), [nan, nan, nan]],
  'softmax of infinity is NaN': [() => softmax(tensor([0, inf]), 0), [nan, nan]],
  'logSoftmax is -infinity at -infinity': [() => logSoftmax(tensor([0, -inf, 0]), 0), [-Math.LN2, -inf, -Math.LN2]],
  'layerNorm of infinity is NaN': [
    () =>
      layerNorm(
        tensor([
          [0, inf, 1],
          [0, 3, 0],
        ]),
        3,
        { eps: 1 },
      ),
    [nan, nan, nan, -1 / Math.sqrt(3), 2 / Math.sqrt(3), -1 / Math.sqrt(3)],
  ],
  'rmsNorm of infinity is NaN where it is, else 0': [() => rmsNorm(tensor([0, inf, 1]), 3), [0, nan, 0]],
  'maxPool2d propagates NaN': [() => maxPool2d(tensor([[[1, nan, 2, 3]]]), { kernelSize: [1, 2] }), [nan, 3]],
  'maxPool2d ignores padding even for -infinity': [
    () => maxPool2d(tensor([[[-inf, -5]]]), { kernelSize: [1, 2], padding: [0, 1] }),
    [-inf, -5],
  ],
};

for (const [title, [compute, expected]] of Object.entries(cases)) {
  test(title, async () => {
    const y = scope(compute);
    nearValues(await y.data(), expected);
    y.dispose();
  });
}

/** Gradients at extreme values. */
const gradients: Readonly<Record<string, readonly [readonly number[], (x: Tensor) => Tensor, readonly number[]]>> = {
  'pow(0) is 0, also at 0': [[0, 2], (x) => x.pow(0), [0, 0]],
  'pow(1) is 1, also at 0': [[0, 2], (x) => x.pow(1), [1, 1]],
  'pow(tensor of 0) is 0': [[0, 2], (x) => x.pow(tensor([0, 0])), [0, 0]],
  'gelu is 0 or 1 far from 0': [[1000, -1000, 1e30, -1e30], (x) => gelu(x), [1, 0, 1, 0]],
  'erf is 0 far from 0': [[1000, -1000, 1e30, inf], (x) => x.erf(), [0, 0, 0, 0]],
  'atan is 0 far from 0': [[1e30, inf], (x) => x.atan(), [0, 0]],
  'floor is 0 everywhere': [[0, 1e30, inf, nan], (x) => x.floor(), [0, 0, 0, 0]],
  'silu is 0 or 1 far from 0': [[1000, -1000, 1e30, -1e30], (x) => x.silu(), [1, 0, 1, 0]],
  'abs is 0 at 0': [[0, -0, -3], (x) => x.abs(), [0, 0, -1]],
  'logSoftmax is 0 at -infinity': [[0, -inf, 0], (x) => logSoftmax(x, 0).slice(0, 0, 1), [0.5, 0, -0.5]],
  'clamp is 0 at NaN': [[nan, 0.5], (x) => clamp(x, { min: -1, max: 1 }), [0, 1]],
};

for (const [claim, [values, fn, expected]] of Object.entries(gradients)) {
  test(`the gradient of ${claim}`, async () => {
    const x = tensor(values, { requiresGrad: true });
    scope(() => fn(x).sum().backward());
    nearValues((await x.grad?.data()) ?? [], expected);
    x.dispose();
  });
}

test('neg and div keep the sign of zero', async () => {
  const [negated, divided] = scope(() => [tensor([0, -0]).neg(), tensor([1, -1]).div(inf)] as const);
  const signs = [...(await negated.data()), ...(await divided.data())].map((value) => Object.is(value, -0));
  ensure(signs.join() === 'true,false,false,true', signs.join());
  negated.dispose();
  divided.dispose();
});
