import { DisposedError, type MienError } from '../errors.ts';
import { slot } from '../session.ts';
import type { DeviceBuffer } from './allocator.ts';
import type { DeviceRuntime } from './device.ts';
import type { Owner } from './owners.ts';
import type { PooledBuffer } from './pool.ts';

/** What commands write to and read from. */
export interface Content {
  readonly bytes: number;
  /** Why it does not hold what the commands encoded so far should have left in it. */
  failure: MienError | null;
  /** Whether nothing can read it any more. */
  readonly released: boolean;
}

/** A range of content in the buffer that was behind it when the command was appended. */
export interface ContentRange {
  readonly storage: Content;
  readonly buffer: DeviceBuffer;
  readonly byteOffset: number;
  readonly bytes: number;
}

const storages = slot(() => 0);

/** How many storages were made so far. */
export function storageCount(): number {
  return storages.value;
}

/** The device memory behind one or more tensors, counted by references; at zero its buffer goes back to the pool. */
export class Storage implements Content, Owner {
  readonly device: DeviceRuntime;
  readonly id: number;
  /** Counts storages in the order in which they were made. */
  readonly order: number = storages.value++;
  readonly bytes: number;
  failure: MienError | null = null;
  /** The operation that made it, and what that was done for; reports of memory name them. */
  operation: string | null = null;
  purpose = '';
  /** The shape of the tensor that it was made for. */
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

  /** What it is counted as in a report of memory. */
  get origin(): string {
    return this.purpose || this.operation || this.#writer || 'tensor';
  }

  /** Says what it is counted as, where the operation that made it says little. */
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
