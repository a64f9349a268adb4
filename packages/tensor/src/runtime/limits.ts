import { type AdapterFacts, subgroupLanes } from '../device/adapter.ts';

/**
 * The limits and features of the adapter by which the runtime splits work and chooses kernels. Tests lower them with
 * `withLimits`.
 */
export interface Limits {
  /** Workgroups in each of x, y and z. */
  readonly maxComputeWorkgroupsPerDimension: number;
  /** Bytes of one storage binding. */
  readonly maxStorageBufferBindingSize: number;
  /** Bytes of one buffer. */
  readonly maxBufferSize: number;
  /** The alignment of a binding's offset, in bytes. */
  readonly minStorageBufferOffsetAlignment: number;
  /** Lanes of every subgroup, or null if the adapter has none or reports a range. */
  readonly subgroupSize: number | null;
  /** Whether the adapter computes on the processor. */
  readonly processor: boolean;
  /** Whether kernels may compute and store in f16. */
  readonly shaderF16: boolean;
}

/** Lavapipe reports 4 GiB, but larger buffers than this crash the process. */
const largestBuffer = 2 ** 31;

/** The limits of `gpu`, a device on an adapter with these facts. */
export function limitsOf(gpu: GPUDevice, facts: AdapterFacts): Limits {
  const { maxComputeWorkgroupsPerDimension, maxStorageBufferBindingSize, maxBufferSize } = gpu.limits;
  return {
    maxComputeWorkgroupsPerDimension,
    // Chromium reports 2^31 - 4, and bindings are rounded up to multiples of vec4.
    maxStorageBufferBindingSize: maxStorageBufferBindingSize - (maxStorageBufferBindingSize % bindingUnit),
    maxBufferSize: Math.min(maxBufferSize, largestBuffer),
    minStorageBufferOffsetAlignment: gpu.limits.minStorageBufferOffsetAlignment,
    subgroupSize: subgroupLanes(facts),
    processor: facts.software,
    shaderF16: facts.features.includes('shader-f16'),
  };
}

/**
 * Whether workgroups should have just 8 lanes and be few: a processor with subgroups of at most 8 lanes runs the subgroups of a
 * larger workgroup one after another and saves their state at each barrier. A GPU with as few lanes (Mali has 8 or 16) does not.
 */
export function isNarrow({ subgroupSize, processor }: Limits): boolean {
  return processor && subgroupSize !== null && subgroupSize <= 8;
}

/** The subgroup size of the kernels with subgroup functions. */
export const kernelLanes = 8;

/** Why an adapter cannot run these kernels, or null. A GPU would spill registers: each lane keeps up to 512 sums. */
export function lacksSubgroups({ subgroupSize, processor }: Limits): string | null {
  if (subgroupSize !== kernelLanes)
    return `it needs subgroups of ${kernelLanes} lanes, and the adapter has ${subgroupSize ?? 'none of a fixed size'}`;
  return processor ? null : `its subgroups of ${kernelLanes} lanes are for processors, and the adapter is a GPU`;
}

/** Bindings are rounded up to multiples of this many bytes: kernels read and write vec4. */
export const bindingUnit = 16;

/**
 * The alignment of the parts of a tensor, in bytes. Some adapters allow offsets of 4, but a part that ends between two multiples
 * of `bindingUnit` would be bound into the next part, or past the end of its buffer.
 */
export function partAlignment({ minStorageBufferOffsetAlignment }: Limits): number {
  return Math.max(bindingUnit, minStorageBufferOffsetAlignment);
}
