// Pools GPU buffers by rounded size, with a cap on unused bytes. All commands run in order on one queue, so that the next command can
// reuse a buffer at once; only writes by the host wait for the submit that last used it.
import { LimitError } from '../errors.ts';
import type { Allocator, DeviceBuffer } from './allocator.ts';
import { type Owner, ownersText, sizeText } from './owners.ts';

/** A GPU buffer with its last owner and the number of the submit that last used it. */
export interface PooledBuffer extends DeviceBuffer {
  lastSubmit: number;
  owner: Owner;
}

/** The most unused bytes; above it the least recently used buffers are destroyed after a submit. */
const unusedBytesCap = 1 << 30;
const smallestBytes = 256;
/** The owner of the temporaries of captured functions. */
const captured: Owner = { origin: 'captured functions', shape: null };

/** Rounds up to one of four sizes per octave: at most a quarter is wasted, and the steps of a loop reuse the same buffers. */
export function roundedBytes(bytes: number): number {
  if (bytes <= smallestBytes) return smallestBytes;
  const step = 2 ** (Math.floor(Math.log2(bytes - 1)) - 2);
  return Math.ceil(bytes / step) * step;
}

/** The most bytes that were live since it was started. */
export interface PeakWatch {
  readonly bytes: number;
  stop(): void;
}

export class Pool {
  readonly #allocator: Allocator;
  readonly #all = new Set<PooledBuffer>();
  /**
   * Unused buffers by size; the lowest id is last and taken first, so that each step of a loop gets the same buffers for the same
   * tensors and finds its bind groups in the cache.
   */
  readonly #free = new Map<number, PooledBuffer[]>();
  #placeholder: DeviceBuffer | null = null;
  readonly #watches = new Set<{ bytes: number }>();
  liveBytes = 0;
  peakBytes = 0;
  unusedBytes = 0;
  /** The part of the live bytes that captured functions hold for their temporaries. */
  reservedBytes = 0;

  /** GPU buffers that exist, in use or not. */
  get buffers(): number {
    return this.#all.size;
  }

  constructor(allocator: Allocator) {
    this.#allocator = allocator;
  }

  /**
   * Takes a buffer of at least `bytes` with arbitrary content. With `settledBefore`, one that that submit and later ones do not use,
   * so that the host may write to it.
   */
  take(bytes: number, maxBufferBytes: number, settledBefore: number = Number.POSITIVE_INFINITY): PooledBuffer {
    const rounded = Math.min(roundedBytes(bytes), Math.max(maxBufferBytes, bytes));
    if (bytes > maxBufferBytes) {
      throw new LimitError(
        `memory: a tensor of ${sizeText(bytes)} is over this adapter's buffer limit of ${sizeText(maxBufferBytes)}; use a smaller batch`,
      );
    }
    const free = this.#free.get(rounded);
    const index = free ? free.findLastIndex((buffer) => buffer.lastSubmit < settledBefore) : -1;
    const buffer = free && index >= 0 ? (free.splice(index, 1)[0] as PooledBuffer) : null;
    if (buffer) this.unusedBytes -= buffer.bytes;
    this.liveBytes += rounded;
    this.peakBytes = Math.max(this.peakBytes, this.liveBytes);
    for (const watch of this.#watches) watch.bytes = Math.max(watch.bytes, this.liveBytes);
    return buffer ?? this.#make(rounded);
  }

  /** Starts to watch the peak. */
  watchPeak(): PeakWatch {
    const watch = { bytes: this.liveBytes, stop: (): void => void this.#watches.delete(watch) };
    this.#watches.add(watch);
    return watch;
  }

  /** Returns a buffer for reuse by the next command. A failed or suspect one is not reused. */
  give(buffer: PooledBuffer): void {
    if (!this.#all.has(buffer)) return;
    this.liveBytes -= buffer.bytes;
    if (buffer.failure || buffer.suspect) {
      this.#drop(buffer);
      return;
    }
    this.unusedBytes += buffer.bytes;
    const free = this.#free.get(buffer.bytes) ?? [];
    this.#free.set(buffer.bytes, free);
    free.splice(free.findLastIndex(({ id }) => id > buffer.id) + 1, 0, buffer);
  }

  /** A placeholder for a buffer in a rehearsal, which is not counted and which no command may use. */
  placeholder(bytes: number): PooledBuffer {
    this.#placeholder ??= this.#allocator.make(smallestBytes, GPUBufferUsage.STORAGE);
    return { ...this.#placeholder, bytes, lastSubmit: 0, owner: captured };
  }

  /** Takes a buffer for the temporaries of a captured function, until `unreserve`. */
  reserve(bytes: number, maxBufferBytes: number): PooledBuffer {
    const buffer = this.take(bytes, maxBufferBytes);
    buffer.owner = captured;
    this.reservedBytes += buffer.bytes;
    return buffer;
  }

  /** Returns a reserved buffer. */
  unreserve(buffer: PooledBuffer): void {
    this.reservedBytes -= buffer.bytes;
    this.give(buffer);
  }

  /** Destroys unused buffers above the cap that neither submit `pending` nor later ones use. Returns whether there were any. */
  trim(pending: number, cap: number = unusedBytesCap): boolean {
    if (this.unusedBytes <= cap) return false;
    const unused = [...this.#free.values()].flat().sort((a, b) => a.lastSubmit - b.lastSubmit);
    let destroyed = false;
    for (const buffer of unused) {
      if (this.unusedBytes <= cap || buffer.lastSubmit >= pending) break;
      if (this.#allocator.isUndecided(buffer)) continue;
      this.#takeOut(buffer);
      destroyed = true;
    }
    return destroyed;
  }

  /** Removes a failed or suspect buffer from the unused ones. */
  forget(buffer: DeviceBuffer): void {
    const unused = this.#free.get(buffer.bytes)?.find((each) => each === buffer);
    if (unused) this.#takeOut(unused);
  }

  /** The error for a buffer that failed to allocate. */
  explain(buffer: DeviceBuffer): LimitError {
    const pooled = this.#all.has(buffer as PooledBuffer);
    const { origin, shape } = pooled ? (buffer as PooledBuffer).owner : { origin: 'a host read', shape: null };
    const allocated = [...this.#all].filter((each) => !each.failure && !this.#allocator.isUndecided(each));
    const heldBytes = allocated.reduce((sum, { bytes }) => sum + bytes, 0);
    const what = `${origin}${shape ? ` [${shape.join(', ')}]` : ''}, ${sizeText(buffer.bytes)}`;
    const state = `live ${sizeText(this.liveBytes)}, peak ${sizeText(this.peakBytes)}, given by the adapter ${sizeText(heldBytes)}`;
    return new LimitError(
      `memory: the adapter has no room for ${what} (${state}; largest owners: ${ownersText(allocated)}); use a smaller batch, or dispose of tensors that are no longer needed`,
      { heldBytes },
    );
  }

  #takeOut(buffer: PooledBuffer): void {
    const free = this.#free.get(buffer.bytes) as PooledBuffer[];
    free.splice(free.indexOf(buffer), 1);
    this.unusedBytes -= buffer.bytes;
    this.#drop(buffer);
  }

  #drop(buffer: PooledBuffer): void {
    this.#all.delete(buffer);
    // Pending commands may use a suspect one: the garbage collector frees it.
    if (!buffer.suspect) buffer.gpu.destroy();
  }

  #make(bytes: number): PooledBuffer {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const made = this.#allocator.make(bytes, usage);
    const buffer = Object.assign(made, { lastSubmit: 0, owner: captured });
    this.#all.add(buffer);
    return buffer;
  }
}
