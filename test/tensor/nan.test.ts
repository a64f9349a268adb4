// NaN propagation: a result is NaN if and only if it depends on a NaN.
import {
  adaptiveAvgPool2d,
  avgPool2d,
  clamp,
  conv2d,
  dropout,
  gelu,
  leakyRelu,
  linear,
  logSoftmax,
  maxPool2d,
  softmax,
  type Tensor,
} from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { ensure, near, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law, test } from '../harness.ts';

type Values = reference.Values;
type Both = readonly [op: (x: Tensor) => Tensor, definition: (x: Values) => Values];

const shape = [2, 3, 4, 8];
const scalar = (v: number) => reference.values([], [v]);
const scattered = (amount: number) =>
  fc.record({
    x: valuesOf(shape, { min: 0.5, max: 2 }),
    places: fc.array(fc.nat(191), { minLength: 1, maxLength: amount }),
  });

/** x with NaN at some indices. */
function withNan({ x, places }: { readonly x: Values; readonly places: readonly number[] }): Values {
  return { ...x, data: x.data.map((v, i) => (places.includes(i) ? Number.NaN : v)) };
}

const elementwise: Record<string, Both> = {
  sign: [(x) => x.sign(), (x) => ({ ...x, data: x.data.map(Math.sign) })],
  gelu: [(x) => gelu(x), reference.gelu],
  'gelu by tanh': [(x) => gelu(x, 'tanh'), (x) => reference.gelu(x, 'tanh')],
  leakyRelu: [(x) => leakyRelu(x, 0.1), (x) => reference.leakyRelu(x, 0.1)],
  'clamp from both sides': [(x) => clamp(x, { min: 0.75, max: 1 }), (x) => reference.clamp(x, { min: 0.75, max: 1 })],
  'clamp from below': [(x) => clamp(x, { min: 1 }), (x) => reference.clamp(x, { min: 1 })],
  'clamp from above': [(x) => clamp(x, { max: 1 }), (x) => reference.clamp(x, { max: 1 })],
  'a maximum with a number': [(x) => x.maximum(1), (x) => reference.maximum(x, scalar(1))],
  'a minimum with a number': [(x) => x.minimum(1), (x) => reference.minimum(x, scalar(1))],
  'a power of 2': [(x) => x.pow(2), (x) => reference.pow(x, scalar(2))],
  'a power of -1': [(x) => x.pow(-1), (x) => reference.pow(x, scalar(-1))],
  'a power of 1.5': [(x) => x.pow(1.5), (x) => reference.pow(x, scalar(1.5))],
};

const reducing: Record<string, Both> = {
  'max over all': [(x) => x.max(), (x) => reference.max(x)],
  'max over columns': [(x) => x.max(0), (x) => reference.max(x, 0)],
  'max over rows': [(x) => x.max(-1), (x) => reference.max(x, -1)],
  'min over all': [(x) => x.min(), (x) => reference.min(x)],
  'min over columns': [(x) => x.min(1), (x) => reference.min(x, 1)],
  'min over rows': [(x) => x.min([2, 3]), (x) => reference.min(x, [2, 3])],
  sum: [(x) => x.sum(1), (x) => reference.sum(x, 1)],
  mean: [(x) => x.mean(-1), (x) => reference.mean(x, -1)],
  variance: [(x) => x.variance(-1), (x) => reference.variance(x, -1)],
  std: [(x) => x.std(-1), (x) => reference.std(x, -1)],
  argmax: [(x) => x.argmax(-1), firstNan],
  argmin: [(x) => x.argmin(-1), (x) => firstNan(x, -1)],
  softmax: [(x) => softmax(x, 1), (x) => reference.softmax(x, 1)],
  logSoftmax: [(x) => logSoftmax(x, 3), (x) => reference.logSoftmax(x, 3)],
};

/** Index of the first NaN of each row, else of the largest value times `sign`. */
function firstNan(x: Values, sign = 1): Values {
  const width = x.shape.at(-1) as number;
  return reference.build(x.shape.slice(0, -1), (at) => {
    const row = Array.from({ length: width }, (_, i) => sign * reference.at(x, [...at, i]));
    const nan = row.findIndex(Number.isNaN);
    return nan >= 0 ? nan : row.indexOf(Math.max(...row));
  });
}

const pooling: Record<string, Both> = {};
for (const kernelSize of [2, 3]) {
  const options = { kernelSize, stride: 2, padding: kernelSize === 3 ? 1 : 0 };
  pooling[`maxPool2d by ${kernelSize}`] = [(x) => maxPool2d(x, options), (x) => reference.maxPool2d(x, options)];
  pooling[`avgPool2d by ${kernelSize}`] = [(x) => avgPool2d(x, options), (x) => reference.avgPool2d(x, options)];
}
pooling.adaptiveAvgPool2d = [(x) => adaptiveAvgPool2d(x, [3, 5]), (x) => reference.adaptiveAvgPool2d(x, [3, 5])];

