// Makes GPU buffers. Whether the device had the memory is known a turn later, so a batch waits for the verdict on its
// buffers before it is encoded: one invalid buffer would make a whole submit do nothing.
import type { LimitError } from '../errors.ts';

/** A GPU buffer that the device may have failed to make. */
export interface DeviceBuffer {
  readonly id: number;
  gpu: GPUBuffer;
  readonly bytes: number;
  readonly usage: GPUBufferUsageFlags;
  /** Why it does not exist; null while that is not known, and where it does. */
  failure: LimitError | null;
  /** Why the first try failed, also where the second did not: what was submitted before the second is lost. */
  firstFailure: LimitError | null;
  /** A submit that used it was refused, maybe for its sake: it is not used again. */
  suspect: boolean;
}

/** Failures for tests. */
export interface FailurePlan {
  /** Whether the device fails to make the next buffer, of `bytes`. */
  readonly fails: (bytes: number) => boolean;
  /** Whether that is not told before the submit that uses it is refused. */
  readonly unnoticed: boolean;
}

/** What an Allocator asks of its owner. */
export interface AllocatorHooks {
  /** Destroys what is only kept for reuse. Returns whether there was anything. */
  readonly freeCaches: () => Promise<boolean>;
  /** The error for a buffer that could not be made. */
  readonly explain: (buffer: DeviceBuffer) => LimitError;
  /** Called once a buffer has its failure, or is suspect. */
  readonly onFailure: (buffer: DeviceBuffer) => void;
}

export class Allocator {
  readonly #gpu: GPUDevice;
  readonly #hooks: AllocatorHooks;
  /** Buffers without a verdict, and whether each failed. */
  readonly #checks = new Map<DeviceBuffer, Promise<boolean>>();
  #nextId = 1;
  #settling: Promise<void> | null = null;
  /** For tests: buffers that the device fails to make. */
  plan: FailurePlan | null = null;

  constructor(gpu: GPUDevice, hooks: AllocatorHooks) {
    this.#gpu = gpu;
    this.#hooks = hooks;
  }

  /** Whether any buffer waits for its verdict. */
  get undecided(): boolean {
    return this.#checks.size > 0;
  }

  /** Whether this buffer waits for its verdict. */
  isUndecided(buffer: DeviceBuffer): boolean {
    return this.#checks.has(buffer);
  }

  /** A buffer for `usage`. */
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

  /** Takes what a refused submit used out of those kept for reuse: one of them may be invalid without a word. */
  suspect(buffer: DeviceBuffer): void {
    buffer.suspect = true;
    this.#hooks.onFailure(buffer);
  }

  /** Waits for all verdicts. What failed is made again after the caches were freed; what fails then has its `failure`. */
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
      const without = failed.filter((buffer) => this.#checks.has(buffer));
      for (const buffer of without) buffer.failure = buffer.firstFailure;
      for (const buffer of without) {
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
    // A plan makes the invalid buffer that a device without memory gives.
    const made = this.#gpu.createBuffer({ size: planned ? this.#gpu.limits.maxBufferSize + 4 : size, usage });
    const failed = this.#gpu.popErrorScope().then(
      (error) => error !== null && noticed,
      () => false, // The device was lost, which reads report.
    );
    return { gpu: made, failed };
  }
}
