import { AlgorithmError, conv2d, device, type Limits, ones, ValueError } from '@mien/tensor';
import {
  algorithmsOf,
  isNarrow,
  lackOf,
  operationsWithAlgorithms,
  withAlgorithm,
  withDispatches,
  withLimits,
} from '@mien/tensor/internal';
import { ensure, refuses } from '@mien/tensor/testing';
import { test } from '../harness.ts';
import { forwardLaw, transposeLaw, weightGradientLaw } from './algorithms/convLaws.ts';
import { matmulLaw } from './algorithms/matmul.ts';
import { poolLaw } from './algorithms/pool.ts';

test('every operation with several algorithms has laws by algorithm', () => {
  const stated = [forwardLaw, transposeLaw, weightGradientLaw, matmulLaw, poolLaw].map(({ operation }) => operation);
  const missing = operationsWithAlgorithms().filter((name) => !stated.includes(name) && !name.endsWith('ForTest'));
  ensure(
    missing.length === 0,
    `expected laws by algorithm for ${missing.join(', ')}; add them in test/tensor/algorithms`,
  );
});

test('withAlgorithm throws if the algorithm does not fit, and never replaces it', async () => {
  const convolve = () => conv2d(ones([1, 2, 5, 5]), ones([3, 2, 3, 3]));
  await withAlgorithm('conv2d', 'depthwise', () =>
    refuses(
      convolve,
      AlgorithmError,
      'conv2d: expected to run depthwise, but it does not fit 1x2x5x5 3 3x3; choose another algorithm or none',
    ),
  );
  await withLimits({ subgroupSize: 32 }, () =>
    withAlgorithm('conv2d', 'subgroup', () =>
      refuses(convolve, AlgorithmError, 'it needs subgroups of 8 lanes, and the adapter has 32'),
    ),
  );
  convolve();
});

test('withAlgorithm restores the outer choice when nested', async () => {
  const inside = (): Promise<string> => withAlgorithm('maxPool2d', 'windows', () => 'inner');
  await withAlgorithm('conv2d', 'depthwise', async () => {
    await withAlgorithm('conv2d', 'direct', inside);
    refuses(() => conv2d(ones([1, 2, 5, 5]), ones([3, 2, 3, 3])), AlgorithmError, 'expected to run depthwise');
  });
});

test('withAlgorithm refuses unknown operations and algorithms', async () => {
  refuses(
    () => algorithmsOf('relu'),
    ValueError,
    'algorithms: expected an operation with several algorithms, got relu',
  );
  const thrown = await withAlgorithm('conv2d', 'fft', () => null).catch((reason: unknown) => reason);
  ensure(
    thrown instanceof ValueError && thrown.message.includes('expected an algorithm of conv2d (fewChannels, '),
    String(thrown),
  );
});

test('isNarrow is true for CPUs with few lanes, not for GPUs', () => {
  const of = (subgroupSize: number | null, processor: boolean): boolean =>
    isNarrow({ ...device().limits, subgroupSize, processor });
  ensure(of(4, true) && of(8, true), 'CPUs with 4 and 8 lanes');
  ensure(!of(4, false) && !of(8, false), 'GPUs with 4 and 8 lanes');
  ensure(!of(16, true) && !of(null, true), 'CPUs with 16 lanes and with a range');
});

test('a GPU with 8 lanes uses workgroup products, a CPU subgroup products', async () => {
  const kernelOf = async (limits: Partial<Limits>): Promise<string> => {
    const names: string[] = [];
    await withLimits(limits, () =>
      withDispatches(
        ({ kernel }) => names.push(kernel.name),
        async () => {
          await ones([40, 40])
            .matmul(ones([40, 40]))
            .data();
        },
      ),
    );
    return names.at(-1) as string;
  };
  const mali = await kernelOf({ subgroupSize: 8, processor: false });
  ensure(mali === 'gemmWorkgroup', `a GPU ran ${mali}`);
  const { subgroupSize, processor } = device().limits;
  if (subgroupSize !== 8 || !processor) return;
  const kernel = await kernelOf({});
  ensure(kernel === 'gemmSubgroup', `a CPU ran ${kernel}`);
});

test('algorithms for subgroups of 8 lanes run on CPUs only, not on GPUs with 8 lanes', () => {
  const of = (changes: Partial<Limits>): string | null =>
    lackOf('matmul', 'subgroup', { ...device().limits, subgroupSize: 8, processor: true, ...changes });
  ensure(of({}) === null, 'a CPU with 8 lanes');
  ensure(of({ processor: false })?.includes('the adapter is a GPU') === true, 'a GPU with 8 lanes');
  ensure(of({ subgroupSize: 4 })?.includes('has 4') === true, 'a CPU with 4 lanes');
  ensure(of({ subgroupSize: null })?.includes('none of a fixed size') === true, 'a range of lanes');
});
