// Square matrix products: by the default algorithm, with a transposed operand as in gradients, and by each algorithm.
import { randn, setFloat32MatmulPrecision } from '@mien/tensor';
import { algorithmsOf } from '@mien/tensor/internal';
import type { Case } from './measure.ts';
import { forced, operation } from './operation.ts';

export function gemmCases(): readonly Case[] {
  return [256, 512, 1024, 2048, 4096].flatMap((n) => {
    const work = { flops: 2 * n ** 3 };
    const plain = operation(`gemm/${n}`, work, () => {
      const [a, b] = [randn([n, n]), randn([n, n])];
      return { tensors: [a, b], run: () => a.matmul(b) };
    });
    const transposed = operation(`gemm/${n}/transposed`, work, () => {
      const [a, b] = [randn([n, n]), randn([n, n])];
      return { tensors: [a, b], run: () => a.matmul(b.transpose(0, 1)) };
    });
    // The slowest algorithms take seconds at 1024 on a software adapter.
    const by = algorithmsOf('matmul').map((algorithm) => ({
      ...byAlgorithm(plain, algorithm),
      ...(n > 512 ? { large: true } : {}),
    }));
    return [plain, transposed].map((each) => (n > 1024 ? { ...each, large: true } : each)).concat(by);
  });
}

/** Products of operands rounded to f16, which a setting must allow. */
function byAlgorithm(plain: Case, algorithm: string): Case {
  const each = forced(plain, 'matmul', algorithm);
  if (algorithm !== 'half') return each;
  const run: Case['run'] = async (pace) => {
    setFloat32MatmulPrecision('medium');
    try {
      return await each.run(pace);
    } finally {
      setFloat32MatmulPrecision('highest');
    }
  };
  return { ...each, run };
}
