// Operations that move values without changing them. Tensors are contiguous: reshape shares memory, the others copy with one
// strided kernel (or a buffer copy where the values are contiguous already).

import copyText from '@mien/shaders/shape/copyStrided.wgsl';
import { expectList, expectTensor } from '../arguments.ts';
import { record } from '../autograd.ts';
import { DtypeError, ShapeError, ValueError } from '../errors.ts';
import { kernel } from '../runtime/kernel.ts';
import { deviceOf, storageOf } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import { scope } from '../runtime/scope.ts';
import { type Window, windowOver } from '../runtime/split.ts';
import { newEmpty, viewOf } from '../runtime/tensorBase.ts';
import type { Tensor } from '../tensor.ts';
import { newFull } from './fill.ts';
import {
  broadcastStrides,
  checkShape,
  collapse,
  normalizeDim,
  normalizeDims,
  padded,
  type Shape,
  show,
  sizeOf,
  stridesOf,
} from './geometry.ts';
import { sumTo } from './sumTo.ts';

const copyAnywhere = kernel(copyText);
const copyRows = kernel(copyText, { WHOLE_ROWS: true });

/** A box of values in a tensor: its first element and the stride of each of the box's dimensions. */
export interface Walk {
  readonly offset: number;
  readonly strides: Shape;
}

/** Copies a box from x to y with separate strides; in halves where it spans more of either than can be bound. */
export function copyBox(x: Tensor, from: Walk, y: Tensor, to: Walk, box: Shape): void {
  const merged = collapse(box, [from.strides, to.strides]);
  const [xStrides, yStrides] = merged.strides as [number[], number[]];
  const size = sizeOf(box);
  const together = merged.shape.length === 0 || (merged.shape.length === 1 && xStrides[0] === 1 && yStrides[0] === 1);
  if (together) {
    const source = { storage: storageOf(x), byteOffset: x.byteOffset + 4 * from.offset, bytes: 4 * size };
    const target = { storage: storageOf(y), byteOffset: y.byteOffset + 4 * to.offset, bytes: 4 * size };
    deviceOf(x).copy(source, target, 4 * size);
    return;
  }
  const most = deviceOf(x).limits.maxStorageBufferBindingSize;
  const source = x.bytes <= most ? { memory: x, start: 0 } : touched(x, from.offset, xStrides, merged.shape);
  const target = y.bytes <= most ? { memory: y, start: 0 } : touched(y, to.offset, yStrides, merged.shape);
  const tooLong = source.memory.bytes > most ? xStrides : target.memory.bytes > most ? yStrides : null;
  if (tooLong) {
    const { dim, half, rest } = halved(merged.shape, tooLong);
    const [xStep, yStep] = [half * (xStrides[dim] as number), half * (yStrides[dim] as number)];
    const fromHalf = { offset: from.offset + xStep, strides: xStrides };
    const toHalf = { offset: to.offset + yStep, strides: yStrides };
    copyBox(x, { ...from, strides: xStrides }, y, { ...to, strides: yStrides }, merged.shape.with(dim, half));
    copyBox(x, fromHalf, y, toHalf, merged.shape.with(dim, rest));
    return;
  }
  const elements = copyAnywhere.const('ELEMENTS');
  run(
    (merged.shape.at(-1) as number) % elements === 0 ? copyRows : copyAnywhere,
    { x: source.memory, y: target.memory },
    {
      size,
      rank: merged.shape.length,
      xOffset: from.offset - source.start,
      yOffset: to.offset - target.start,
      shape: padded(merged.shape, 1),
      xStrides: padded(xStrides, 0),
      yStrides: padded(yStrides, 0),
    },
    Math.ceil(size / (elements * copyAnywhere.const('LANES'))),
  );
}

/** The dimension along which `strides` reach farthest, and its two halves. */
function halved(shape: Shape, strides: Shape): { dim: number; half: number; rest: number } {
  const reaches = strides.map((stride, dim) => Math.abs(stride) * ((shape[dim] as number) - 1));
  const dim = reaches.indexOf(Math.max(...reaches));
  const half = Math.ceil((shape[dim] as number) / 2);
  return { dim, half, rest: (shape[dim] as number) - half };
}

/** The window over the elements that a walk through `shape` touches. */
function touched(tensor: Tensor, offset: number, strides: Shape, shape: Shape): Window {
  let [first, last] = [offset, offset];
  for (const [dim, stride] of strides.entries()) {
    const reach = stride * ((shape[dim] as number) - 1);
    if (reach < 0) first += reach;
    else last += reach;
  }
  return windowOver(tensor, first, last + 1);
}

