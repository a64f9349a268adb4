// 3x3 convolutions of VGG19 at batch 16: forward, gradient of the input, gradient of the weight.
import { conv2d, device, randn, scope, type Tensor } from '@mien/tensor';
import { measure, type Report } from './measure.ts';

const batch = 16;
const layers = [
  { inputs: 64, outputs: 64, size: 44 },
  { inputs: 128, outputs: 128, size: 22 },
  { inputs: 512, outputs: 512, size: 5 },
];

export async function bench(report: Report): Promise<void> {
  for (const { inputs, outputs, size } of layers) {
    const flops = 2 * batch * outputs * inputs * 9 * size * size;
    const name = `conv ${inputs} to ${outputs} at ${size}x${size}`;
    for (const needs of ['none', 'input', 'weight'] as const) {
      const x = leaf([batch, inputs, size, size], needs === 'input');
      const weight = leaf([outputs, inputs, 3, 3], needs === 'weight');
      const dy = randn([batch, outputs, size, size]);
      const run = async (): Promise<void> => {
        scope(() => {
          const y = conv2d(x, weight, null, { padding: 1 });
          if (needs !== 'none') y.backward(dy);
        });
        for (const leaf of [x, weight]) {
          leaf.grad?.dispose();
          leaf.grad = null;
        }
        await device().synchronize();
      };
      const what = needs === 'none' ? 'forward' : `forward and gradient of the ${needs}`;
      report(await measure(`${name}, ${what}`, { flops: needs === 'none' ? flops : 2 * flops }, run));
      for (const each of [x, weight, dy]) each.dispose();
    }
  }
}

function leaf(shape: readonly number[], requiresGrad: boolean): Tensor {
  return scope(() => randn(shape).detach({ requiresGrad }));
}
