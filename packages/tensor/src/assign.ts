import { expectTensor, kindOf } from './arguments.ts';
import { toTypedArray } from './dtype.ts';
import { DtypeError, ShapeError, ValueError } from './errors.ts';
import { show } from './ops/geometry.ts';
import { Tensor } from './tensor.ts';

/**
 * Overwrites the values of `target` in place: for optimisers, loading and running statistics. Backward through an
 * operation that saved the old values throws GradientError. Throws ShapeError and DtypeError where the source does not match.
 */
export function assign(target: Tensor, source: Tensor | ArrayLike<number>): void {
  expectTensor('assign', 'target', target);
  if (!(source instanceof Tensor)) {
    if (typeof source?.length !== 'number') {
      throw new ValueError(`assign: source must be a tensor or a list of numbers, got ${kindOf(source)}`);
    }
    if (source.length !== target.size) {
      throw new ShapeError(`assign: ${show(target.shape)} holds ${target.size} values, came ${source.length}`);
    }
    const array = toTypedArray(target.dtype, source);
    const storage = target.storage.device.upload(array);
    target.storage.device.copy({ storage, byteOffset: 0, bytes: target.bytes }, target, target.bytes);
    storage.release();
    return;
  }
  if (show(source.shape) !== show(target.shape)) {
    throw new ShapeError(`assign: the target is ${show(target.shape)}, the source ${show(source.shape)}`);
  }
  if (source.dtype !== target.dtype)
    throw new DtypeError(`assign: the target is ${target.dtype}, the source ${source.dtype}`);
  const { device, id } = target.storage;
  if (source.storage.id !== id) device.copy(source, target, target.bytes);
  else if (source.byteOffset !== target.byteOffset) {
    // WebGPU copies between buffers, not within one.
    const between = { storage: device.allocate(target.bytes), byteOffset: 0, bytes: target.bytes };
    device.copy(source, between, target.bytes);
    device.copy(between, target, target.bytes);
    between.storage.release();
  }
}
