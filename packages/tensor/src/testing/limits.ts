import { currentDevice } from '../runtime/defaultDevice.ts';
import type { Limits } from '../runtime/limits.ts';

/** Runs `fn` with lower limits than the adapter's, so that work is split; restores them, also after a promise. */
export async function withLimits(limits: Partial<Limits>, fn: () => void | Promise<void>): Promise<void> {
  const before = currentDevice().limits;
  currentDevice().believe({ ...before, ...limits });
  try {
    await fn();
  } finally {
    currentDevice().believe(before);
  }
}

/**
 * Runs `fn` on a device that fails to make the buffers for which `fails` says so, called once for each with its bytes. With
 * `unnoticed` it says nothing of it before it refuses the submit that uses one.
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
