// Square matrix products: the way that is chosen, with an operand transposed as gradients need it, and by each other way.
import { randn } from '@mien/tensor';
import { alternativesOf, withAlternative } from '@mien/tensor/testing';
import type { Case } from './measure.ts';
import { operation } from './operation.ts';

export function gemmCases(): readonly Case[] {
  return [256, 512, 1024].flatMap((n) => {
    const work = { flops: 2 * n ** 3 };
    const plain = (name: string): Case =>
      operation(name, work, () => {
        const [a, b] = [randn([n, n]), randn([n, n])];
        return { tensors: [a, b], run: () => a.matmul(b) };
      });
    const transposed = operation(`gemm/${n}/transposed`, work, () => {
      const [a, b] = [randn([n, n]), randn([n, n])];
      return { tensors: [a, b], run: () => a.matmul(b.transpose(0, 1)) };
    });
    // The slowest ways take seconds at 1024.
    const ways = n > 512 ? [] : alternativesOf('matmul');
    const forced = ways.map((way) => {
      const { name, run } = plain(`gemm/${n}/${way}`);
      return { name, run: () => withAlternative('matmul', way, run) };
    });
    return [plain(`gemm/${n}`), transposed, ...forced];
  });
}
