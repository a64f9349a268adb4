// The chart of `npm run bench:peers`: seconds of each piece of work in the libraries that run on WebGPU.
import { bars, png } from '@mien/fer/node';

/** Times of one piece of work. */
export interface PeerResult {
  readonly work: string;
  readonly adapter: string;
  readonly measured: readonly {
    readonly name: string;
    readonly seconds: { readonly median: number; readonly min: number; readonly max: number };
  }[];
}

/** A PNG with one group of bars for each piece of work; libraries that do not use WebGPU are left out. */
export function chartOfPeers(results: readonly PeerResult[]): Uint8Array {
  const groups = results.map(({ work, measured }) => ({
    title: `${titles[work] ?? work}, seconds`,
    bars: measured
      .filter(({ name }) => name === 'Mien' || name.endsWith('WebGPU'))
      .map(({ name, seconds: { median, min, max } }) => ({
        name: name.replace(' WebGPU', ''),
        value: median,
        low: min,
        high: max,
        label: `${median.toPrecision(3)} s`,
      })),
  }));
  return png(bars(groups, 'Mien and other WebGPU libraries', `${results[0]?.adapter ?? ''}; shorter is faster`));
}

const titles: Readonly<Record<string, string>> = {
  'step/vgg19/b16': 'VGG19, a training step of 16 images',
  'step/resnet18/b16': 'ResNet18, a training step of 16 images',
};
