// What a kernel can be bound to: a tensor, or a range of device memory such as a part of one.

import { bytesPerElement, type DType } from '../dtype.ts';
import { type Shape, sizeOf } from '../shape.ts';
import type { DeviceRuntime } from './device.ts';
import type { Storage } from './storage.ts';
import { storageOfTensor, TensorBase, Workspace } from './tensorBase.ts';

/** `bytes` of a storage from `byteOffset`. It does not keep the storage alive. */
export let memoryRange: (storage: Storage, byteOffset: number, bytes: number, dtype?: DType | null) => MemoryRange;
let storageOfRange: (range: MemoryRange) => Storage;

/** A range of device memory, which need not be a tensor. */
export class MemoryRange {
  readonly byteOffset: number;
  readonly bytes: number;
  /** The type of its elements, which a kernel's binding must agree with; null lets the kernel read them as any type. */
  readonly dtype: DType | null;
  readonly #storage: Storage;

  private constructor(storage: Storage, byteOffset: number, bytes: number, dtype: DType | null) {
    this.#storage = storage;
    this.byteOffset = byteOffset;
    this.bytes = bytes;
    this.dtype = dtype;
  }

  static {
    memoryRange = (storage, byteOffset, bytes, dtype = null) => new MemoryRange(storage, byteOffset, bytes, dtype);
    storageOfRange = (range) => range.#storage;
  }
}

/** A tensor or a range of device memory. */
export type Memory = TensorBase | MemoryRange;

/** The device memory behind `memory`. Throws DisposedError for a tensor that was disposed of. */
export function storageOf(memory: Memory): Storage {
  return memory instanceof TensorBase ? storageOfTensor(memory) : storageOfRange(memory);
}

/** The device that `memory` is on. Throws DisposedError for a tensor that was disposed of. */
export function deviceOf(memory: Memory): DeviceRuntime {
  return storageOf(memory).device;
}

/** Memory for intermediate values of that shape on `device`. */
export function workspace(device: DeviceRuntime, shape: Shape, dtype: DType = 'float32'): Workspace {
  return new Workspace(device.allocate(sizeOf(shape) * bytesPerElement, shape), shape, dtype);
}
