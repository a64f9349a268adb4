// Elementwise operations of two tensors, or of a tensor and a number: one WGSL family, one row each.
// Broadcasting follows NumPy. Both tensors must have one dtype: unlike in PyTorch, there is no type promotion.

import binary from '@mien/shaders/binary/binary.wgsl';
import binaryBroadcast from '@mien/shaders/binary/binaryBroadcast.wgsl';
import binaryScalar from '@mien/shaders/binary/binaryScalar.wgsl';
import { expectTensor } from '../arguments.ts';
import { record } from '../autograd.ts';
import { type DType, expectDtype, holds, toTypedArray, wgslType } from '../dtype.ts';
import { DtypeError, ValueError } from '../errors.ts';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import { deviceOf } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import { part, splitRows } from '../runtime/split.ts';
import { newEmpty } from '../runtime/tensorBase.ts';
import type { Tensor } from '../tensor.ts';
import { runElementwise } from './elementwise.ts';
import { newFull } from './fill.ts';
import { broadcastShapes, broadcastStrides, collapse, padded, sizeOf } from './geometry.ts';
import { sumTo } from './sumTo.ts';
import { where } from './where.ts';

interface Forms {
  readonly same: Kernel;
  readonly broadcast: Kernel;
  readonly broadcastRows: Kernel;
  readonly scalar: Kernel;
  readonly reversed: Kernel;
}

/** One row of the family: its name, its case in WGSL, the dtypes it supports, and whether its result is `bool`. */
interface Row {
  readonly name: string;
  readonly dtypes: readonly DType[];
  readonly output: 'same' | 'bool';
  readonly forms: Readonly<Record<string, Forms>>;
}

const numeric = ['float32', 'int32', 'uint32'] as const;
const every = ['float32', 'int32', 'uint32', 'bool'] as const;

function row(name: string, operation: string, dtypes: readonly DType[], output: Row['output']): Row {
  const forms: Record<string, Forms> = {};
  for (const element of new Set(dtypes.map((dtype) => wgslType[dtype]))) {
    const result = output === 'bool' ? 'u32' : element;
    const values = { OP: operation, element, result, FLOAT: element === 'f32' };
    forms[element] = {
      same: kernel(binary, values),
      broadcast: kernel(binaryBroadcast, values),
      broadcastRows: kernel(binaryBroadcast, { ...values, WHOLE_ROWS: true }),
      scalar: kernel(binaryScalar, values),
      reversed: kernel(binaryScalar, { ...values, REVERSED: true }),
    };
  }
  return { name, dtypes, output, forms };
}

/** Applies a row without recording it. Throws DtypeError and ShapeError. */
function apply(op: Row, a: Tensor, b: Tensor | number, reversed = false): Tensor {
  expectDtype(op.name, reversed ? 'b' : 'a', a, ...op.dtypes);
  const forms = op.forms[wgslType[a.dtype]] as Forms;
  const dtype = op.output === 'bool' ? 'bool' : a.dtype;
  if (typeof b === 'number') {
    if (!holds(a.dtype, b)) {
      throw new DtypeError(
        `${op.name}: expected a number that ${a.dtype} can represent, got ${b}; convert the tensor with to('float32')`,
      );
    }
    const y = newEmpty(a, a.shape, dtype);
    const scalarBits = new Uint32Array(toTypedArray(a.dtype, [b]).buffer)[0] as number;
    runElementwise(reversed ? forms.reversed : forms.scalar, { a, y }, { scalarBits });
    return y;
  }
  expectTensor(op.name, 'b', b);
  if (a.dtype !== b.dtype) {
    throw new DtypeError(
      `${op.name}: expected a and b of one dtype, got ${a.dtype} and ${b.dtype}; convert one with to(dtype)`,
    );
  }
  const y = newEmpty(a, broadcastShapes(op.name, a.shape, b.shape), dtype);
  if (a.size === y.size && b.size === y.size) runElementwise(forms.same, { a, b, y });
  else broadcast(op.name, forms, a, b, y);
  return y;
}

