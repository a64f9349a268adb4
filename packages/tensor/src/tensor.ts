// An n-dimensional array: its operations as methods. Its memory, graph and gradient are in `runtime/tensorBase.ts`.
import { expectBoolean, expectOptions, expectTensor, kindOf } from './arguments.ts';
import { bytesPerElement, type DType, expectDtype, expectDtypeName, toTypedArray } from './dtype.ts';
import { DtypeError, GradientError, ShapeError, ValueError } from './errors.ts';
import { accumulate, type BackwardOptions, propagate } from './graph/backward.ts';
import { at, type TensorIndex } from './ops/at.ts';
import * as binary from './ops/binary.ts';
import { to } from './ops/cast.ts';
import * as exponential from './ops/exponential.ts';
import { newFull } from './ops/fill.ts';
import * as finite from './ops/finite.ts';
import { indexSelect } from './ops/gatherSelect.ts';
import { checkShape, type Shape, show, sizeOf } from './ops/geometry.ts';
import { matmul } from './ops/matmul.ts';
import * as dependent from './ops/nonzero.ts';
import * as reduce from './ops/reduce.ts';
import * as scatters from './ops/scatter.ts';
import * as shapes from './ops/shape.ts';
import * as parts from './ops/shapeParts.ts';
import * as views from './ops/shapeViews.ts';
import { lerp } from './ops/ternary.ts';
import { tril, triu } from './ops/triangle.ts';
import * as trigonometry from './ops/trigonometry.ts';
import * as unary from './ops/unary.ts';
import { currentDevice } from './runtime/defaultDevice.ts';
import type { BoundRange } from './runtime/device.ts';
import { storageOf } from './runtime/memoryRange.ts';
import { scope } from './runtime/scope.ts';
import type { Storage } from './runtime/storage.ts';
import { Share, TensorBase } from './runtime/tensorBase.ts';

const backwardOptions = ['keepGraph', 'createGraph'];

/** A tensor over device memory, taking over one reference to `storage`. */
export let tensorOver: (storage: Storage, shape: Shape, dtype: DType, byteOffset?: number) => Tensor;

/**
 * An n-dimensional array on the device, contiguous in row-major order, of rank 0 to 8 and at least one element. Operations make new
 * tensors; only optimizers and `assign` write in place. Owned by the scope that it was made in; outside of all scopes, call
 * `dispose()`.
 */
export class Tensor extends TensorBase {
  static {
    tensorOver = (storage, shape, dtype, byteOffset = 0) =>
      new Tensor(new Share(storage, null), shape, dtype, byteOffset);
  }

  /**
   * Adds the derivative of this tensor to the `grad` of every leaf before it. A tensor of more than one element needs
   * `gradient`, the derivative by this tensor. Throws GradientError where nothing was recorded or the graph was freed.
   */
  backward(gradient: Tensor | null = null, options: BackwardOptions = {}): void {
    if (!this.requiresGrad) throw new GradientError('backward: no leaf before this tensor requires a gradient');
    if (!gradient && this.size !== 1) {
      throw new GradientError(
        `backward: ${show(this.shape)} has ${this.size} elements; reduce it to one, or pass its gradient`,
      );
    }
    if (gradient !== null) expectTensor('backward', 'the gradient', gradient);
    expectOptions('backward', options, backwardOptions);
    expectBoolean('backward', 'keepGraph', options.keepGraph ?? false);
    expectBoolean('backward', 'createGraph', options.createGraph ?? false);
    if (gradient && show(gradient.shape) !== show(this.shape)) {
      throw new ShapeError(`backward: the tensor is ${show(this.shape)}, the gradient ${show(gradient.shape)}`);
    }
    if (gradient) expectDtype('backward', 'the gradient', gradient, 'float32');
    scope(() => {
      const root = { output: this, gradient: gradient ?? newFull(this, this.shape, 1) };
      propagate([root], options, (target, found) => target instanceof Tensor && accumulate(target, found));
    });
  }

  /** this + other. */
  add(other: Tensor | number): Tensor {
    return binary.add(this, other);
  }

