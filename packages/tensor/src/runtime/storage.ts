import { DisposedError, type MienError } from '../errors.ts';
import { slot } from '../session.ts';
import type { DeviceBuffer } from './allocator.ts';
import type { DeviceRuntime } from './device.ts';
import type { Owner } from './owners.ts';
import type { PooledBuffer } from './pool.ts';

/** Memory that commands write and read. */
export interface Content {
  readonly bytes: number;
  /** Why its content is not what the encoded commands should have written, or null. */
  failure: MienError | null;
  /** Whether nothing can read it anymore. */
  readonly released: boolean;
}

/** A range of memory with its buffer when the command was appended. */
export interface ContentRange {
  readonly storage: Content;
  readonly buffer: DeviceBuffer;
  readonly byteOffset: number;
  readonly bytes: number;
}

const storages = slot(() => 0);

/** The number of storages made so far. */
export function storageCount(): number {
  return storages.value;
}

/** The device memory of one or more tensors, counted by references; at zero its buffer returns to the pool. */
export class Storage implements Content, Owner {
  readonly device: DeviceRuntime;
  readonly id: number;
  /** The number of storages made before it. */
  readonly order: number = storages.value++;
  readonly bytes: number;
  failure: MienError | null = null;
  /** The operation that allocated it and its purpose, for reports of memory. */
  operation: string | null = null;
  purpose = '';
  /** The shape of the tensor that it was allocated for. */
  readonly shape: readonly number[] | null;
  #buffer: PooledBuffer | null;
  #references = 1;
  #version = 0;
  #writer = '';

  constructor(device: DeviceRuntime, buffer: PooledBuffer, bytes: number, shape: readonly number[] | null) {
    this.device = device;
    this.id = buffer.id;
    this.bytes = bytes;
    this.shape = shape;
    this.#buffer = buffer;
    buffer.owner = this;
  }

  /** The buffer. Throws DisposedError after it was released. */
  get buffer(): PooledBuffer {
    if (!this.#buffer) {
      throw new DisposedError('tensor: its memory was freed; return it from its scope, or take it out with keep()');
    }
    return this.#buffer;
  }

  /** Whether its buffer was released. */
  get released(): boolean {
    return this.#buffer === null;
  }

  /** The number of writes: a tensor that autograd saved is stale if it differs (PyTorch's version counter). */
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

  /** Its name in a report of memory. */
  get origin(): string {
    return this.purpose || this.operation || this.#writer || 'tensor';
  }

  /** Sets its name in a report of memory. */
  label(origin: string): void {
    this.operation = origin;
    this.purpose = '';
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