function broadcast(name: string, forms: Forms, a: Tensor, b: Tensor, y: Tensor): void {
  const [leading = 1, ...inner] = y.shape;
  const rowOf = (x: Tensor): number =>
    x.rank === y.rank && x.shape[0] === leading && leading > 1 ? x.size / leading : 0;
  const rowBytes = [y.size / leading, rowOf(a), rowOf(b)].map((elements) => 4 * elements);
  const spans = splitRows(
    name,
    leading,
    rowBytes.filter((bytes) => bytes > 0),
    deviceOf(y).limits,
  );
  for (const { start, count } of spans) {
    const rows = (x: Tensor, bytes: number) => (bytes === 0 ? x : part(x, start * bytes, count * bytes));
    const shape = [count, ...inner];
    const merged = collapse(shape, [broadcastStrides(a.shape, y.shape), broadcastStrides(b.shape, y.shape)]);
    const [aStrides, bStrides] = merged.strides as [number[], number[]];
    const [yBytes, aBytes, bBytes] = rowBytes as [number, number, number];
    const size = sizeOf(shape);
    const form = (merged.shape.at(-1) ?? 1) % 4 === 0 ? forms.broadcastRows : forms.broadcast;
    run(
      form,
      { a: rows(a, aBytes), b: rows(b, bBytes), y: rows(y, yBytes) },
      {
        size,
        rank: merged.shape.length,
        shape: padded(merged.shape, 1),
        aStrides: padded(aStrides, 0),
        bStrides: padded(bStrides, 0),
      },
      Math.ceil(size / (4 * form.const('LANES'))),
    );
  }
}

type Derivative = (dy: Tensor, a: Tensor | number, b: Tensor | number, y: Tensor) => Tensor;

/** A differentiable operation of two operands, of which either may be a number. */
type Binary = (a: Tensor | number, b: Tensor | number) => Tensor;

/** The values that the derivative by each operand uses: letters of the operands a and b and the result y. */
interface Reads {
  readonly a: string;
  readonly b: string;
}

function differentiable(op: Row, reads: Reads, da: Derivative, db: Derivative): Binary {
  return (a, b) => {
    if (typeof a === 'number') {
      if (typeof b === 'number') throw new DtypeError(`${op.name}: one operand must be a tensor, got ${a} and ${b}`);
      return withNumber(op, b, a, true, reads.b, (dy, x, y) => db(dy, a, x, y));
    }
    if (typeof b === 'number') return withNumber(op, a, b, false, reads.a, (dy, x, y) => da(dy, x, b, y));
    const y = apply(op, a, b);
    const [shapeA, shapeB] = [a.shape, b.shape];
    const used = (a.requiresGrad ? reads.a : '') + (b.requiresGrad ? reads.b : '');
    return record(
      op.name,
      y,
      { a, b },
      {
        saves: { a: used.includes('a') ? a : null, b: used.includes('b') ? b : null, y: used.includes('y') ? y : null },
        backward: (dy, saved, needs) => {
          const [x, z, out] = [saved.a as Tensor, saved.b as Tensor, saved.y as Tensor];
          return {
            a: needs.a && sumTo(da(dy, x, z, out), shapeA),
            b: needs.b && sumTo(db(dy, x, z, out), shapeB),
          };
        },
      },
    );
  };
}

function withNumber(
  op: Row,
  x: Tensor,
  number: number,
  reversed: boolean,
  reads: string,
  derivative: (dy: Tensor, x: Tensor, y: Tensor) => Tensor,
): Tensor {
  const y = apply(op, x, number, reversed);
  return record(
    op.name,
    y,
    { x },
    {
      saves: { x: reads.includes(reversed ? 'b' : 'a') ? x : null, y: reads.includes('y') ? y : null },
      backward: (dy, saved) => ({ x: derivative(dy, saved.x as Tensor, saved.y as Tensor) }),
    },
  );
}

/** a + b. */
export const add: Binary = differentiable(
  row('add', 'ADD', numeric, 'same'),
  { a: '', b: '' },
  (dy) => dy,
  (dy) => dy,
);

/** a - b. */
export const sub: Binary = differentiable(
  row('sub', 'SUB', numeric, 'same'),
  { a: '', b: '' },
  (dy) => dy,
  (dy) => dy.neg(),
);

/** a * b. */
export const mul: Binary = differentiable(
  row('mul', 'MUL', numeric, 'same'),
  { a: 'b', b: 'a' },
  (dy, _a, b) => mul(dy, b),
  (dy, a) => mul(dy, a),
);

/** a / b, for float32. */
export const div: Binary = differentiable(
  row('div', 'DIV', ['float32'], 'same'),
  { a: 'b', b: 'by' },
  (dy, _a, b) => div(dy, b),
  (dy, _a, b, y) => div(mul(dy, y), b).neg(),
);