  /** this - other. */
  sub(other: Tensor | number): Tensor {
    return binary.sub(this, other);
  }

  /** this * other, element by element. */
  mul(other: Tensor | number): Tensor {
    return binary.mul(this, other);
  }

  /** this / other. */
  div(other: Tensor | number): Tensor {
    return binary.div(this, other);
  }

  /** this to the power of other. */
  pow(other: Tensor | number): Tensor {
    return binary.pow(this, other);
  }

  /** The angle of the point (other, this) in radians, from -pi to pi. */
  atan2(other: Tensor | number): Tensor {
    return binary.atan2(this, other);
  }

  /** The remainder of this / other with the sign of `other`: this - other * floor(this / other). */
  remainder(other: Tensor | number): Tensor {
    return binary.remainder(this, other);
  }

  /** The remainder of this / other with the sign of this: this - other * trunc(this / other). */
  fmod(other: Tensor | number): Tensor {
    return binary.fmod(this, other);
  }

  /** The larger of both, element by element. */
  maximum(other: Tensor | number): Tensor {
    return binary.maximum(this, other);
  }

  /** The smaller of both, element by element. */
  minimum(other: Tensor | number): Tensor {
    return binary.minimum(this, other);
  }

  /** this == other, as bool. */
  eq(other: Tensor | number): Tensor {
    return binary.eq(this, other);
  }

  /** this != other, as bool. */
  ne(other: Tensor | number): Tensor {
    return binary.ne(this, other);
  }

  /** this < other, as bool. */
  lt(other: Tensor | number): Tensor {
    return binary.lt(this, other);
  }

  /** this <= other, as bool. */
  le(other: Tensor | number): Tensor {
    return binary.le(this, other);
  }

  /** this > other, as bool. */
  gt(other: Tensor | number): Tensor {
    return binary.gt(this, other);
  }

  /** this >= other, as bool. */
  ge(other: Tensor | number): Tensor {
    return binary.ge(this, other);
  }

  /** Both are not zero. */
  logicalAnd(other: Tensor | number): Tensor {
    return binary.logicalAnd(this, other);
  }

  /** Either is not zero. */
  logicalOr(other: Tensor | number): Tensor {
    return binary.logicalOr(this, other);
  }

  /** Exactly one is not zero. */
  logicalXor(other: Tensor | number): Tensor {
    return binary.logicalXor(this, other);
  }

  /** It is zero. */
  logicalNot(): Tensor {
    return binary.eq(this, 0);
  }

  /** Whether each element is NaN, as bool. */
  isnan(): Tensor {
    return finite.isnan(this);
  }

  /** Whether each element is Infinity or -Infinity, as bool. */
  isinf(): Tensor {
    return finite.isinf(this);
  }

  /** Whether each element is neither NaN nor infinite, as bool. */
  isfinite(): Tensor {
    return finite.isfinite(this);
  }

  /** this + weight * (end - this). */
  lerp(end: Tensor, weight: Tensor | number): Tensor {
    return lerp(this, end, weight);
  }

  /** -x. */
  neg(): Tensor {
    return unary.neg(this);
  }

  /** |x|. */
  abs(): Tensor {
    return unary.abs(this);
  }

  /** -1, 0 or 1 by the sign of x, NaN for NaN; the derivative is 0. */
  sign(): Tensor {
    return unary.sign(this);
  }

  /** e to the power of x. */
  exp(): Tensor {
    return unary.exp(this);
  }

  /** The natural logarithm. */
  log(): Tensor {
    return unary.log(this);
  }

  /** The square root. */
  sqrt(): Tensor {
    return unary.sqrt(this);
  }

  /** 1 / sqrt(x). */
  rsqrt(): Tensor {
    return unary.rsqrt(this);
  }

  /** x * x. */
  square(): Tensor {
    return unary.square(this);
  }

  /** max(x, 0). */
  relu(): Tensor {
    return unary.relu(this);
  }

  /** 1 / (1 + exp(-x)). */
  sigmoid(): Tensor {
    return unary.sigmoid(this);
  }

