import { device } from '../runtime/defaultDevice.ts';
import type { Limits } from '../runtime/limits.ts';

/** Runs `fn` with lower limits than the adapter's, so that work is split; restores them, also after a promise. */
export async function withLimits(limits: Partial<Limits>, fn: () => void | Promise<void>): Promise<void> {
  const before = device().limits;
  device().believe({ ...before, ...limits });
  try {
    await fn();
  } finally {
    device().believe(before);
  }
}