/**
 * a to the power of b, as C and PyTorch define it: exact for integer b where the power is a float, 1 for b = 0 and for a = 1
 * even with NaN, NaN for a negative a with a b that is not an integer. Powers of integers are integers, modulo 2^32; with a negative
 * exponent in a tensor they are 0, except for 1 and -1. Throws ValueError for integers to the power of a negative number.
 */
export function pow(a: Tensor | number, b: Tensor | number): Tensor {
  if (isIntegerTensor(a) && typeof b === 'number' && b < 0) {
    throw new ValueError(
      `pow: expected an exponent of at least 0 for ${a.dtype}, got ${b}; convert the tensor with to('float32')`,
    );
  }
  return power(a, b);
}

function isIntegerTensor(x: unknown): x is Tensor {
  return typeof x === 'object' && ['int32', 'uint32'].includes((x as Tensor | null)?.dtype ?? '');
}

const power: Binary = differentiable(
  row('pow', 'POW', numeric, 'same'),
  { a: 'ab', b: 'aby' },
  (dy, a, b) => mul(dy, slopeOfPower(a, b)),
  (dy, a, b, y) => mul(dy, slopeOfExponent(a, b, y)),
);

/** b * a^(b - 1), and 0 for b = 0, where the power is 1 for every a. */
function slopeOfPower(a: Tensor | number, b: Tensor | number): Tensor {
  if (typeof b === 'number') return b === 0 ? newFull(a as Tensor, (a as Tensor).shape, 0) : mul(pow(a, b - 1), b);
  return where(eq(b, 0), 0, mul(pow(a, sub(b, 1)), b));
}

/** y * log(a), and 0 for a = 0 and b >= 0, where the power does not change with b (PyTorch's rule). */
function slopeOfExponent(a: Tensor | number, b: Tensor | number, y: Tensor): Tensor {
  if (typeof a === 'number') {
    const slope = mul(y, Math.log(a));
    return a === 0 ? where(ge(b, 0), 0, slope) : slope;
  }
  return where(logicalAnd(eq(a, 0), ge(b, 0)), 0, mul(y, a.log()));
}

/** The angle of the point (b, a), from -pi to pi, for float32. */
export const atan2: Binary = differentiable(
  row('atan2', 'ATAN2', ['float32'], 'same'),
  { a: 'ab', b: 'ab' },
  (dy, a, b) => div(mul(dy, b), squaredLength(a, b)),
  (dy, a, b) => div(mul(dy, a), squaredLength(a, b)).neg(),
);

function squaredLength(a: Tensor | number, b: Tensor | number): Tensor {
  return add(mul(a, a), mul(b, b));
}

/**
 * a - b * floor(a / b), exactly, with the sign of b; NaN for an infinite a or b = 0. Of integers it is 0 where a tensor b is 0. Throws
 * ValueError for integers and the number 0.
 */
export function remainder(a: Tensor | number, b: Tensor | number): Tensor {
  refuseZero('remainder', a, b);
  return remainderOf(a, b);
}

const remainderOf: Binary = differentiable(
  row('remainder', 'REMAINDER', numeric, 'same'),
  { a: '', b: 'aby' },
  (dy) => dy,
  (dy, a, b, y) => mul(dy, quotientOf(a, b, y)).neg(),
);

/** a - b * trunc(a / b), exactly, with the sign of a; otherwise as `remainder`. */
export function fmod(a: Tensor | number, b: Tensor | number): Tensor {
  refuseZero('fmod', a, b);
  return fmodOf(a, b);
}

const fmodOf: Binary = differentiable(
  row('fmod', 'FMOD', numeric, 'same'),
  { a: '', b: 'aby' },
  (dy) => dy,
  (dy, a, b, y) => mul(dy, quotientOf(a, b, y)).neg(),
);

/** The integer quotient of a and b with the remainder y. */
function quotientOf(a: Tensor | number, b: Tensor | number, y: Tensor): Tensor {
  return div(sub(a, y), b).round();
}

function refuseZero(name: string, a: Tensor | number, b: Tensor | number): void {
  if (b !== 0 || !isIntegerTensor(a)) return;
  throw new ValueError(
    `${name}: expected a divisor other than 0 for ${a.dtype}, got 0; convert the tensor with to('float32')`,
  );
}

