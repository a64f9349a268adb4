// Host reads through a ring of staging buffers, so that several may be under way and none is made in a steady loop.
import { DeviceError } from '../errors.ts';
import type { Allocator, DeviceBuffer } from './allocator.ts';
import { roundedBytes } from './pool.ts';

/** Bytes of staging buffers kept for the next reads: many reads at once leave no more behind. */
const keptBytes = 64 << 20;

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

  /** Takes an unmapped buffer back. */
  give(staging: DeviceBuffer): void {
    if (staging.failure || this.#freeBytes + staging.bytes > keptBytes) {
      staging.gpu.destroy();
      return;
    }
    this.#freeBytes += staging.bytes;
    const free = this.#free.get(staging.bytes);
    if (free) free.push(staging);
    else this.#free.set(staging.bytes, [staging]);
  }

  /** Waits until the GPU has filled `staging`, and copies its first `bytes` out. The staging buffer goes back to the ring. */
  async read(staging: DeviceBuffer, bytes: number): Promise<ArrayBuffer> {
    try {
      await staging.gpu.mapAsync(GPUMapMode.READ);
    } catch (reason) {
      staging.gpu.destroy();
      throw new DeviceError(
        `read: the device gave no data back (${String(reason)}); it may have been lost: call init() again`,
      );
    }
    const copy = staging.gpu.getMappedRange(0, bytes).slice(0);
    staging.gpu.unmap();
    this.give(staging);
    return copy;
  }
}
