// Messages between page and worker.

/** Sent by the page. */
export type Command =
  | { readonly kind: 'start'; readonly images: number; readonly epochs: number; readonly seed: number }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' };

/** A test face and the network's prediction. */
export interface Prediction {
  /** 48 x 48 gray bytes. */
  readonly pixels: Uint8Array;
  readonly label: string;
  readonly predicted: string;
  /** Probability of `predicted`, 0 to 1. */
  readonly probability: number;
}

/** Sent by the worker. */
export type WorkerEvent =
  | { readonly kind: 'ready'; readonly adapter: string; readonly parameters: number; readonly steps: number }
  /** Compiled kernels, out of those requested so far. */
  | { readonly kind: 'compiling'; readonly done: number; readonly total: number }
  | {
      readonly kind: 'step';
      /** Starts at 1 and counts over all epochs. */
      readonly step: number;
      readonly loss: number;
      /** On the images of this step, 0 to 1. */
      readonly accuracy: number;
      readonly imagesPerSecond: number;
    }
  | {
      readonly kind: 'test';
      readonly step: number;
      readonly accuracy: number;
      readonly predictions: readonly Prediction[];
    }
  | { readonly kind: 'paused' }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly message: string };
