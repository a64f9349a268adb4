// The networks, one row each. To add one: a file beside this one with its layers and `cut`, and its name and row below.

import type { Layer } from '@mien/nn';
import { expectOneOf } from '@mien/tensor/internal';
import type { Preset, TrainingConfig } from '../training/config.ts';
import { NanoNet, SmallNet } from './compact.ts';
import { expectNetworkOptions, type NetworkOptions } from './options.ts';
import { ResNet18, ResNet34 } from './resnet.ts';
import { VGG } from './vgg.ts';

/** What the package knows about a network besides its layers. */
interface Network {
  readonly create: (options: NetworkOptions) => Layer;
  /** The images that it is trained on: three channels, or one. */
  readonly input: 'color' | 'gray';
  /** Views in one pass of an evaluation: keeps the largest activation near 64 MiB. */
  readonly views: number;
  readonly preset: Preset;
  /** Changes to the `best` preset on any data set. */
  readonly recipe?: Partial<TrainingConfig>;
}

/** The networks that can be trained. */
export const MODELS = ['vgg11', 'vgg13', 'vgg16', 'vgg19', 'resnet18', 'resnet34', 'small', 'nano'] as const;
export type ModelName = (typeof MODELS)[number];

const LARGE = { input: 'color', views: 130, preset: 'reference' } as const;
const COMPACT = { input: 'gray', preset: 'best' } as const;

/** The catalog: one row per network. */
export const NETWORKS: Readonly<Record<ModelName, Network>> = {
  vgg11: { ...LARGE, create: (options) => new VGG('vgg11', options) },
  vgg13: { ...LARGE, create: (options) => new VGG('vgg13', options) },
  vgg16: { ...LARGE, create: (options) => new VGG('vgg16', options) },
  vgg19: { ...LARGE, create: (options) => new VGG('vgg19', options) },
  resnet18: { ...LARGE, create: (options) => new ResNet18(options) },
  resnet34: { ...LARGE, create: (options) => new ResNet34(options) },
  small: { ...COMPACT, views: 500, create: (options) => new SmallNet(options) },
  nano: {
    ...COMPACT,
    views: 1000,
    create: (options) => new NanoNet(options),
    // A network of this size needs less regularization and larger steps.
    recipe: { weightDecay: 1e-4, labelSmoothing: 0.05 },
  },
};

/** Whether `name` is in the catalog. */
export function isModelName(name: unknown): name is ModelName {
  return MODELS.some((each) => each === name);
}

/** Builds the network `name` with random weights. */
export function createNetwork(name: ModelName, options: NetworkOptions): Layer {
  expectOneOf('createNetwork', 'name', name, MODELS);
  expectNetworkOptions('createNetwork', options);
  return NETWORKS[name].create(options);
}
