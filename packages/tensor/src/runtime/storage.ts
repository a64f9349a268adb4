import type { DType } from '../dtype.ts';
import { DisposedError } from '../errors.ts';
import type { Device } from './device.ts';
import type { PooledBuffer } from './pool.ts';

/** The device memory behind one or more tensors, counted by references; at zero its buffer goes back to the pool. */
export class Storage {
  readonly device: Device;
  readonly id: number;
  #buffer: PooledBuffer | null;
  #references = 1;
  #version = 0;
  #writer = '';

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

  /** Counts the writes so far: what autograd saved is stale once it differs (PyTorch's version counter). */
  get version(): number {
    return this.#version;
  }

  /** The kernel that wrote last, or `a copy`. */
  get writer(): string {
    return this.#writer;
  }

  /** Counts a write by `writer`; only Device and Replay, through which every write goes, call it. */
  wrote(writer: string): void {
    this.#version++;
    this.#writer = writer;
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
  /** What its numbers are: a kernel's binding must agree. Absent, the kernel may read them as it likes. */
  readonly dtype?: DType;
}
