// Host reads through a ring of staging buffers, so that several may be under way and none is made in a steady loop.
import { DeviceError } from '../errors.ts';
import { roundedBytes } from './pool.ts';

/** Bytes of staging buffers kept for the next reads: many reads at once leave no more behind. */
const keptBytes = 64 << 20;

export class Readback {
  readonly #gpu: GPUDevice;
  #freeBytes = 0;
  readonly #free = new Map<number, GPUBuffer[]>();

  constructor(gpu: GPUDevice) {
    this.#gpu = gpu;
  }

  /** A mappable buffer of at least `bytes`. */
  take(bytes: number): GPUBuffer {
    const size = roundedBytes(bytes);
    const free = this.#free.get(size)?.pop();
    if (free) this.#freeBytes -= size;
    return (
      free ??
      this.#gpu.createBuffer({ label: 'readback', size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST })
    );
  }

  /** Waits until the GPU has filled `staging`, and copies its first `bytes` out. The staging buffer goes back to the ring. */
  async read(staging: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    try {
      await staging.mapAsync(GPUMapMode.READ);
    } catch (reason) {
      staging.destroy();
      throw new DeviceError(
        `read: the device gave no data back (${String(reason)}); it may have been lost: call init() again`,
      );
    }
    const copy = staging.getMappedRange(0, bytes).slice(0);
    staging.unmap();
    if (this.#freeBytes + staging.size > keptBytes) {
      staging.destroy();
      return copy;
    }
    this.#freeBytes += staging.size;
    const free = this.#free.get(staging.size);
    if (free) free.push(staging);
    else this.#free.set(staging.size, [staging]);
    return copy;
  }
}
