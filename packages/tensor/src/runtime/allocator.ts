// Creates GPU buffers. WebGPU reports asynchronously whether there was memory for one, so a batch waits for its buffers before it is
// encoded: one invalid buffer would make the device reject the submit.
import type { LimitError } from '../errors.ts';

/** A GPU buffer that may have failed to allocate. */
export interface DeviceBuffer {
  readonly id: number;
  gpu: GPUBuffer;
  readonly bytes: number;
  readonly usage: GPUBufferUsageFlags;
  /** Why it does not exist; null if it does, and while this is unknown. */
  failure: LimitError | null;
  /** Why the first attempt failed, even if the second succeeded: commands submitted in between are lost. */
  firstFailure: LimitError | null;
  /** Whether a rejected submit used it: it is not used again. */
  suspect: boolean;
}

/** Simulated failures, for tests. */
export interface FailurePlan {
  /** Whether the next allocation, of `bytes`, fails. */
  readonly fails: (bytes: number) => boolean;
  /** Whether the failure shows only when a submit that uses the buffer is rejected. */
  readonly unnoticed: boolean;
}

/** What an Allocator needs of its device. */
export interface AllocatorHooks {
  /** Destroys unused buffers. Returns whether there were any. */
  readonly freeCaches: () => Promise<boolean>;
  /** The error for a buffer that failed to allocate. */
  readonly explain: (buffer: DeviceBuffer) => LimitError;
  /** Called when a buffer has failed or is suspect. */
  readonly onFailure: (buffer: DeviceBuffer) => void;
}

export class Allocator {
  readonly #gpu: GPUDevice;
  readonly #hooks: AllocatorHooks;
  /** Buffers that may still fail, with whether they did. */
  readonly #checks = new Map<DeviceBuffer, Promise<boolean>>();
  #nextId = 1;
  #settling: Promise<void> | null = null;
  /** Simulated failures, for tests. */
  plan: FailurePlan | null = null;

  constructor(gpu: GPUDevice, hooks: AllocatorHooks) {
    this.#gpu = gpu;
    this.#hooks = hooks;
  }

  /** Whether any buffer may still fail. */
  get undecided(): boolean {
    return this.#checks.size > 0;
  }

  /** Whether this buffer may still fail. */
  isUndecided(buffer: DeviceBuffer): boolean {
    return this.#checks.has(buffer);
  }

  /** Creates a buffer for `usage`. */
  make(bytes: number, usage: GPUBufferUsageFlags): DeviceBuffer {
    const { gpu, failed } = this.#create(bytes, usage);
    const buffer: DeviceBuffer = {
      id: this.#nextId++,
      gpu,
      bytes,
      usage,
      failure: null,
      firstFailure: null,
      suspect: false,
    };
    this.#checks.set(buffer, failed);
    failed.then((yes) => {
      if (!yes) this.#checks.delete(buffer);
    });
    return buffer;
  }

  /** Marks a buffer that a rejected submit used, which may be invalid, so that it is not reused. */
  suspect(buffer: DeviceBuffer): void {
    buffer.suspect = true;
    this.#hooks.onFailure(buffer);
  }

  /** Waits until no buffer may still fail. Failed ones are created again after freeing caches; those that fail again have a `failure`. */
  settle(): Promise<void> {
    this.#settling ??= this.#settleAll().finally(() => {
      this.#settling = null;
    });
    return this.#settling;
  }

  async #settleAll(): Promise<void> {
    while (this.#checks.size > 0) {
      const failed: DeviceBuffer[] = [];
      for (const [buffer, check] of [...this.#checks]) if (await check) failed.push(buffer);
      for (const buffer of failed) buffer.firstFailure = this.#hooks.explain(buffer);
      if (failed.length > 0 && (await this.#hooks.freeCaches())) {
        for (const buffer of failed) await this.#retry(buffer);
      }
      const missing = failed.filter((buffer) => this.#checks.has(buffer));
      for (const buffer of missing) buffer.failure = buffer.firstFailure;
      for (const buffer of missing) {
        this.#checks.delete(buffer);
        this.#hooks.onFailure(buffer);
      }
    }
  }

  async #retry(buffer: DeviceBuffer): Promise<void> {
    const { gpu, failed } = this.#create(buffer.bytes, buffer.usage);
    if (await failed) return;
    buffer.gpu = gpu;
    this.#checks.delete(buffer);
  }

  #create(size: number, usage: GPUBufferUsageFlags): { readonly gpu: GPUBuffer; readonly failed: Promise<boolean> } {
    const planned = this.plan?.fails(size) ?? false;
    const noticed = !(planned && this.plan?.unnoticed);
    this.#gpu.pushErrorScope(planned ? 'validation' : 'out-of-memory');
    // A simulated failure creates an invalid buffer, as a device without memory does.
    const made = this.#gpu.createBuffer({ size: planned ? this.#gpu.limits.maxBufferSize + 4 : size, usage });
    const failed = this.#gpu.popErrorScope().then(
      (error) => error !== null && noticed,
      () => false, // Reads report a lost device.
    );
    return { gpu: made, failed };
  }
}
