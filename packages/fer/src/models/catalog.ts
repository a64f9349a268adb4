// The networks by name.
import type { Layer } from '@mien/nn';
import type { ModelName } from '../training/config.ts';
import { NanoNet, SmallNet } from './compact.ts';
import type { NetworkOptions } from './options.ts';
import { ResNet18 } from './resnet.ts';
import { VGG } from './vgg.ts';

interface Row {
  readonly make: (options: NetworkOptions) => Layer;
  /** Images in one pass of an evaluation: the largest activation stays near 64 MiB. */
  readonly views: number;
}

const NETWORKS = {
  vgg11: { make: (options) => new VGG('vgg11', options), views: 130 },
  vgg13: { make: (options) => new VGG('vgg13', options), views: 130 },
  vgg16: { make: (options) => new VGG('vgg16', options), views: 130 },
  vgg19: { make: (options) => new VGG('vgg19', options), views: 130 },
  resnet18: { make: (options) => new ResNet18(options), views: 130 },
  small: { make: (options) => new SmallNet(options), views: 500 },
  nano: { make: (options) => new NanoNet(options), views: 1000 },
} satisfies Record<ModelName, Row>;

/** Builds the network called `name` with fresh weights. */
export function createNetwork(name: ModelName, options: NetworkOptions): Layer {
  return NETWORKS[name].make(options);
}

/** How many views of images one pass of an evaluation of `name` takes. */
export function viewsPerPass(name: ModelName): number {
  return NETWORKS[name].views;
}
