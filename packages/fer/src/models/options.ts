// Options of the networks' constructors.
import type { Generator } from '@mien/tensor';
import { expectOptions, optionNames } from '@mien/tensor/internal';

/** Options of every network of this package. */
export interface NetworkOptions {
  readonly classes: number;
  /** Channels of the input: 3 for VGG and ResNet, 1 for the compact networks by default. */
  readonly channels: number;
  /** Draws the initial weights. */
  readonly generator: Generator;
  /** Draws dropout masks. Default: `generator`. */
  readonly noise?: Generator;
}

const names = optionNames<NetworkOptions>({ classes: true, channels: true, generator: true, noise: true });

/** Throws ValueError, naming `network`, unless `options` are an object with the names of NetworkOptions. */
export function expectNetworkOptions(network: string, options: unknown): void {
  expectOptions(network, options, names);
}