  /** The hyperbolic tangent. */
  tanh(): Tensor {
    return unary.tanh(this);
  }

  /** x * sigmoid(x). */
  silu(): Tensor {
    return unary.silu(this);
  }

  /** The largest integer of at most x. Integer tensors keep their dtype; the derivative is 0. */
  floor(): Tensor {
    return unary.floor(this);
  }

  /** The smallest integer of at least x. Integer tensors keep their dtype; the derivative is 0. */
  ceil(): Tensor {
    return unary.ceil(this);
  }

  /** The nearest integer; halves go to the even one. Integer tensors keep their dtype; the derivative is 0. */
  round(): Tensor {
    return unary.round(this);
  }

  /** x without its fraction. Integer tensors keep their dtype; the derivative is 0. */
  trunc(): Tensor {
    return unary.trunc(this);
  }

  /** The fraction of x, with its sign. */
  frac(): Tensor {
    return unary.frac(this);
  }

  /** 1 / x. */
  reciprocal(): Tensor {
    return unary.reciprocal(this);
  }

  /** The error function. */
  erf(): Tensor {
    return unary.erf(this);
  }

  /** 1 - erf(x), with its digits where that is small. */
  erfc(): Tensor {
    return unary.erfc(this);
  }

  /** The inverse of erf; NaN beyond -1 and 1. */
  erfinv(): Tensor {
    return unary.erfinv(this);
  }

  /** The sine of an angle in radians. */
  sin(): Tensor {
    return trigonometry.sin(this);
  }

  /** The cosine of an angle in radians. */
  cos(): Tensor {
    return trigonometry.cos(this);
  }

  /** The tangent of an angle in radians. */
  tan(): Tensor {
    return trigonometry.tan(this);
  }

  /** The arcsine; NaN beyond -1 and 1. */
  asin(): Tensor {
    return trigonometry.asin(this);
  }

  /** The arccosine; NaN beyond -1 and 1. */
  acos(): Tensor {
    return trigonometry.acos(this);
  }

  /** The arctangent. */
  atan(): Tensor {
    return trigonometry.atan(this);
  }

  /** 2 to the power of x. */
  exp2(): Tensor {
    return exponential.exp2(this);
  }

  /** exp(x) - 1, with its digits near 0. */
  expm1(): Tensor {
    return exponential.expm1(this);
  }

  /** The logarithm to base 2. */
  log2(): Tensor {
    return exponential.log2(this);
  }

  /** The logarithm to base 10. */
  log10(): Tensor {
    return exponential.log10(this);
  }

  /** ln(1 + x), with its digits near 0. */
  log1p(): Tensor {
    return exponential.log1p(this);
  }

  /** The hyperbolic sine. */
  sinh(): Tensor {
    return exponential.sinh(this);
  }

  /** The hyperbolic cosine. */
  cosh(): Tensor {
    return exponential.cosh(this);
  }

  /** The inverse of the hyperbolic sine. */
  asinh(): Tensor {
    return exponential.asinh(this);
  }

  /** The inverse of the hyperbolic cosine; NaN below 1. */
  acosh(): Tensor {
    return exponential.acosh(this);
  }

  /** The inverse of the hyperbolic tangent; NaN beyond -1 and 1. */
  atanh(): Tensor {
    return exponential.atanh(this);
  }

  /** The sum over `dims`, or over all. */
  sum(dims?: reduce.Dims, options?: reduce.ReduceOptions): Tensor {
    return reduce.sum(this, dims, options);
  }

  /** The mean over `dims`, or over all. */
  mean(dims?: reduce.Dims, options?: reduce.ReduceOptions): Tensor {
    return reduce.mean(this, dims, options);
  }

  /** The largest value over `dims`, or over all. */
  max(dims?: reduce.Dims, options?: reduce.ReduceOptions): Tensor {
    return reduce.max(this, dims, options);
  }

  /** The smallest value over `dims`, or over all. */
  min(dims?: reduce.Dims, options?: reduce.ReduceOptions): Tensor {
    return reduce.min(this, dims, options);
  }

