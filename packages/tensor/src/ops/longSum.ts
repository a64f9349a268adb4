// Kernels whose threads sum terms: see shaders/lib/longSum.wgsl.
import { type Kernel, kernel } from '../runtime/kernel.ts';
import type { KernelValues } from '../runtime/wgsl.ts';

/** The most terms that a thread sums one by one; more are summed by levels. */
const longSum = 1024;

/** A kernel that sums one by one, and one that sums many terms by levels. */
export interface ByLength {
  readonly short: Kernel;
  readonly long: Kernel;
}

/** Both forms of a kernel that has `const LONG`. */
export function byLength(text: string, values: KernelValues = {}): ByLength {
  return { short: kernel(text, values), long: kernel(text, { ...values, LONG: true }) };
}

/** The kernel for sums of at most `terms`. */
export const formFor = ({ short, long }: ByLength, terms: number): Kernel => (terms > longSum ? long : short);
