// What page and worker say to each other.

/** From the page. */
export type Order =
  | { readonly kind: 'start'; readonly images: number; readonly epochs: number; readonly seed: number }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' };

/** A face that the network has not been trained on, and how it reads it. */
export interface Reading {
  /** 48 x 48 gray bytes. */
  readonly pixels: Uint8Array;
  readonly drawnAs: string;
  readonly readAs: string;
  /** The network's score of `readAs`, 0 to 1. */
  readonly score: number;
}

/** From the worker. */
export type News =
  | { readonly kind: 'ready'; readonly adapter: string; readonly parameters: number; readonly steps: number }
  /** Kernels that have compiled, of those that were asked for so far. */
  | { readonly kind: 'compiling'; readonly done: number; readonly total: number }
  | {
      readonly kind: 'step';
      /** From 1, over all epochs. */
      readonly step: number;
      readonly loss: number;
      /** Of this step's images, 0 to 1. */
      readonly accuracy: number;
      readonly imagesPerSecond: number;
    }
  | { readonly kind: 'test'; readonly step: number; readonly accuracy: number; readonly readings: readonly Reading[] }
  | { readonly kind: 'paused' }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly message: string };