for (const [kind, ops] of Object.entries({ elementwise, reducing, pooling })) {
  law(`NaN in, NaN out and nowhere else: ${Object.keys(ops).join(', ')} (${kind})`, scattered(5), async (c) => {
    const x = withNan(c);
    const results = Object.entries(ops).map(([name, [op, definition]]) => ({ name, y: op(toTensor(x)), definition }));
    for (const { name, y, definition } of results) {
      const [values, expected] = [await y.data(), definition(x)];
      for (const [i, expectedValue] of expected.data.entries()) {
        const value = values[i] as number;
        ensure(
          Number.isNaN(value) === Number.isNaN(expectedValue),
          `${name}: element ${i} is ${value}, expected ${expectedValue}`,
        );
      }
      if (name.startsWith('arg')) await near(y, expected);
    }
  });
}

law(
  'NaN in, NaN out for operations of two tensors, from either operand, of equal shapes and broadcast',
  fc.record({ a: scattered(3), b: scattered(3), stretched: fc.boolean() }),
  async ({ a, b, stretched }) => {
    const left = withNan(a);
    const all = withNan(b);
    const right = stretched ? { shape: [4, 8], data: all.data.slice(0, 32) } : all;
    for (const name of [
      'add',
      'sub',
      'mul',
      'div',
      'pow',
      'atan2',
      'remainder',
      'fmod',
      'maximum',
      'minimum',
    ] as const) {
      for (const [x, y] of [
        [left, right],
        [right, left],
      ] as const) {
        const actual = await toTensor(x)[name](toTensor(y)).data();
        for (const [i, expectedValue] of reference[name](x, y).data.entries()) {
          ensure(Number.isNaN(actual[i]) === Number.isNaN(expectedValue), `${name}: element ${i} is ${actual[i]}`);
        }
      }
    }
  },
);

law(
  'NaN in, NaN out for products, through bias, normalization and relu; with matrices in no other result',
  fc.record({
    row: fc.nat(16),
    k: fc.nat(10),
    relu: fc.boolean(),
    sizes: fc.constantFrom([3, 5, 2], [17, 11, 20], [33, 64, 36]),
  }),
  async ({ row, k, relu, sizes }) => {
    const [rows, depth, columns] = sizes as [number, number, number];
    const [r, d] = [row % rows, k % depth];
    const a = reference.build([rows, depth], (at) => (at[0] === r && at[1] === d ? Number.NaN : 0.5));
    const b = reference.build([columns, depth], (at) => (at[1] === d ? 0 : 1));
    const bias = toTensor(reference.full([columns], -9));
    const y = await linear(toTensor(a), toTensor(b), bias, { relu }).data();
    for (const [i, v] of y.entries())
      ensure(Number.isNaN(v) === (Math.floor(i / columns) === r), `linear: ${i} is ${v}`);
    const x = reference.build([2, 3, 12, 12], (at) =>
      at[0] === 1 && at[2] === r % 12 && at[3] === d ? Number.NaN : 1,
    );
    for (const [kernel, stride, outputs] of [
      [1, 1, 4],
      [3, 1, 8],
      [3, 2, 5],
      [5, 1, 4],
    ] as const) {
      const padding = (kernel - 1) / 2;
      const weight = reference.full([outputs, 3, kernel, kernel], 0);
      const actual = await conv2d(toTensor(x), toTensor(weight), null, { stride, padding }).data();
      const side = Math.ceil(12 / stride);
      for (const [i, v] of actual.entries()) {
        const [q, p, n] = [i % side, Math.floor(i / side) % side, Math.floor(i / side ** 2 / outputs)];
        const meets = n === 1 && Math.abs(p * stride - (r % 12)) <= padding && Math.abs(q * stride - d) <= padding;
        // Winograd tiles contain more windows than those that overlap a value.
        ensure(meets ? Number.isNaN(v) : n === 1 || v === 0, `conv2d ${kernel}: ${n}, ${p}, ${q} is ${v}`);
      }
    }
  },
);

test('dropout propagates NaN and Infinity: dropped values are multiplied by 0, as in PyTorch', async () => {
  const x = reference.build([400], ([i]) => [Number.NaN, Infinity, -Infinity, 1][(i as number) % 4] as number);
  const y = await dropout(toTensor(x), 0.5).data();
  ensure(
    y.every((v, i) => (i % 4 === 3 ? v === 0 || v === 2 : !Number.isFinite(v))),
    `${y}`,
  );
  ensure(y.some((v, i) => i % 4 === 1 && Number.isNaN(v)) && y.some((v) => v === Infinity), 'dropped and kept');
});
