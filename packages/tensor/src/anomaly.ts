// Finds the operation that made the first NaN: while it is on, a kernel looks at every recorded result.
import flagNan from '@mien/shaders/anomaly/flagNan.wgsl';
import { ValueError } from './errors.ts';
import { kernel } from './runtime/kernel.ts';
import { run } from './runtime/run.ts';
import { part, splitElements } from './runtime/split.ts';
import type { Storage } from './runtime/storage.ts';
import type { Tensor } from './tensor.ts';

const flag = kernel(flagNan);
/** Results that one search can look at. */
const slots = 1 << 16;

/** One search: the operations so far, and a flag for each on the device. */
interface Search {
  readonly operations: string[];
  flags: Storage | null;
}

let search: Search | null = null;
let origin = '';

/** Whether a search is on. */
export function searching(): boolean {
  return search !== null;
}

/** Names what the following operations are done for, such as `the gradient of conv2d`. Returns what it was before. */
export function enterOrigin(name: string): string {
  const before = origin;
  origin = name;
  return before;
}

/** Notes a result of the operation `name`, while a search is on. */
export function inspect(name: string, y: Tensor): void {
  if (!search || y.dtype !== 'float32' || search.operations.length >= slots) return;
  const { device } = y.storage;
  search.flags ??= device.upload(new Uint32Array(slots));
  const slot = search.operations.push(origin === '' ? name : `${name} in ${origin}`) - 1;
  const flags = { storage: search.flags, byteOffset: 0, bytes: 4 * slots };
  for (const { start, count } of splitElements(y.size, device.limits)) {
    const groups = Math.ceil(count / (4 * flag.const('LANES') * flag.const('VECTORS')));
    run(flag, { x: part(y, 4 * start, 4 * count), flags }, { size: count, slot }, groups);
  }
}

/**
 * Runs `fn`, forward and backward passes alike, and throws ValueError naming the first operation whose result has a NaN.
 * Several times slower than without: for finding a fault, not for training. Resolves with what `fn` returned.
 */
export async function detectAnomaly<T>(fn: () => T): Promise<T> {
  const mine: Search = { operations: [], flags: null };
  search = mine;
  let result: T;
  try {
    result = fn();
  } finally {
    search = null;
  }
  if (!mine.flags) return result;
  const range = { storage: mine.flags, byteOffset: 0, bytes: 4 * slots };
  const flags = new Uint32Array(await mine.flags.device.read(range, 4 * mine.operations.length));
  mine.flags.release();
  const first = flags.indexOf(1);
  if (first >= 0)
    throw new ValueError(`anomaly: the first NaN came from ${mine.operations[first]}; look at its inputs`);
  return result;
}
