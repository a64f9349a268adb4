// 3x3 convolutions at batch 16, each pass by itself: of VGG19 the first layer and three that carry most of its work, and a
// layer of nano with a window for each channel. Each the way that is chosen, then forced ones.
import { conv2d, convTranspose2d, device, randn, scope } from '@mien/tensor';
import { alternativesOf, withAlternative } from '@mien/tensor/testing';
import { measure, type Report } from './measure.ts';

const images = 16;
const layers = [
  { name: 'conv3x44', inputs: 3, outputs: 64, size: 44, groups: 1, others: [] },
  { name: 'conv64x44', inputs: 64, outputs: 64, size: 44, groups: 1, others: ['direct'] },
  { name: 'conv128x22', inputs: 128, outputs: 128, size: 22, groups: 1, others: [] },
  { name: 'conv512x5', inputs: 512, outputs: 512, size: 5, groups: 1, others: ['direct'] },
  { name: 'depthwise96x22', inputs: 96, outputs: 96, size: 22, groups: 96, others: ['direct'] },
] as const;

export async function bench(report: Report): Promise<void> {
  for (const { name, inputs, outputs, size, groups, others } of layers) {
    const window = [outputs, inputs / groups, 3, 3];
    const work = { flops: (2 * images * outputs * inputs * 9 * size * size) / groups };
    const options = { padding: 1, groups };
    const [x, dy] = [randn([images, inputs, size, size]), randn([images, outputs, size, size])];
    const weight = scope(() => randn(window).detach({ requiresGrad: true }));
    const fixed = weight.detach();
    const y = conv2d(x, weight, null, options);
    const passes: readonly (readonly [pass: string, operation: string, fn: () => unknown])[] = [
      ['forward', 'conv2d', () => conv2d(x, fixed, null, options)],
      ['inputGradient', 'convTranspose2d', () => convTranspose2d(dy, fixed, null, options)],
      ['weightGradient', 'conv2dWeightGradient', () => y.backward(dy, { keepGraph: true })],
    ];
    for (const [pass, operation, fn] of passes) {
      const run = async (): Promise<void> => {
        scope(() => void fn());
        weight.grad?.dispose();
        weight.grad = null;
        await device().synchronize();
      };
      report(await measure(`${name}/${pass}`, work, run));
      for (const way of others.filter((way) => alternativesOf(operation).includes(way))) {
        report(await withAlternative(operation, way, () => measure(`${name}/${pass}/${way}`, work, run)));
      }
    }
    for (const each of [x, dy, weight, fixed, y]) each.dispose();
  }
}
