// Tensors from numbers. Values of arange, linspace and eye are computed on the host.
import { inspect } from '../anomaly.ts';
import { expectBoolean, expectInteger, expectNumber, expectOptions, kindOf } from '../arguments.ts';
import { bytesPerElement, type DType, type TypedArray, toTypedArray } from '../dtype.ts';
import { DtypeError, LimitError, ShapeError, ValueError } from '../errors.ts';
import { currentDevice } from '../runtime/defaultDevice.ts';
import { makeLeaf } from '../runtime/tensorBase.ts';
import { empty, type Tensor, tensorOver } from '../tensor.ts';
import { fillWith } from './fill.ts';
import { checkShape, type Shape, show, sizeOf } from './geometry.ts';

/** Numbers nested to the depth of the shape; booleans make a bool tensor. */
export type Nested = number | boolean | readonly Nested[];

/** A shape with its values in row-major order. */
export interface FlatValues {
  readonly shape: Shape;
  readonly data: ArrayLike<number>;
}

/** Options of creation functions. */
export interface CreateOptions {
  /** Default `float32`; `bool` for nested booleans; an Int32Array or Uint32Array keeps its type. */
  readonly dtype?: DType;
  /** Make it a leaf whose `grad` backward fills. Default false. */
  readonly requiresGrad?: boolean;
}

const createOptions = ['dtype', 'requiresGrad'];
const tensorOptions = [...createOptions, 'shape'];

function expectCreateOptions(name: string, options: CreateOptions, names: readonly string[] = createOptions): void {
  expectOptions(name, options, names);
  expectBoolean(name, 'requiresGrad', options.requiresGrad ?? false);
}

/**
 * A tensor of the values: nested arrays, a flat array with `shape`, or `{ shape, data }`. Throws ShapeError where rows
 * differ in length or counts disagree.
 */
export function tensor(
  values: Nested | FlatValues | ArrayLike<number>,
  options: CreateOptions & { readonly shape?: Shape } = {},
): Tensor {
  expectCreateOptions('tensor', options, tensorOptions);
  const { shape, data, dtype } = flatten(values, options.shape);
  checkShape('tensor', shape);
  if (data.length !== sizeOf(shape)) {
    throw new ShapeError(`tensor: expected ${sizeOf(shape)} values for shape ${show(shape)}, got ${data.length}`);
  }
  const chosen = options.dtype ?? dtype;
  const array = isTyped(data, chosen) ? data : toTypedArray(chosen, data);
  return leaf(tensorOver(currentDevice().upload(array, shape), shape, chosen), options);
}

/** A tensor filled with `value`. */
export function full(shape: Shape, value: number, options: CreateOptions = {}): Tensor {
  return filled('full', shape, value, options);
}

function filled(name: string, shape: Shape, value: number, options: CreateOptions): Tensor {
  expectCreateOptions(name, options);
  const y = empty(shape, options.dtype ?? 'float32');
  fillWith(y, value);
  inspect('full', y);
  return leaf(y, options);
}

/** A tensor of zeros. */
export function zeros(shape: Shape, options: CreateOptions = {}): Tensor {
  return filled('zeros', shape, 0, options);
}

/** A tensor of ones. */
export function ones(shape: Shape, options: CreateOptions = {}): Tensor {
  return filled('ones', shape, 1, options);
}

/** start, start + step, ... below `end`: [ceil((end - start) / step)]. Throws ValueError where that is empty. */
export function arange(start: number, end: number, step = 1, options: CreateOptions = {}): Tensor {
  expectCreateOptions('arange', options);
  for (const [name, value] of Object.entries({ start, end, step })) expectNumber('arange', name, value);
  const count = Math.ceil((end - start) / step);
  if (!(count >= 1) || !Number.isFinite(count)) {
    throw new ValueError(`arange: expected at least one element, got none from ${start} to ${end} by ${step}`);
  }
  expectRoom('arange', count);
  return tensor(
    Float64Array.from({ length: count }, (_, i) => start + i * step),
    options,
  );
}

