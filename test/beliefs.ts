// Runs laws again with assumed limits of adapters that no test machine has, so that the algorithms, kernel variants and splits of
// such adapters are tested. The limits of the real adapter still apply.
import { device, type Limits } from '@mien/tensor';
import { withLimits } from '@mien/tensor/internal';

/** Assumed limits of the adapter. */
export interface Belief {
  readonly name: string;
  readonly limits: (own: Limits) => Partial<Limits>;
}

/** Laws of operations that depend on limits. */
const files = [
  'test/tensor/conv.test.ts',
  'test/tensor/convBatchNorm.test.ts',
  'test/tensor/convDepthwise.test.ts',
  'test/tensor/attention.test.ts',
  'test/tensor/layerNorm.test.ts',
  'test/tensor/matmul.test.ts',
  'test/tensor/norm.test.ts',
  'test/tensor/pool.test.ts',
  'test/tensor/reduce.test.ts',
  'test/tensor/softmax.test.ts',
  'test/nn/optim.test.ts',
  'test/nn/capture.test.ts',
];

const beliefs: readonly Belief[] = [
  {
    name: 'subgroups of 32 lanes and offsets of 4 bytes',
    // Offsets that the adapter refuses cannot run; the laws of splitRows and windowsOver cover them.
    limits: ({ minStorageBufferOffsetAlignment: own }) => ({
      subgroupSize: 32,
      minStorageBufferOffsetAlignment: own > 16 ? own : 4,
    }),
  },
  {
    name: 'subgroups of 16 to 64 lanes and offsets of 256 bytes',
    // So few workgroups per dimension give grids in y and z, and idle workgroups.
    limits: () => ({
      subgroupSize: null,
      minStorageBufferOffsetAlignment: 256,
      maxComputeWorkgroupsPerDimension: 97,
    }),
  },
];

/** Generated cases of a law per belief, beside its examples: a few, as limits do not change results. */
export const runsUnderBelief = 3;

/** The beliefs of a test file; none in a page, which would make the same choices as Node. */
export function beliefsOf(file: string): readonly Belief[] {
  return files.includes(file) && !('document' in globalThis) ? beliefs : [];
}

/** Runs `fn` with the limits of a belief until its promise settles. */
export async function believing<T>({ limits }: Belief, fn: () => T | Promise<T>): Promise<T> {
  const results: T[] = [];
  await withLimits(limits(device().limits), async () => {
    results.push(await fn());
  });
  return results[0] as T;
}
