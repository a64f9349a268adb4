// Elementwise operations.
import { addcmul, clamp, gelu, leakyRelu, nanToNum, type Tensor, where } from '@mien/tensor';
import { toTensor } from '@mien/tensor/internal';
import * as reference from '@mien/tensor/reference';
import { awayFromZero, type Case, differentiable, forward, integers, sample } from './case.ts';

const ranges = {
  neg: [-2, 2],
  abs: [-2, 2],
  sign: [-2, 2],
  frac: [-2, 2],
  reciprocal: [0.2, 9],
  exp: [-4, 4],
  exp2: [-4, 4],
  expm1: [-4, 4],
  log2: [0.1, 9],
  log10: [0.1, 9],
  log1p: [-0.9, 9],
  log: [0.1, 9],
  sqrt: [0.1, 9],
  rsqrt: [0.2, 9],
  square: [-2, 2],
  relu: [-2, 2],
  sigmoid: [-9, 9],
  tanh: [-5, 5],
  sin: [-9, 9],
  cos: [-9, 9],
  tan: [-1.5, 1.5],
  asin: [-0.9, 0.9],
  acos: [-0.9, 0.9],
  atan: [-9, 9],
  sinh: [-4, 4],
  cosh: [-4, 4],
  asinh: [-9, 9],
  acosh: [1.1, 9],
  atanh: [-0.9, 0.9],
  erf: [-4, 4],
  erfc: [-4, 4],
  erfinv: [-0.9, 0.9],
  silu: [-9, 9],
} as const;

const arithmetic = ['add', 'sub', 'mul', 'div', 'maximum', 'minimum'] as const;
const steps = ['floor', 'ceil', 'round', 'trunc'] as const;
const predicates = ['isnan', 'isinf', 'isfinite'] as const;
const comparisons = ['eq', 'ne', 'lt', 'le', 'gt', 'ge', 'logicalAnd', 'logicalOr', 'logicalXor'] as const;

/** One size that fills workgroups and leaves a remainder, and a small odd one. */
const shapes = [[5, 257], [13]];

function unary(): Case[] {
  const names = Object.keys(ranges) as (keyof typeof ranges)[];
  return names.flatMap((name) =>
    shapes.map((shape, seed) => {
      const [min, max] = ranges[name];
      return differentiable(name, (x) => x[name](), reference[name], awayFromZero(sample(shape, seed, min, max)));
    }),
  );
}

/** Operands of equal shapes, of shapes that broadcast, and a scalar operand. */
function binary(): Case[] {
  const pairs = [
    [
      [3, 68],
      [3, 68],
    ],
    [
      [4, 1, 7],
      [3, 1],
    ],
    [[2, 3, 8], [8]],
  ] as const;
  return arithmetic.flatMap((name) => [
    ...pairs.map(([a, b], seed) => {
      const [left, right] = [awayFromZero(sample(a, 10 + seed)), awayFromZero(sample(b, 20 + seed, 0.3, 2))];
      return differentiable(name, (x, y) => (x as Tensor)[name](y as Tensor), reference[name], left, right);
    }),
    differentiable(
      name,
      (x) => x[name](0.75),
      (x) => reference[name](x, reference.values([], [0.75])),
      awayFromZero(sample([37], 5)),
    ),
  ]);
}

function others(): Case[] {
  const x = awayFromZero(sample([3, 50], 31, -4, 4));
  const condition = integers([3, 50], 32, 0, 2);
  const [a, b] = [integers([6, 33], 33, -2, 3), integers([6, 33], 34, -2, 3)];
  const special = reference.values([5], [Number.NaN, Infinity, -Infinity, 0, 3e38]);
  const limits = { min: -1.5, max: 1.25 };
  return [
    differentiable(
      'gelu',
      (v) => gelu(v),
      (v) => reference.gelu(v),
      x,
    ),
    differentiable(
      'gelu',
      (v) => gelu(v, 'tanh'),
      (v) => reference.gelu(v, 'tanh'),
      x,
    ),
    differentiable(
      'leakyRelu',
      (v) => leakyRelu(v, 0.1),
      (v) => reference.leakyRelu(v, 0.1),
      x,
    ),
    differentiable(
      'clamp',
      (v) => clamp(v, limits),
      (v) => reference.clamp(v, limits),
      x,
    ),
    differentiable(
      'pow',
      (v) => v.pow(1.7),
      (v) => reference.pow(v, reference.values([], [1.7])),
      sample([41], 35, 0.2, 3),
    ),
    differentiable(
      'where',
      (v, w) => where(toBool(condition), v, w),
      (v, w) => reference.where(condition, v, w),
      x,
      sample([3, 50], 36),
    ),
    differentiable('atan2', (v, w) => (v as Tensor).atan2(w as Tensor), reference.atan2, x, sample([3, 50], 38)),
    differentiable(
      'lerp',
      (v, w) => (v as Tensor).lerp(w as Tensor, 0.75),
      (v, w) => reference.lerp(v, w, reference.values([], [0.75])),
      x,
      sample([50], 39),
    ),
    differentiable(
      'addcmul',
      (v, w) => addcmul(v, v, w),
      (v, w) => reference.addcmul(v, v, w),
      x,
      sample([50], 40),
    ),
    differentiable(
      'nanToNum',
      (v) => nanToNum(v),
      (v) => reference.nanToNum(v),
      x,
    ),
    ...steps.map((name) => forward(name, (v) => (v as Tensor)[name](), reference[name], x)),
    ...predicates.map((name) => forward(name, (v) => (v as Tensor)[name](), reference[name], special)),
    ...(['remainder', 'fmod'] as const).map((name) =>
      forward(name, (v, w) => (v as Tensor)[name](w as Tensor), reference[name], x, sample([50], 41)),
    ),
    ...comparisons.map((name) => forward(name, (v, w) => (v as Tensor)[name](w as Tensor), reference[name], a, b)),
    forward(
      'logicalNot',
      (v) => v.logicalNot(),
      (v) => reference.eq(v, reference.values([], [0])),
      a,
    ),
    ...(['int32', 'uint32', 'bool'] as const).map((dtype) =>
      forward(
        'to',
        (v) => v.to(dtype).to('float32'),
        (v) => reference.to(v, dtype),
        sample([70], 37, dtype === 'uint32' ? 0 : -9, 9),
      ),
    ),
  ];
}

const toBool = (x: reference.Values): Tensor => toTensor(x).to('bool');

/** Unary, binary and conditional operations, and conversions. */
export function elementwise(): Case[] {
  return [...unary(), ...binary(), ...others()];
}