  /** The unbiased variance over `dims`, or over all. */
  variance(dims?: reduce.Dims, options?: reduce.VarianceOptions): Tensor {
    return reduce.variance(this, dims, options);
  }

  /** The standard deviation, unbiased in its variance, over `dims`, or over all. */
  std(dims?: reduce.Dims, options?: reduce.VarianceOptions): Tensor {
    return reduce.std(this, dims, options);
  }

  /** The index of the first largest value along `dim`, or in the flattened tensor. */
  argmax(dim?: number, options?: reduce.ReduceOptions): Tensor {
    return reduce.argmax(this, dim, options);
  }

  /** The index of the first smallest value along `dim`, or in the flattened tensor. */
  argmin(dim?: number, options?: reduce.ReduceOptions): Tensor {
    return reduce.argmin(this, dim, options);
  }

  /** The same values in another shape; one size may be -1. */
  reshape(shape: Shape): Tensor {
    return shapes.reshape(this, shape);
  }

  /** Two dimensions exchanged. */
  transpose(a: number, b: number): Tensor {
    return shapes.transpose(this, a, b);
  }

  /** Dimensions in another order. */
  permute(order: Shape): Tensor {
    return shapes.permute(this, order);
  }

  /** Elements start, start + step, ... before end along `dim`. */
  slice(dim: number, start?: number, end?: number, step?: number): Tensor {
    return shapes.slice(this, dim, start, end, step);
  }

  /** The order of elements reversed along `dims`. */
  flip(dims: number | Shape): Tensor {
    return shapes.flip(this, dims);
  }

  /** Sizes of 1 stretched to `shape`. */
  expand(shape: Shape): Tensor {
    return shapes.expand(this, shape);
  }

  /**
   * Elements by one index per dimension: a position (which removes the dimension), `[start, stop, step]`, an int32 tensor of
   * positions, null for a new dimension, '...' for all dimensions between. `x.at(0)`, `x.at('...', [0, -1])`.
   */
  at(...indices: readonly TensorIndex[]): Tensor {
    return at(this, ...indices);
  }

  /** Without its dimensions of size 1, or those among `dims`. */
  squeeze(dims?: number | Shape): Tensor {
    return views.squeeze(this, dims);
  }

  /** With a new dimension of size 1 before `dim`. */
  unsqueeze(dim: number): Tensor {
    return views.unsqueeze(this, dim);
  }

  /** Dimensions from `startDim` to `endDim`, included, merged to one. */
  flatten(startDim?: number, endDim?: number): Tensor {
    return views.flatten(this, startDim, endDim);
  }

  /** `dim` divided into `sizes`, of which one may be -1. */
  unflatten(dim: number, sizes: Shape): Tensor {
    return views.unflatten(this, dim, sizes);
  }

  /** Consecutive parts along `dim`: of `sizes` elements each, or of the listed sizes. */
  split(sizes: number | Shape, dim?: number): Tensor[] {
    return parts.split(this, sizes, dim);
  }

  /** At most `count` consecutive parts along `dim`. */
  chunk(count: number, dim?: number): Tensor[] {
    return parts.chunk(this, count, dim);
  }

  /** Repeated `counts` times, a count for each dimension; more counts add dimensions in front. */
  repeat(counts: Shape): Tensor {
    return parts.repeat(this, counts);
  }

  /** Repeated `counts` times along the last dimensions; more counts add dimensions in front. */
  tile(counts: Shape): Tensor {
    return parts.tile(this, counts);
  }

  /** Elements moved by `shifts` along `dims`, or in the flattened tensor, those beyond the end to the start. */
  roll(shifts: number | Shape, dims?: number | Shape): Tensor {
    return parts.roll(this, shifts, dims);
  }

  /** The lower triangle of each matrix, 0 elsewhere: columns up to row + diagonal. */
  tril(diagonal?: number): Tensor {
    return tril(this, diagonal);
  }