/** x, read by `walk`, as a new tensor of shape `shape`. */
function gathered(x: Tensor, walk: Walk, shape: Shape): Tensor {
  const y = newEmpty(x, shape);
  copyBox(x, walk, y, { offset: 0, strides: stridesOf(shape) }, shape);
  return y;
}

/** The same values in another shape, sharing memory; one size may be -1, which is inferred. Throws ShapeError. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const wanted = inferShape(x.shape, shape);
  const before = x.shape;
  return record('reshape', viewOf(x, wanted), { x }, { saves: {}, backward: (dy) => ({ x: reshape(dy, before) }) });
}

function inferShape(from: Shape, shape: Shape): Shape {
  expectList('reshape', 'shape', shape);
  const open = shape.indexOf(-1);
  const known = sizeOf(shape.filter((size) => size !== -1));
  const wanted = open < 0 ? shape : shape.map((size, dim) => (dim === open ? sizeOf(from) / known : size));
  if (
    shape.indexOf(-1, open + 1) > open ||
    sizeOf(wanted) !== sizeOf(from) ||
    !wanted.every((size) => Number.isInteger(size) && size > 0)
  ) {
    throw new ShapeError(`reshape: expected a shape of ${sizeOf(from)} elements for ${show(from)}, got ${show(shape)}`);
  }
  checkShape('reshape', wanted);
  return wanted;
}

/** Dimensions in another order: y.shape[i] = x.shape[order[i]]. Throws ValueError unless `order` has each dimension once. */
export function permute(x: Tensor, order: Shape): Tensor {
  expectList('permute', 'order', order);
  const dims = order.map((dim) => normalizeDim('permute', dim, x.rank));
  if (dims.length !== x.rank || new Set(dims).size !== x.rank) {
    throw new ValueError(`permute: order must name each dimension of ${show(x.shape)} once, got ${show(order)}`);
  }
  const strides = stridesOf(x.shape);
  const walk = { offset: 0, strides: dims.map((dim) => strides[dim] as number) };
  const y = gathered(
    x,
    walk,
    dims.map((dim) => x.shape[dim] as number),
  );
  const inverse = dims.map((_, dim) => dims.indexOf(dim));
  return record('permute', y, { x }, { saves: {}, backward: (dy) => ({ x: permute(dy, inverse) }) });
}

/** x with two dimensions exchanged. */
export function transpose(x: Tensor, a: number, b: number): Tensor {
  const order = x.shape.map((_, dim) => dim);
  const [first, second] = [normalizeDim('transpose', a, x.rank), normalizeDim('transpose', b, x.rank)];
  order[first] = second;
  order[second] = first;
  return permute(x, order);
}

/**
 * Elements start, start + step, ... before `end` along `dim`; negative positions count from the back, and positions
 * outside are clamped, as in Python. Throws ValueError for a step below 1, ShapeError for an empty result.
 */
export function slice(x: Tensor, dim: number, start = 0, end: number = Number.POSITIVE_INFINITY, step = 1): Tensor {
  const along = normalizeDim('slice', dim, x.rank);
  const size = x.shape[along] as number;
  if (!Number.isInteger(step) || step < 1) {
    throw new ValueError(`slice: step must be a positive integer, got ${step}; reverse with flip`);
  }
  if (!Number.isInteger(start) || !(Number.isInteger(end) || end === Number.POSITIVE_INFINITY)) {
    throw new ValueError(`slice: start and end must be integers, got ${start} and ${end}`);
  }
  const place = (position: number): number => Math.min(Math.max(position < 0 ? position + size : position, 0), size);
  const [first, last] = [place(start), place(end)];
  const count = Math.ceil((last - first) / step);
  if (!(count >= 1))
    throw new ShapeError(
      `slice: expected at least one element, got ${start}..${end} of dim ${dim} (x ${show(x.shape)})`,
    );
  const shape = x.shape.map((length, d) => (d === along ? count : length));
  const strides = stridesOf(x.shape);
  const offset = first * (strides[along] as number);
  const walk = { offset, strides: strides.map((stride, d) => (d === along ? stride * step : stride)) };
  const shapeX = x.shape;
  return record(
    'slice',
    gathered(x, walk, shape),
    { x },
    {
      saves: {},
      backward: (dy) => ({ x: placed(dy, shapeX, walk, along, [first, last, step]) }),
    },
  );
}

