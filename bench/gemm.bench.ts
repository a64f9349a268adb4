// Square matrix products by every way that there is, and the same with an operand transposed as gradients need it.
import { device, randn, scope, type Tensor } from '@mien/tensor';
import { alternativesOf, withAlternative } from '@mien/tensor/testing';
import { measure, type Report } from './measure.ts';

export async function bench(report: Report): Promise<void> {
  for (const n of [256, 512, 1024]) {
    const [a, b] = [randn([n, n]), randn([n, n])];
    const work = { flops: 2 * n ** 3 };
    const run = async (fn: () => Tensor): Promise<void> => {
      scope(() => void fn());
      await device().synchronize();
    };
    report(await measure(`gemm/${n}`, work, () => run(() => a.matmul(b))));
    report(await measure(`gemm/${n}/transposed`, work, () => run(() => a.matmul(b.transpose(0, 1)))));
    for (const way of n > 512 ? [] : alternativesOf('matmul').slice(1)) {
      const name = `gemm/${n}/${way}`;
      report(await withAlternative('matmul', way, () => measure(name, work, () => run(() => a.matmul(b)))));
    }
    a.dispose();
    b.dispose();
  }
}
