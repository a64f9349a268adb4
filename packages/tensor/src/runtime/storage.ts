import { DisposedError } from '../errors.ts';
import type { Device } from './device.ts';
import type { PooledBuffer } from './pool.ts';

/** The device memory behind one or more tensors, counted by references; at zero its buffer goes back to the pool. */
export class Storage {
  readonly device: Device;
  readonly id: number;
  #buffer: PooledBuffer | null;
  #references = 1;

  constructor(device: Device, buffer: PooledBuffer) {
    this.device = device;
    this.id = buffer.id;
    this.#buffer = buffer;
  }

  /** The buffer. Throws DisposedError once it was given back. */
  get buffer(): PooledBuffer {
    if (!this.#buffer) {
      throw new DisposedError(
        'tensor: its memory was given back; return it from its scope, or take it out with keep()',
      );
    }
    return this.#buffer;
  }

  /** Whether its buffer was given back. */
  get released(): boolean {
    return this.#buffer === null;
  }

  retain(): this {
    this.buffer;
    this.#references++;
    return this;
  }

  release(): void {
    if (--this.#references > 0 || !this.#buffer) return;
    this.device.pool.give(this.#buffer);
    this.#buffer = null;
  }
}

/** A range of device memory that a kernel can be bound to. */
export interface Memory {
  readonly storage: Storage;
  readonly byteOffset: number;
  readonly bytes: number;
}