/** Zeros of shape `shapeX` with dy at the place of a slice: the gradient of `slice`, whose gradient is the slice. */
function placed(dy: Tensor, shapeX: Shape, walk: Walk, dim: number, range: readonly [number, number, number]): Tensor {
  const y = newFull(dy, shapeX, 0);
  copyBox(dy, { offset: 0, strides: stridesOf(dy.shape) }, y, walk, dy.shape);
  return record('placed', y, { dy }, { saves: {}, backward: (ddy) => ({ dy: slice(ddy, dim, ...range) }) });
}

/** x with the order of elements reversed along `dims`. */
export function flip(x: Tensor, dims: number | Shape): Tensor {
  const over = normalizeDims('flip', dims, x.rank);
  const strides = stridesOf(x.shape);
  let offset = 0;
  for (const dim of over) {
    offset += ((x.shape[dim] as number) - 1) * (strides[dim] as number);
    strides[dim] = -(strides[dim] as number);
  }
  const y = gathered(x, { offset, strides }, x.shape);
  return record('flip', y, { x }, { saves: {}, backward: (dy) => ({ x: flip(dy, over) }) });
}

/** x broadcast to `shape`, which may have more leading dimensions; -1 keeps a size. The values are copied. */
export function expand(x: Tensor, shape: Shape): Tensor {
  expectList('expand', 'shape', shape);
  const lead = shape.length - x.rank;
  const wanted = shape.map((size, dim) => (size === -1 && dim >= lead ? (x.shape[dim - lead] as number) : size));
  const fits = lead >= 0 && x.shape.every((size, dim) => size === 1 || size === wanted[dim + lead]);
  if (!fits)
    throw new ShapeError(
      `expand: expected a shape that ${show(x.shape)} broadcasts to, got ${show(shape)}; only sizes of 1 can be expanded`,
    );
  checkShape('expand', wanted);
  const before = x.shape;
  const y = gathered(x, { offset: 0, strides: broadcastStrides(before, wanted) }, wanted);
  return record('expand', y, { x }, { saves: {}, backward: (dy) => ({ x: sumTo(dy, before) }) });
}

function firstOf(name: string, tensors: readonly Tensor[]): Tensor {
  expectList(name, 'tensors', tensors);
  if (tensors.length === 0) throw new ValueError(`${name}: expected at least one tensor, got none`);
  for (const [i, x] of tensors.entries()) expectTensor(name, `tensor ${i}`, x);
  return tensors[0] as Tensor;
}

/** Concatenates tensors along `dim`; all other sizes must agree. Throws ShapeError and DtypeError. */
export function cat(tensors: readonly Tensor[], dim = 0): Tensor {
  const first = firstOf('cat', tensors);
  const along = normalizeDim('cat', dim, first.rank);
  for (const x of tensors) {
    if (x.dtype !== first.dtype)
      throw new DtypeError(
        `cat: expected tensors of one dtype, got ${first.dtype} and ${x.dtype}; convert with to(dtype)`,
      );
    if (x.rank !== first.rank || x.shape.some((size, d) => d !== along && size !== first.shape[d])) {
      throw new ShapeError(
        `cat: expected sizes that agree except along dim ${along}, got ${show(first.shape)} and ${show(x.shape)}`,
      );
    }
  }
  const lengths = tensors.map((x) => x.shape[along] as number);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const shape = first.shape.map((size, d) => (d === along ? total : size));
  const y = newEmpty(first, shape);
  const strides = stridesOf(shape);
  const starts: number[] = [];
  let start = 0;
  for (const x of tensors) {
    copyBox(
      x,
      { offset: 0, strides: stridesOf(x.shape) },
      y,
      { offset: start * (strides[along] as number), strides },
      x.shape,
    );
    starts.push(start);
    start += x.shape[along] as number;
  }
  const inputs = Object.fromEntries(tensors.map((x, i) => [String(i), x]));
  return record('cat', y, inputs, {
    saves: {},
    backward: (dy, _saved, needs) =>
      Object.fromEntries(
        starts.map((at, i) => [String(i), needs[String(i)] ? slice(dy, along, at, at + (lengths[i] as number)) : null]),
      ),
  });
}

/** Concatenates tensors of one shape along a new dimension `dim`. */
export function stack(tensors: readonly Tensor[], dim = 0): Tensor {
  const first = firstOf('stack', tensors);
  const along = normalizeDim('stack', dim, first.rank + 1);
  return scope(() =>
    cat(
      tensors.map((x) => reshape(x, [...x.shape.slice(0, along), 1, ...x.shape.slice(along)])),
      along,
    ),
  );
}