/** The larger of a and b; NaN where either is. Equal operands share the gradient, as in PyTorch. */
export const maximum: Binary = differentiable(
  row('maximum', 'MAXIMUM', numeric, 'same'),
  { a: 'ab', b: 'ab' },
  (dy, a, b) => shareOf(dy, lt(a, b), eq(a, b)),
  (dy, a, b) => shareOf(dy, gt(a, b), eq(a, b)),
);

/** The smaller of a and b; NaN where either is. Equal operands share the gradient, as in PyTorch. */
export const minimum: Binary = differentiable(
  row('minimum', 'MINIMUM', numeric, 'same'),
  { a: 'ab', b: 'ab' },
  (dy, a, b) => shareOf(dy, gt(a, b), eq(a, b)),
  (dy, a, b) => shareOf(dy, lt(a, b), eq(a, b)),
);

/** dy where the operand is chosen, half of it at ties, and 0 elsewhere, even if dy is not finite there. */
function shareOf(dy: Tensor, loses: Tensor, ties: Tensor): Tensor {
  return where(loses, 0, mul(dy, sub(1, mul(ties.to('float32'), 0.5))));
}

/** An operation with a `bool` result and no gradient. */
type Predicate = (a: Tensor | number, b: Tensor | number) => Tensor;

function predicate(op: Row): Predicate {
  return (a, b) => {
    if (typeof a !== 'number') return apply(op, a, b);
    if (typeof b !== 'number') return apply(op, b, a, true);
    throw new DtypeError(`${op.name}: one operand must be a tensor, got ${a} and ${b}`);
  };
}

/** a == b. */
export const eq: Predicate = predicate(row('eq', 'EQ', every, 'bool'));
/** a != b. */
export const ne: Predicate = predicate(row('ne', 'NE', every, 'bool'));
/** a < b. */
export const lt: Predicate = predicate(row('lt', 'LT', numeric, 'bool'));
/** a <= b. */
export const le: Predicate = predicate(row('le', 'LE', numeric, 'bool'));
/** a > b. */
export const gt: Predicate = predicate(row('gt', 'GT', numeric, 'bool'));
/** a >= b. */
export const ge: Predicate = predicate(row('ge', 'GE', numeric, 'bool'));
/** Whether both are not zero. */
export const logicalAnd: Predicate = predicate(row('logicalAnd', 'AND', every, 'bool'));
/** Whether either is not zero. */
export const logicalOr: Predicate = predicate(row('logicalOr', 'OR', every, 'bool'));
/** Whether exactly one is not zero. */
export const logicalXor: Predicate = predicate(row('logicalXor', 'XOR', every, 'bool'));

const reluRow = row('reluGradient', 'RELU_GRADIENT', ['float32'], 'same');
const sigmoidRow = row('sigmoidGradient', 'SIGMOID_GRADIENT', ['float32'], 'same');
const tanhRow = row('tanhGradient', 'TANH_GRADIENT', ['float32'], 'same');

/** 0 where y <= 0, else dy, NaN included; y is relu's result. */
export function reluGradient(dy: Tensor, y: Tensor): Tensor {
  return record(
    'reluGradient',
    apply(reluRow, dy, y),
    { dy },
    {
      saves: { y },
      backward: (ddy, saved) => ({ dy: reluGradient(ddy, saved.y) }),
    },
  );
}

/** dy * y * (1 - y); y is sigmoid's result. */
export function sigmoidGradient(dy: Tensor, y: Tensor): Tensor {
  return record(
    'sigmoidGradient',
    apply(sigmoidRow, dy, y),
    { dy, y },
    {
      saves: { dy, y },
      backward: (ddy, saved, needs) => ({
        dy: needs.dy && sigmoidGradient(ddy, saved.y),
        y: needs.y && mul(mul(ddy, saved.dy), sub(1, mul(saved.y, 2))),
      }),
    },
  );
}

/** dy * (1 - y^2); y is tanh's result. */
export function tanhGradient(dy: Tensor, y: Tensor): Tensor {
  return record(
    'tanhGradient',
    apply(tanhRow, dy, y),
    { dy, y },
    {
      saves: { dy, y },
      backward: (ddy, saved, needs) => ({
        dy: needs.dy && tanhGradient(ddy, saved.y),
        y: needs.y && mul(mul(ddy, saved.dy), mul(saved.y, -2)),
      }),
    },
  );
}
