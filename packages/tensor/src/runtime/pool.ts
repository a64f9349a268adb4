// GPU buffers by rounded size, with a byte cap on what lies unused. All work goes through one queue in order, so a buffer
// given back may serve the next command at once; only the host's own writes must wait for the submit that last used it.
import { LimitError } from '../errors.ts';

/** A GPU buffer and the number of the submit that last used it. */
export interface PooledBuffer {
  readonly gpu: GPUBuffer;
  readonly id: number;
  readonly bytes: number;
  lastSubmit: number;
}

/** Unused bytes kept for reuse; above it the longest unused buffers are destroyed after a submit. */
const unusedBytesCap = 1 << 30;
const smallestBytes = 256;
/** Buffers from here up are made under an out-of-memory error scope. */
const largeBytes = 64 << 20;

/** Rounds up to one of four sizes per octave, so that at most a quarter is wasted and steps of a loop find their buffers again. */
export function roundedBytes(bytes: number): number {
  if (bytes <= smallestBytes) return smallestBytes;
  const step = 2 ** (Math.floor(Math.log2(bytes - 1)) - 2);
  return Math.ceil(bytes / step) * step;
}

export class Pool {
  readonly #gpu: GPUDevice;
  readonly #onFailure: (error: Error) => void;
  /**
   * By size, the lowest number last, which is taken first: a loop then gets the same buffers for the same tensors in every
   * step, and finds its bind groups again.
   */
  readonly #free = new Map<number, PooledBuffer[]>();
  #nextId = 1;
  liveBytes = 0;
  peakBytes = 0;
  unusedBytes = 0;
  /** The part of the live bytes that captured functions work in. */
  reservedBytes = 0;
  /** GPU buffers that exist, in use or not. */
  buffers = 0;

  constructor(gpu: GPUDevice, onFailure: (error: Error) => void) {
    this.#gpu = gpu;
    this.#onFailure = onFailure;
  }

  /**
   * Takes a buffer of at least `bytes`; its content is arbitrary. With `settledBefore`, only one that no command after
   * that submit uses, so that the host may write to it.
   */
  take(bytes: number, maxBufferBytes: number, settledBefore: number = Number.POSITIVE_INFINITY): PooledBuffer {
    const rounded = Math.min(roundedBytes(bytes), Math.max(maxBufferBytes, bytes));
    if (bytes > maxBufferBytes) {
      throw new LimitError(
        `memory: a tensor of ${bytes} bytes is over this adapter's buffer limit of ${maxBufferBytes}; use a smaller batch`,
      );
    }
    const free = this.#free.get(rounded);
    const index = free ? free.findLastIndex((buffer) => buffer.lastSubmit < settledBefore) : -1;
    const buffer = free && index >= 0 ? (free.splice(index, 1)[0] as PooledBuffer) : null;
    if (buffer) this.unusedBytes -= buffer.bytes;
    this.liveBytes += rounded;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
    return buffer ?? this.#make(rounded);
  }

  /** Gives a buffer back for reuse by the next command. */
  give(buffer: PooledBuffer): void {
    this.liveBytes -= buffer.bytes;
    this.unusedBytes += buffer.bytes;
    const free = this.#free.get(buffer.bytes) ?? [];
    this.#free.set(buffer.bytes, free);
    free.splice(free.findLastIndex(({ id }) => id > buffer.id) + 1, 0, buffer);
  }

  /** Takes a buffer for a captured function to work in, until `unreserve`. */
  reserve(bytes: number, maxBufferBytes: number): PooledBuffer {
    const buffer = this.take(bytes, maxBufferBytes);
    this.reservedBytes += buffer.bytes;
    return buffer;
  }

  /** Gives a reserved buffer back. */
  unreserve(buffer: PooledBuffer): void {
    this.reservedBytes -= buffer.bytes;
    this.give(buffer);
  }

  /** Destroys unused buffers above the cap that no command from submit `pending` on uses. Returns whether any went. */
  trim(pending: number, cap: number = unusedBytesCap): boolean {
    if (this.unusedBytes <= cap) return false;
    const unused = [...this.#free.values()].flat().sort((a, b) => a.lastSubmit - b.lastSubmit);
    let destroyed = false;
    for (const buffer of unused) {
      if (this.unusedBytes <= cap || buffer.lastSubmit >= pending) break;
      const free = this.#free.get(buffer.bytes) as PooledBuffer[];
      free.splice(free.indexOf(buffer), 1);
      this.unusedBytes -= buffer.bytes;
      this.buffers--;
      buffer.gpu.destroy();
      destroyed = true;
    }
    return destroyed;
  }

  #make(bytes: number): PooledBuffer {
    const large = bytes >= largeBytes;
    if (large) this.#gpu.pushErrorScope('out-of-memory');
    const gpu = this.#gpu.createBuffer({
      size: bytes,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
    if (large) {
      this.#gpu.popErrorScope().then(
        (error) =>
          error &&
          this.#onFailure(new LimitError(`memory: the adapter has no ${bytes} bytes left; use a smaller batch`)),
        () => {},
      );
    }
    this.buffers++;
    return { gpu, id: this.#nextId++, bytes, lastSubmit: 0 };
  }
}
