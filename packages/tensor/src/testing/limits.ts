import { currentDevice } from '../runtime/defaultDevice.ts';
import type { Limits } from '../runtime/limits.ts';

/** Runs `fn` with lower limits than the adapter's, so that work is split; restores them after it or its promise. */
export async function withLimits(limits: Partial<Limits>, fn: () => void | Promise<void>): Promise<void> {
  const before = currentDevice().limits;
  currentDevice().overrideLimits({ ...before, ...limits });
  try {
    await fn();
  } finally {
    currentDevice().overrideLimits(before);
  }
}

/**
 * Runs `fn` while the device fails to allocate the buffers for which `fails`, called once for each with its bytes, returns true.
 * With `unnoticed`, the failure shows only when the device rejects the submit that uses the buffer.
 */
export async function withFailingAllocations<T>(
  fails: (bytes: number) => boolean,
  fn: () => Promise<T>,
  options: { readonly unnoticed?: boolean } = {},
): Promise<T> {
  currentDevice().failAllocations({ fails, unnoticed: options.unnoticed ?? false });
  try {
    return await fn();
  } finally {
    currentDevice().failAllocations(null);
  }
}
