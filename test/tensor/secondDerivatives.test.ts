// Second derivatives of operations without separate cases: a row each, on a few elements.
import {
  adaptiveAvgPool2d,
  addcmul,
  avgPool2d,
  cat,
  clamp,
  convBatchNorm2d,
  convTranspose2d,
  dropout,
  embedding,
  Generator,
  gather,
  leakyRelu,
  linear,
  logSoftmax,
  nanToNum,
  pad,
  softmax,
  stack,
  type Tensor,
  where,
} from '@mien/tensor';
import * as reference from '@mien/tensor/reference';
import { distinctValuesOf, gradcheck, gradgradcheck, offKinks, toTensor, valuesOf } from '@mien/tensor/testing';
import fc from 'fast-check';
import { law } from '../harness.ts';

type Values = reference.Values;

/** An operation, its reference, and inputs at which its second derivative exists. */
interface Row {
  readonly op: (...inputs: Tensor[]) => Tensor;
  readonly reference: (...inputs: Values[]) => Values;
  readonly inputs: fc.Arbitrary<readonly Values[]>;
}

/** A row for functions of one, two or three inputs. */
function row<T extends readonly Tensor[], V extends readonly Values[]>(
  op: (...inputs: T) => Tensor,
  definition: (...inputs: V) => Values,
  ...inputs: fc.Arbitrary<Values>[]
): Row {
  return {
    op: op as unknown as Row['op'],
    reference: definition as unknown as Row['reference'],
    inputs: fc.tuple(...inputs),
  };
}

const any = (...shape: number[]): fc.Arbitrary<Values> => valuesOf(shape, { min: -1.5, max: 1.5 });
const positive = (...shape: number[]): fc.Arbitrary<Values> => valuesOf(shape, { min: 0.6, max: 2 });
/** Eighths or sixteenths, and the same plus 1/32: never equal, and far enough apart for differences. */
const eighths = (...shape: number[]): fc.Arbitrary<Values> => distinctValuesOf(shape);
const between = (...shape: number[]): fc.Arbitrary<Values> =>
  distinctValuesOf(shape).map((v) => ({ ...v, data: v.data.map((x) => x + 1 / 32) }));
/** Their quotients are between -3 and -2, off the jumps of remainders. */
const dividend = valuesOf([3], { min: -2.7, max: -2.3 });
const divisor = valuesOf([1], { min: 0.95, max: 1.05 });

const truth = reference.values([2, 3], [1, 0, 0, 1, 1, 0]);
const places = reference.values([2, 2], [0, 2, 1, 1]);
const [mask, index] = [() => toTensor(truth, { dtype: 'bool' }), () => toTensor(places, { dtype: 'int32' })];
const window = { kernelSize: 2, stride: 1, padding: 1 };
const strided = { stride: 2, padding: 1, outputPadding: 1 };
const counts = [
  [1, 0],
  [0, 2],
] as const;

/** Batch statistics, with weight and bias. */
function normalization<T>(of: (values: Values) => T) {
  const [weight, bias] = [reference.values([2], [0.5, 1.5]), reference.values([2], [1, -1])];
  return { weight: of(weight), bias: of(bias), runningMean: null, runningVar: null, training: true, eps: 0.1 };
}

