// Operations whose shape depends on values. The host reads these, so the operations return promises.
import { expectTensor } from '../arguments.ts';
import { gradEnabled, noGrad } from '../autograd.ts';
import { expectDtype, toTypedArray } from '../dtype.ts';
import { CaptureError, ValueError } from '../errors.ts';
import { currentRecording } from '../runtime/live.ts';
import { isInScope, scope } from '../runtime/scope.ts';
import { newTensor } from '../runtime/tensorBase.ts';
import type { Tensor } from '../tensor.ts';
import { indexSelect } from './gatherSelect.ts';
import { broadcastShapes, sizeOf } from './geometry.ts';
import { expand, reshape } from './shape.ts';

/** Throws where values cannot be read: in a captured function, whose replays do not run it, and in a scope, which ends before. */
function expectReadable(operation: string): void {
  const reason = 'the shape of its result depends on values that the host reads';
  if (currentRecording()) throw new CaptureError(`${operation}: ${reason}; call it outside of capture, or use where()`);
  if (isInScope())
    throw new ValueError(`${operation}: ${reason}; call it outside of scope and await it, or use where()`);
}

/**
 * Resolves with the positions of the elements of x that are not 0, in order: int32 [count, rank], or null if there are none. NaN is not
 * 0. Throws inside `scope` and `capture`.
 */
export function nonzero(x: Tensor): Promise<Tensor | null> {
  expectReadable('nonzero');
  return positionsIn(x);
}

async function positionsIn(x: Tensor): Promise<Tensor | null> {
  const places = placesIn(await x.data());
  if (places.length === 0) return null;
  const data = new Int32Array(places.length * x.rank);
  for (const [row, place] of places.entries()) {
    let rest = place;
    for (let dim = x.rank - 1; dim >= 0; dim--) {
      const size = x.shape[dim] as number;
      data[row * x.rank + dim] = rest % size;
      rest = Math.floor(rest / size);
    }
  }
  return newTensor(x, [places.length, x.rank], data, 'int32');
}

/** Indices of the values that are not 0. */
function placesIn(values: ArrayLike<number>): Int32Array<ArrayBuffer> {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] !== 0) count++;
  const places = new Int32Array(count);
  for (let i = 0, next = 0; i < values.length; i++) if (values[i] !== 0) places[next++] = i;
  return places;
}

/**
 * Resolves with the elements of x where `mask` is true, in order: [count], or null if there are none. Both broadcast. Throws
 * DtypeError unless the mask is bool, and inside `scope` and `capture`.
 */
export function maskedSelect(x: Tensor, mask: Tensor): Promise<Tensor | null> {
  expectTensor('maskedSelect', 'mask', mask);
  expectDtype('maskedSelect', 'mask', mask, 'bool');
  expectReadable('maskedSelect');
  const shape = broadcastShapes('maskedSelect', x.shape, mask.shape);
  const stretched = scope(() => expand(mask, shape));
  const select = async (records: boolean): Promise<Tensor | null> => {
    const places = placesIn(await stretched.data().finally(() => stretched.dispose()));
    if (places.length === 0) return null;
    const found = (): Tensor =>
      scope(() =>
        indexSelect(reshape(expand(x, shape), [sizeOf(shape)]), 0, newTensor(x, [places.length], places, 'int32')),
      );
    return records ? found() : noGrad(found);
  };
  return select(gradEnabled());
}

/** Resolves with the distinct values of x, ascending: [count]. Each NaN counts, and is last. Throws inside `scope` and `capture`. */
export function unique(x: Tensor): Promise<Tensor> {
  expectReadable('unique');
  return distinctIn(x);
}

async function distinctIn(x: Tensor): Promise<Tensor> {
  const sorted = Float64Array.from(await x.data()).sort();
  const distinct = sorted.filter((value, i) => value !== sorted[i - 1]);
  return newTensor(x, [distinct.length], toTypedArray(x.dtype, distinct));
}
