import type { Generator } from '@mien/tensor';

/** What every network of this package is built from. */
export interface NetworkOptions {
  readonly classes: number;
  /** Channels of the input: 3 for the reference's networks, 1 for the compact ones, unless changed. */
  readonly channels: number;
  /** Draws the initial weights. */
  readonly generator: Generator;
  /** Draws what dropout leaves out; `generator` unless given. */
  readonly noise?: Generator;
}
