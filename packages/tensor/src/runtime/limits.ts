import { type AdapterFacts, subgroupLanes } from '../device/adapter.ts';

/**
 * The adapter's limits and abilities as the runtime believes them: work beyond a limit is split, and kernels are chosen by
 * abilities. Tests lower them with `withLimits`.
 */
export interface Limits {
  /** Workgroups in each of x, y and z. */
  readonly maxComputeWorkgroupsPerDimension: number;
  /** Bytes of one storage binding. */
  readonly maxStorageBufferBindingSize: number;
  /** Bytes of one buffer. */
  readonly maxBufferSize: number;
  /** Bytes that a binding's offset must be a multiple of. */
  readonly minStorageBufferOffsetAlignment: number;
  /** Lanes of every subgroup, or null where the adapter has none or reports a range. */
  readonly subgroupSize: number | null;
  /** Whether the adapter computes on the processor. */
  readonly processor: boolean;
  /** Whether kernels may compute and store in f16. */
  readonly shaderF16: boolean;
}

/** Lavapipe announces 4 GiB and ends the process in buffers beyond this. */
const largestBuffer = 2 ** 31;

/** The limits that `gpu` was made with on an adapter of these facts. */
export function limitsOf(gpu: GPUDevice, facts: AdapterFacts): Limits {
  const { maxComputeWorkgroupsPerDimension, maxStorageBufferBindingSize, maxBufferSize } = gpu.limits;
  return {
    maxComputeWorkgroupsPerDimension,
    // Chromium announces 2^31 - 4, and bindings are rounded up to whole vec4.
    maxStorageBufferBindingSize: maxStorageBufferBindingSize - (maxStorageBufferBindingSize % bindingUnit),
    maxBufferSize: Math.min(maxBufferSize, largestBuffer),
    minStorageBufferOffsetAlignment: gpu.limits.minStorageBufferOffsetAlignment,
    subgroupSize: subgroupLanes(facts),
    processor: facts.software,
    shaderF16: facts.features.includes('shader-f16'),
  };
}

/**
 * Whether groups should have just 8 lanes and be few: a processor with subgroups of at most 8 lanes runs the lanes of a wider
 * group one after another and saves them all at each barrier. A GPU with as few lanes (Mali has 8 or 16) does not.
 */
export function isNarrow({ subgroupSize, processor }: Limits): boolean {
  return processor && subgroupSize !== null && subgroupSize <= 8;
}

/** Lanes of the subgroups that the kernels with subgroup functions are written for. */
export const kernelLanes = 8;

/** What an adapter lacks for these kernels, or null. A GPU would spill: each of the lanes keeps up to 512 sums. */
export function lacksSubgroups({ subgroupSize, processor }: Limits): string | null {
  if (subgroupSize !== kernelLanes)
    return `it needs subgroups of ${kernelLanes} lanes, and the adapter has ${subgroupSize ?? 'none of a fixed size'}`;
  return processor ? null : `its subgroups of ${kernelLanes} lanes are for processors, and the adapter is a GPU`;
}

/** Bytes that every binding is rounded up to: kernels read and write vec4. */
export const bindingUnit = 16;

/**
 * Bytes that parts of a tensor start at multiples of. Some adapters allow offsets of 4, but a part that ends between two
 * multiples of `bindingUnit` would be bound into the next part, or past the end of its buffer.
 */
export function partAlignment({ minStorageBufferOffsetAlignment }: Limits): number {
  return Math.max(bindingUnit, minStorageBufferOffsetAlignment);
}
