// Elementwise work is bound by memory: bytes read and written a second, by size.
import { device, randn, scope } from '@mien/tensor';
import { measure, type Report } from './measure.ts';

export async function bench(report: Report): Promise<void> {
  for (const size of [1 << 12, 1 << 16, 1 << 20, 1 << 23]) {
    const [x, y] = [randn([size]), randn([size])];
    const run = async (fn: () => unknown): Promise<void> => {
      scope(() => void fn());
      await device().synchronize();
    };
    report(await measure(`relu ${size}`, { bytes: 8 * size }, () => run(() => x.relu())));
    report(await measure(`add ${size}`, { bytes: 12 * size }, () => run(() => x.add(y))));
    report(await measure(`sum ${size}`, { bytes: 4 * size }, () => run(() => x.sum())));
    x.dispose();
    y.dispose();
  }
}
