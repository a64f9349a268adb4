// Adapters that no test machine has, believed: the same laws again with the choices, kernel forms and parts that such an adapter
// would get. The limits of the real adapter stay in force underneath.
import { device, type Limits } from '@mien/tensor';
import { withLimits } from '@mien/tensor/internal';

/** Limits that are believed of the adapter. */
export interface Belief {
  readonly name: string;
  readonly limits: (own: Limits) => Partial<Limits>;
}

/** Laws of everything that is chosen or split by limits. */
const files = [
  'test/tensor/conv.test.ts',
  'test/tensor/convBatchNorm.test.ts',
  'test/tensor/convDepthwise.test.ts',
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
    // An offset that the adapter itself refuses cannot be run: laws of splitRows and windowsOver hold those.
    limits: ({ minStorageBufferOffsetAlignment: own }) => ({
      subgroupSize: 32,
      minStorageBufferOffsetAlignment: own > 16 ? own : 4,
    }),
  },
  {
    name: 'subgroups of 16 to 64 lanes and offsets of 256 bytes',
    // With so few workgroups in a row, grids have y and z, and groups that nothing is left for.
    limits: () => ({
      subgroupSize: null,
      minStorageBufferOffsetAlignment: 256,
      maxComputeWorkgroupsPerDimension: 97,
    }),
  },
];

/** Cases that a law runs under a belief, beside its examples: a few, as what is believed changes no values. */
export const runsUnderBelief = 3;

/** The beliefs that a test file is run under once more: in Node, as a page would choose and split the same. */
export function beliefsOf(file: string): readonly Belief[] {
  return files.includes(file) && !('document' in globalThis) ? beliefs : [];
}

/** Runs `fn` under a belief, until what it promises. */
export async function believing<T>({ limits }: Belief, fn: () => T | Promise<T>): Promise<T> {
  const found: T[] = [];
  await withLimits(limits(device().limits), async () => {
    found.push(await fn());
  });
  return found[0] as T;
}
