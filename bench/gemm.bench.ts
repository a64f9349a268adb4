// Square matrix products, and the same with one operand transposed as gradients need it.
import { device, randn, scope, type Tensor } from '@mien/tensor';
import { measure, type Report } from './measure.ts';

export async function bench(report: Report): Promise<void> {
  for (const n of [128, 256, 512, 1024]) {
    const [a, b] = [randn([n, n]), randn([n, n])];
    const run = async (fn: () => Tensor): Promise<void> => {
      scope(() => void fn());
      await device().synchronize();
    };
    report(await measure(`gemm ${n}`, { flops: 2 * n ** 3 }, () => run(() => a.matmul(b))));
    report(
      await measure(`gemm ${n}, b transposed`, { flops: 2 * n ** 3 }, () => run(() => a.matmul(b.transpose(0, 1)))),
    );
    a.dispose();
    b.dispose();
  }
}
