// What users see of a device.
import type { AdapterFacts } from '../device/adapter.ts';
import type { Limits } from './limits.ts';

/** What the framework holds on the device, in bytes of rounded buffer sizes. */
export interface MemoryReport {
  /** Held by tensors, gradients and the autograd graph. */
  readonly liveBytes: number;
  /** The part of the live bytes that captured functions keep for themselves, to work in. */
  readonly reservedBytes: number;
  /** The most that was live at one time. */
  readonly peakBytes: number;
  /** Kept for reuse. */
  readonly unusedBytes: number;
  /** GPU buffers that exist, live or unused. */
  readonly buffers: number;
}

/** A GPU device, or one that computes on the processor; made by `init`. */
export interface Device {
  readonly facts: AdapterFacts;
  /** Limits and features that kernels depend on. */
  readonly limits: Limits;
  /** Bytes and buffers now. */
  memory(): MemoryReport;
  /** Submits pending commands and resolves when the device has finished them. Throws what kept them from being computed. */
  synchronize(): Promise<void>;
  /** Destroys the buffers that are only kept for reuse. Returns whether there were any. */
  freeUnused(): boolean;
  /** Destroys the device; nothing on it can be used afterwards. */
  destroy(): void;
}
