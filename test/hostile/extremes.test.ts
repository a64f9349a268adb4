// NaN, infinities, signed zeros and numbers near the ends of float32: what IEEE 754 and PyTorch say of them.
import { clamp, gelu, logSoftmax, maxPool2d, scope, softmax, type Tensor, tensor } from '@mien/tensor';
import { ensure, nearValues } from '@mien/tensor/testing';
import { test } from '../harness.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

/** What an operation gives for hostile values. */
const cases: Readonly<Record<string, readonly [() => Tensor, readonly number[]]>> = {
  'exp overflows to infinity and underflows to 0': [
    () => tensor([1000, -1000, inf, -inf, nan]).exp(),
    [inf, 0, inf, 0, nan],
  ],
  'log of 0 is -infinity, of a negative number NaN': [() => tensor([0, -1, inf, nan]).log(), [-inf, nan, inf, nan]],
  'sqrt of a negative number is NaN': [() => tensor([-1, inf, nan]).sqrt(), [nan, inf, nan]],
  'sigmoid saturates': [() => tensor([1000, -1000, inf, -inf, nan]).sigmoid(), [1, 0, 1, 0, nan]],
  'tanh saturates and keeps small numbers': [() => tensor([1000, -1000, inf, -inf, nan]).tanh(), [1, -1, 1, -1, nan]],
  'silu goes to 0 and to x': [() => tensor([1000, -1000, 3e38, -3e38]).silu(), [1000, 0, 3e38, 0]],
  'gelu goes to 0 and to x': [() => gelu(tensor([1000, -1000, 1e30, -1e30])), [1000, 0, 1e30, 0]],
  'gelu by tanh goes to 0 and to x': [() => gelu(tensor([1000, -1000, 1e30, -1e30]), 'tanh'), [1000, 0, 1e30, 0]],
  'relu lets NaN through': [() => tensor([nan, -inf, inf]).relu(), [nan, 0, inf]],
  'clamp lets NaN through': [() => clamp(tensor([nan, inf, -inf]), { min: -1, max: 1 }), [nan, 1, -1]],
  'pow follows C': [
    () => tensor([0, nan, -2, -2, -2, 0, inf, -inf, 2]).pow(tensor([0, 0, 3, 2, 0.5, -1, -1, 3, 128])),
    [1, 1, -8, 4, nan, inf, 0, -inf, inf],
  ],
  'div by 0 is infinite, 0 / 0 NaN': [() => tensor([1, -1, 0]).div(0), [inf, -inf, nan]],
  'maximum lets NaN through from either side': [
    () => tensor([nan, 1, inf]).maximum(tensor([1, nan, -inf])),
    [nan, nan, inf],
  ],
  'minimum lets NaN through from either side': [
    () => tensor([nan, 1, inf]).minimum(tensor([1, nan, -inf])),
    [nan, nan, -inf],
  ],
  'NaN equals nothing, -0 equals 0': [() => tensor([nan, 0]).eq(tensor([nan, -0])), [0, 1]],
  'NaN differs from everything': [() => tensor([nan, 0, 1]).ne(tensor([nan, -0, nan])), [1, 0, 1]],
  'NaN is neither less nor greater': [() => tensor([nan, nan]).lt(tensor([1, nan])), [0, 0]],
  'NaN is not 0, so it is true': [() => tensor([nan, 0, -0]).to('bool'), [1, 0, 0]],
  'NaN is not 0 in logicalAnd': [() => tensor([nan, 0]).logicalAnd(1), [1, 0]],
  'NaN is not 0 in logicalXor': [() => tensor([nan, 0]).logicalXor(tensor([1, nan])), [0, 1]],
  'max gives NaN if there is one': [() => tensor([1, nan, 3]).max(), [nan]],
  'max of -infinity is -infinity': [() => tensor([-inf, -inf]).max(), [-inf]],
  'argmax points at NaN': [() => tensor([1, nan, inf]).argmax(), [1]],
  'argmin points at the first of infinities': [() => tensor([inf, inf]).argmin(), [0]],
  'sum of opposite infinities is NaN': [() => tensor([inf, -inf]).sum(), [nan]],
  'max of the smallest integers': [() => tensor([-2147483648, -2147483647], { dtype: 'int32' }).max(), [-2147483647]],
  'max of large unsigned integers': [() => tensor([1, 4294967295], { dtype: 'uint32' }).max(), [4294967295]],
  'argmax of large unsigned integers': [() => tensor([1, 4294967295], { dtype: 'uint32' }).argmax(), [1]],
  'sum of integers wraps': [() => tensor([2147483647, 1], { dtype: 'int32' }).sum(), [-2147483648]],
  'variance far from 0 keeps its digits': [() => tensor([1e6, 1e6 + 1, 1e6 + 2, 1e6 + 3]).variance(), [5 / 3]],
  'softmax of large values does not overflow': [() => softmax(tensor([3e38, -3e38, 3e38]), 0), [0.5, 0, 0.5]],
  'softmax gives a masked place 0': [() => softmax(tensor([0, -inf, 0]), 0), [0.5, 0, 0.5]],
  'softmax of NaN is NaN': [() => softmax(tensor([0, nan, 0]), 0), [nan, nan, nan]],
  'softmax of infinity is NaN': [() => softmax(tensor([0, inf]), 0), [nan, nan]],
  'logSoftmax gives a masked place -infinity': [
    () => logSoftmax(tensor([0, -inf, 0]), 0),
    [-Math.LN2, -inf, -Math.LN2],
  ],
  'maxPool2d gives NaN where a window holds one': [
    () => maxPool2d(tensor([[[1, nan, 2, 3]]]), { kernelSize: [1, 2] }),
    [nan, 3],
  ],
  'maxPool2d never gives its padding': [
    () => maxPool2d(tensor([[[-inf, -5]]]), { kernelSize: [1, 2], padding: [0, 1] }),
    [-inf, -5],
  ],
};

for (const [what, [act, wanted]] of Object.entries(cases)) {
  test(what, async () => {
    const y = scope(act);
    nearValues(await y.data(), wanted);
    y.dispose();
  });
}

/** What the gradient at hostile values is. */
const gradients: Readonly<Record<string, readonly [readonly number[], (x: Tensor) => Tensor, readonly number[]]>> = {
  'x^0 is flat at 0 too': [[0, 2], (x) => x.pow(0), [0, 0]],
  'x^1 rises by 1 at 0': [[0, 2], (x) => x.pow(1), [1, 1]],
  'x^b is flat for b = 0': [[0, 2], (x) => x.pow(tensor([0, 0])), [0, 0]],
  'gelu is flat or a line far out': [[1000, -1000, 1e30, -1e30], (x) => gelu(x), [1, 0, 1, 0]],
  'silu is flat or a line far out': [[1000, -1000, 1e30, -1e30], (x) => x.silu(), [1, 0, 1, 0]],
  'abs is flat at 0': [[0, -0, -3], (x) => x.abs(), [0, 0, -1]],
  'logSoftmax passes nothing to a masked place': [[0, -inf, 0], (x) => logSoftmax(x, 0).slice(0, 0, 1), [0.5, 0, -0.5]],
  'clamp passes nothing to NaN': [[nan, 0.5], (x) => clamp(x, { min: -1, max: 1 }), [0, 1]],
};

for (const [what, [values, fn, wanted]] of Object.entries(gradients)) {
  test(`the gradient: ${what}`, async () => {
    const x = tensor(values, { requiresGrad: true });
    scope(() => fn(x).sum().backward());
    nearValues((await x.grad?.data()) ?? [], wanted);
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
