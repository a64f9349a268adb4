import { DtypeError, nanToNum, type Tensor, tensor, ValueError } from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { ensure, gradcheck, near, refuses, shapes, toTensor, valuesOf } from '@mien/tensor/testing';
import { law, test } from '../harness.ts';

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const predicates = ['isnan', 'isinf', 'isfinite'] as const;
const special = [nan, inf, -inf, 0, -0, 3.4028234663852886e38, -3.4028234663852886e38, 1e-40];

/** Values of a shape, a third of them special. */
const mixed = shapes().chain((shape) =>
  valuesOf(shape).map((x) => ({
    ...x,
    data: x.data.map((v, i) => (i % 3 === 0 ? (special[(i / 3) % special.length] as number) : v)),
  })),
);

for (const name of predicates) {
  law(`${name} equals its reference for any value`, mixed, async (x) => {
    const y = toTensor(x)[name]();
    ensure(y.dtype === 'bool', `expected bool, got ${y.dtype}`);
    await near(y, reference[name](x));
  });
}

test('isnan, isinf, and isfinite detect NaN of every payload and sign, also if it was computed', async () => {
  const payloads = Uint32Array.of(0x7f800001, 0x7fc00000, 0x7fffffff, 0xff800001, 0xffc00000, 0xffffffff);
  for (const x of [tensor(new Float32Array(payloads.buffer)), tensor([-1, -2]).sqrt()]) {
    ensure(
      (await x.isnan().data()).every((v) => v === 1),
      'isnan',
    );
    ensure(
      (await x.isinf().data()).every((v) => v === 0),
      'isinf',
    );
    ensure(
      (await x.isfinite().data()).every((v) => v === 0),
      'isfinite',
    );
  }
});

test('isnan, isinf, and isfinite accept integers and bool, which are finite', async () => {
  for (const dtype of ['int32', 'uint32', 'bool'] as const) {
    const x = toTensor(reference.values([3], [0, 1, 1]), { dtype });
    for (const name of predicates) {
      const y = x[name]();
      ensure(y.dtype === 'bool', `expected bool, got ${y.dtype}`);
      ensure(
        (await y.data()).every((v) => v === Number(name === 'isfinite')),
        `${name} of ${dtype}`,
      );
    }
  }
});

law('nanToNum equals its reference', mixed, async (x) => {
  await near(nanToNum(toTensor(x)), reference.nanToNum(x));
  const options = { nan: 0.5, posinf: 7, neginf: -0.1 };
  await near(nanToNum(toTensor(x), options), reference.nanToNum(x, options));
});

law('the gradient of nanToNum is the derivative of its reference', shapes({ maxSize: 100 }).chain(valuesOf), (x) =>
  gradcheck(
    (v) => nanToNum(v),
    (v) => reference.nanToNum(v),
    [x],
  ),
);

test("nanToNum has PyTorch's gradient of 0 where x is not finite, and keeps integers", async () => {
  const x = toTensor(reference.values([4], [nan, inf, -inf, 2]), { requiresGrad: true });
  nanToNum(x).backward(toTensor(reference.values([4], [nan, inf, 3, 4])));
  await near(x.grad as Tensor, reference.values([4], [0, 0, 0, 4]));
  const integers = tensor(Int32Array.of(-2147483648, 0, 2147483647));
  const y = nanToNum(integers, { nan: 3 });
  ensure(y.dtype === 'int32' && y !== integers, 'expected a copy');
  await near(y, reference.values([3], [-2147483648, 0, 2147483647]));
});

test('nanToNum refuses bool and options that are not numbers', () => {
  const x = tensor([1, 2]);
  refuses(() => nanToNum(x.gt(1)), DtypeError, 'nanToNum: expected x to be float32 or int32 or uint32, got bool');
  refuses(() => nanToNum(x, { nan: '0' as unknown as number }), ValueError, 'nanToNum: nan must be a number');
});
