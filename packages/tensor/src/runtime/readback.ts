// Host reads through reused staging buffers: several can be pending, and a steady loop creates none.
import { DeviceError } from '../errors.ts';
import type { Allocator, DeviceBuffer } from './allocator.ts';
import { roundedBytes } from './pool.ts';

/** The most bytes of unused staging buffers. */
const unusedBytesCap = 64 << 20;

export class Readback {
  readonly #allocator: Allocator;
  #freeBytes = 0;
  readonly #free = new Map<number, DeviceBuffer[]>();

  constructor(allocator: Allocator) {
    this.#allocator = allocator;
  }

  /** A mappable buffer of at least `bytes`. */
  take(bytes: number): DeviceBuffer {
    const size = roundedBytes(bytes);
    const free = this.#free.get(size)?.pop();
    if (free) this.#freeBytes -= size;
    return free ?? this.#allocator.make(size, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  }

  /** Returns an unmapped buffer for reuse. */
  give(staging: DeviceBuffer): void {
    if (staging.failure || this.#freeBytes + staging.bytes > unusedBytesCap) {
      staging.gpu.destroy();
      return;
    }
    this.#freeBytes += staging.bytes;
    const free = this.#free.get(staging.bytes);
    if (free) free.push(staging);
    else this.#free.set(staging.bytes, [staging]);
  }

  /** Waits until the GPU has filled `staging`, copies its first `bytes`, and returns the buffer for reuse. */
  async read(staging: DeviceBuffer, bytes: number): Promise<ArrayBuffer> {
    try {
      await staging.gpu.mapAsync(GPUMapMode.READ);
    } catch (reason) {
      staging.gpu.destroy();
      throw new DeviceError(`read: the device returned no data (${String(reason)}); it may be lost: call init() again`);
    }
    const copy = staging.gpu.getMappedRange(0, bytes).slice(0);
    staging.gpu.unmap();
    this.give(staging);
    return copy;
  }
}