const rows: Readonly<Record<string, Row>> = {
  add: row((a: Tensor, b: Tensor) => a.add(b), reference.add, any(2, 3), any(3)),
  sub: row((a: Tensor, b: Tensor) => a.sub(b), reference.sub, any(2, 3), any(3)),
  mul: row((a: Tensor, b: Tensor) => a.mul(b), reference.mul, any(2, 3), any(3)),
  div: row((a: Tensor, b: Tensor) => a.div(b), reference.div, any(2, 3), positive(3)),
  pow: row((a: Tensor, b: Tensor) => a.pow(b), reference.pow, positive(2, 3), any(3)),
  atan2: row((a: Tensor, b: Tensor) => a.atan2(b), reference.atan2, any(2, 3), positive(3)),
  remainder: row((a: Tensor, b: Tensor) => a.remainder(b), reference.remainder, dividend, divisor),
  fmod: row((a: Tensor, b: Tensor) => a.fmod(b), reference.fmod, dividend, divisor),
  lerp: row((a: Tensor, b: Tensor, c: Tensor) => a.lerp(b, c), reference.lerp, any(2, 3), any(3), positive(2, 1)),
  addcmul: row(
    (x: Tensor, a: Tensor, b: Tensor) => addcmul(x, a, b, { value: 0.5 }),
    (x: Values, a: Values, b: Values) => reference.addcmul(x, a, b, { value: 0.5 }),
    any(2, 3),
    any(3),
    any(2, 1),
  ),
  nanToNum: row(
    (x: Tensor) => nanToNum(x),
    (x: Values) => reference.nanToNum(x),
    any(2, 3),
  ),
  maximum: row((a: Tensor, b: Tensor) => a.maximum(b), reference.maximum, eighths(2, 3), between(3)),
  minimum: row((a: Tensor, b: Tensor) => a.minimum(b), reference.minimum, eighths(2, 3), between(3)),
  sum: row(
    (x: Tensor) => x.sum(0),
    (x: Values) => reference.sum(x, 0),
    any(2, 3),
  ),
  mean: row(
    (x: Tensor) => x.mean(1),
    (x: Values) => reference.mean(x, 1),
    any(2, 3),
  ),
  max: row(
    (x: Tensor) => x.max(0),
    (x: Values) => reference.max(x, 0),
    eighths(3, 2),
  ),
  min: row(
    (x: Tensor) => x.min(0),
    (x: Values) => reference.min(x, 0),
    eighths(3, 2),
  ),
  variance: row(
    (x: Tensor) => x.variance(0),
    (x: Values) => reference.variance(x, 0),
    any(4, 2),
  ),
  std: row(
    (x: Tensor) => x.std(0),
    (x: Values) => reference.std(x, 0),
    eighths(4, 2),
  ),
  reshape: row(
    (x: Tensor) => x.reshape([3, 2]),
    (x: Values) => reference.reshape(x, [3, 2]),
    any(2, 3),
  ),
  transpose: row(
    (x: Tensor) => x.transpose(0, 1),
    (x: Values) => reference.transpose(x, 0, 1),
    any(2, 3),
  ),
  permute: row(
    (x: Tensor) => x.permute([1, 2, 0]),
    (x: Values) => reference.permute(x, [1, 2, 0]),
    any(2, 1, 3),
  ),
  slice: row(
    (x: Tensor) => x.slice(1, 0, 3, 2),
    (x: Values) => reference.slice(x, 1, 0, 3, 2),
    any(2, 3),
  ),
  flip: row(
    (x: Tensor) => x.flip([1]),
    (x: Values) => reference.flip(x, [1]),
    any(2, 3),
  ),
  expand: row(
    (x: Tensor) => x.expand([3, 2]),
    (x: Values) => reference.expand(x, [3, 2]),
    any(1, 2),
  ),
  matmul: row(
    (a: Tensor, b: Tensor) => a.matmul(b),
    (a: Values, b: Values) => reference.matmul(a, b),
    any(2, 3),
    any(3, 2),
  ),
  linear: row(
    (x: Tensor, w: Tensor, b: Tensor) => linear(x, w, b),
    (x: Values, w: Values, b: Values) => reference.linear(x, w, b),
    any(2, 3),
    any(2, 3),
    any(2),
  ),
  convTranspose2d: row(
    (x: Tensor, w: Tensor, b: Tensor) => convTranspose2d(x, w, b, strided),
    (x: Values, w: Values, b: Values) => reference.convTranspose2d(x, w, b, strided),
    any(1, 2, 2, 3),
    any(2, 1, 2, 3),
    any(1),
  ),
  convBatchNorm2d: row(
    (x: Tensor, w: Tensor) => convBatchNorm2d(x, w, null, {}, normalization(toTensor)),
    (x: Values, w: Values) =>
      reference.batchNorm(
        reference.conv2d(x, w, null),
        normalization((v) => v),
      ),
    any(2, 1, 3, 3),
    any(2, 1, 2, 2),
  ),
  avgPool2d: row(
    (x: Tensor) => avgPool2d(x, window),
    (x: Values) => reference.avgPool2d(x, window),
    any(1, 1, 3, 3),
  ),
  adaptiveAvgPool2d: row(
    (x: Tensor) => adaptiveAvgPool2d(x, 2),
    (x: Values) => reference.adaptiveAvgPool2d(x, 2),
    any(1, 1, 3, 3),
  ),
  cat: row(
    (a: Tensor, b: Tensor) => cat([a, b], 1),
    (a: Values, b: Values) => reference.cat([a, b], 1),
    any(2, 1),
    any(2, 2),
  ),
  stack: row(
    (a: Tensor, b: Tensor) => stack([a, b], 1),
    (a: Values, b: Values) => reference.stack([a, b], 1),
    any(3),
    any(3),
  ),
  pad: row(
    (x: Tensor) => pad(x, counts),
    (x: Values) => reference.pad(x, counts),
    any(2, 2),
  ),
  where: row(
    (a: Tensor, b: Tensor) => where(mask(), a, b),
    (a: Values, b: Values) => reference.where(truth, a, b),
    any(2, 3),
    any(3),
  ),
  gather: row(
    (x: Tensor) => gather(x, 0, index()),
    (x: Values) => reference.gather(x, 0, places),
    any(3, 2),
  ),
  embedding: row(
    (w: Tensor) => embedding(index(), w),
    (w: Values) => reference.embedding(places, w),
    any(3, 2),
  ),
  softmax: row(
    (x: Tensor) => softmax(x, 1),
    (x: Values) => reference.softmax(x, 1),
    any(2, 3),
  ),
  logSoftmax: row(
    (x: Tensor) => logSoftmax(x, 1),
    (x: Values) => reference.logSoftmax(x, 1),
    any(2, 3),
  ),
  leakyRelu: row(
    (x: Tensor) => leakyRelu(x, 0.2),
    (x: Values) => reference.leakyRelu(x, 0.2),
    offKinks(any(5), [0]),
  ),
  clamp: row(
    (x: Tensor) => clamp(x, { min: -1, max: 0.5 }),
    (x: Values) => reference.clamp(x, { min: -1, max: 0.5 }),
    offKinks(any(5), [-1, 0.5]),
  ),
  dropout: row(
    (x: Tensor) => dropout(x, 0.5, { generator: new Generator(3) }),
    (x: Values) => reference.dropout(x, 0.5, 3),
    any(7),
  ),
};

for (const [name, { op, reference: definition, inputs }] of Object.entries(rows)) {
  law(
    `the second derivative of ${name} is that of its reference`,
    inputs,
    (inputs) => gradgradcheck(op, definition, inputs),
    { runs: 6 },
  );
}

law('the gradient of transpose is the derivative of its reference', any(2, 3), (x) =>
  gradcheck(
    (v) => v.transpose(0, 1),
    (v) => reference.transpose(v, 0, 1),
    [x],
  ),
);

law('the gradient of sign is the derivative of its reference', offKinks(any(7), [0]), (x) =>
  gradcheck((v) => v.sign(), reference.sign, [x]),
);