/** `count` values from `start` to `end`, both included: [count]. */
export function linspace(start: number, end: number, count: number, options: CreateOptions = {}): Tensor {
  expectCreateOptions('linspace', options);
  for (const [name, value] of Object.entries({ start, end })) expectNumber('linspace', name, value);
  expectInteger('linspace', 'count', count);
  expectRoom('linspace', count);
  const step = count === 1 ? 0 : (end - start) / (count - 1);
  return tensor(
    Float64Array.from({ length: count }, (_, i) => (i === count - 1 && i > 0 ? end : start + i * step)),
    options,
  );
}

/** Throws LimitError for a list that no buffer can hold, before the host makes it. */
function expectRoom(name: string, count: number): void {
  const most = currentDevice().limits.maxBufferSize / bytesPerElement;
  if (count > most)
    throw new LimitError(`${name}: expected at most ${most} elements, this adapter's limit, got ${count}`);
}

/** The identity matrix, or its first rows: [rows, columns]. */
export function eye(rows: number, columns: number = rows, options: CreateOptions = {}): Tensor {
  expectCreateOptions('eye', options);
  checkShape('eye', [rows, columns]);
  expectRoom('eye', rows * columns);
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < Math.min(rows, columns); i++) data[i * columns + i] = 1;
  return tensor({ shape: [rows, columns], data }, options);
}

function leaf(x: Tensor, { requiresGrad = false }: CreateOptions): Tensor {
  if (requiresGrad) makeLeaf(x);
  return x;
}

function isTyped(data: ArrayLike<number>, dtype: DType): data is TypedArray {
  if (
    !ArrayBuffer.isView(data) ||
    !(data.buffer instanceof ArrayBuffer) ||
    data.length * bytesPerElement !== data.byteLength
  )
    return false;
  if (dtype === 'float32') return data instanceof Float32Array;
  return dtype === 'int32' ? data instanceof Int32Array : dtype === 'uint32' && data instanceof Uint32Array;
}

interface Flat {
  readonly shape: Shape;
  readonly data: ArrayLike<number>;
  readonly dtype: DType;
}

function flatten(values: Nested | FlatValues | ArrayLike<number>, shape: Shape | undefined): Flat {
  if (ArrayBuffer.isView(values)) {
    const data = values as unknown as ArrayLike<number>;
    const dtype = values instanceof Int32Array ? 'int32' : values instanceof Uint32Array ? 'uint32' : 'float32';
    return { shape: shape ?? [data.length ?? 0], data, dtype };
  }
  if (isFlat(values)) return { ...flatten(values.data, values.shape), shape: values.shape };
  const nested = values as Nested;
  const data: (number | boolean)[] = [];
  const inferred = shapeOf(nested);
  collect(nested, inferred, 0, data);
  const dtype = typeof data[0] === 'boolean' ? 'bool' : 'float32';
  return { shape: shape ?? inferred, data: data.map(Number), dtype };
}

/** Whether it is `{ shape, data }`. A tensor is not: its data is a function. */
function isFlat(values: unknown): values is FlatValues {
  if (typeof values !== 'object' || values === null || Array.isArray(values) || !('data' in values)) return false;
  return typeof values.data === 'object' && values.data !== null;
}

function shapeOf(values: Nested): number[] {
  if (!Array.isArray(values)) return [];
  return [values.length, ...(values.length > 0 ? shapeOf(values[0] as Nested) : [])];
}

function collect(values: Nested, shape: Shape, depth: number, into: (number | boolean)[]): void {
  if (typeof values === 'number' || typeof values === 'boolean') {
    if (depth !== shape.length)
      throw new ShapeError(`tensor: expected a list at depth ${depth} of shape ${show(shape)}, got a number`);
    into.push(values);
    return;
  }
  if (!Array.isArray(values)) {
    throw new DtypeError(
      `tensor: expected numbers, nested arrays of numbers, a typed array or { shape, data }, got ${kindOf(values)}${depth > 0 ? ` (element ${into.length})` : ''}`,
    );
  }
  if (values.length !== shape[depth]) {
    throw new ShapeError(
      `tensor: expected rows of ${shape[depth] ?? 0} values at depth ${depth}, got ${values.length}`,
    );
  }
  for (const value of values) collect(value, shape, depth + 1, into);
}