  /** The upper triangle of each matrix, 0 elsewhere: columns from row + diagonal. */
  triu(diagonal?: number): Tensor {
    return triu(this, diagonal);
  }

  /** Slices along `dim` by index [K], which may repeat. */
  indexSelect(dim: number, index: Tensor): Tensor {
    return indexSelect(this, dim, index);
  }

  /** With `src` written at the index along `dim`; of equal indices the last one wins. */
  scatter(dim: number, index: Tensor, src: Tensor | number): Tensor {
    return scatters.scatter(this, dim, index, src);
  }

  /** With `src` added at the index along `dim`. */
  scatterAdd(dim: number, index: Tensor, src: Tensor): Tensor {
    return scatters.scatterAdd(this, dim, index, src);
  }

  /** With slices of `source` added along `dim` by index [K]. */
  indexAdd(dim: number, index: Tensor, source: Tensor): Tensor {
    return scatters.indexAdd(this, dim, index, source);
  }

  /** Resolves with the positions of the elements that are not 0, int32 [count, rank]; null if there are none. */
  nonzero(): Promise<Tensor | null> {
    return dependent.nonzero(this);
  }

  /** Resolves with the elements where `mask` is true, [count]; null if there are none. */
  maskedSelect(mask: Tensor): Promise<Tensor | null> {
    return dependent.maskedSelect(this, mask);
  }

  /** Resolves with the distinct values, ascending, [count]. */
  unique(): Promise<Tensor> {
    return dependent.unique(this);
  }

  /** The matrix product. */
  matmul(other: Tensor): Tensor {
    return matmul(this, other);
  }

  /** The same values as another dtype. */
  to(dtype: DType): Tensor {
    return to(this, dtype);
  }
}

/** A tensor with arbitrary content, for kernels to write. Throws ShapeError for a shape without elements. */
export function empty(shape: Shape, dtype: DType = 'float32'): Tensor {
  checkShape('empty', shape);
  expectDtypeName('empty', dtype);
  return tensorOver(currentDevice().allocate(sizeOf(shape) * bytesPerElement, shape), [...shape], dtype);
}

/**
 * Overwrites the values of `target` in place: for optimizers, loading and running statistics. Backward through an operation that
 * saved the old values throws GradientError. Throws ShapeError or DtypeError if the source does not match.
 */
export function assign(target: Tensor, source: Tensor | ArrayLike<number>): void {
  expectTensor('assign', 'target', target);
  if (!(source instanceof Tensor)) {
    if (typeof source?.length !== 'number') {
      throw new ValueError(`assign: source must be a tensor or a list of numbers, got ${kindOf(source)}`);
    }
    if (source.length !== target.size) {
      throw new ShapeError(
        `assign: expected ${target.size} values for shape ${show(target.shape)}, got ${source.length}`,
      );
    }
    const array = toTypedArray(target.dtype, source);
    const { device } = storageOf(target);
    const storage = device.upload(array);
    device.copy({ storage, byteOffset: 0, bytes: target.bytes }, rangeOf(target), target.bytes);
    storage.release();
    return;
  }
  if (show(source.shape) !== show(target.shape)) {
    throw new ShapeError(`assign: expected source of shape ${show(target.shape)}, got ${show(source.shape)}`);
  }
  if (source.dtype !== target.dtype)
    throw new DtypeError(
      `assign: expected source to be ${target.dtype}, got ${source.dtype}; convert with to('${target.dtype}')`,
    );
  const [from, to] = [rangeOf(source), rangeOf(target)];
  const { device, id } = to.storage;
  if (from.storage.id !== id) device.copy(from, to, target.bytes);
  else if (source.byteOffset !== target.byteOffset) {
    // WebGPU copies between buffers, not within one.
    const between = { storage: device.allocate(target.bytes), byteOffset: 0, bytes: target.bytes };
    device.copy(from, between, target.bytes);
    device.copy(between, to, target.bytes);
    between.storage.release();
  }
}

function rangeOf(x: Tensor): BoundRange {
  return { storage: storageOf(x), byteOffset: x.byteOffset, bytes: x.bytes };
}
