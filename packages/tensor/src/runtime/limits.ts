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
  /** Lanes of every subgroup, or null where the adapter has none or does not say one number. */
  readonly subgroupSize: number | null;
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
    maxStorageBufferBindingSize: maxStorageBufferBindingSize - (maxStorageBufferBindingSize % 16),
    maxBufferSize: Math.min(maxBufferSize, largestBuffer),
    minStorageBufferOffsetAlignment: gpu.limits.minStorageBufferOffsetAlignment,
    subgroupSize: subgroupLanes(facts),
    shaderF16: facts.features.includes('shader-f16'),
  };
}

/**
 * Whether groups should have just 8 lanes and be few: adapters whose subgroups are as narrow compute on a processor, run lanes
 * one after another, and put them all aside at each barrier.
 */
export function isNarrow({ subgroupSize }: Limits): boolean {
  return subgroupSize !== null && subgroupSize <= 8;
}
