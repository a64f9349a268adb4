// Mien compared with its peers: the work that all do, and the ratio of their times.
import type { Spread } from './measure.ts';

/** Records of `npm run bench` that the peers run too. */
export const peerWork: readonly string[] = [
  'gemm/512',
  'gemm/1024',
  'conv64x44/forward',
  'conv64x44/inputGradient',
  'conv64x44/weightGradient',
  'forward/vgg19/b16',
  'forward/resnet18/b16',
  'step/vgg19/b16',
  'step/resnet18/b16',
];

/** Larger records for GPUs, which only PyTorch runs too: included if PyTorch has a GPU, or by name. */
export const largePeerWork: readonly string[] = ['gemm/2048', 'gemm/4096', 'step/vgg19/b128', 'step/resnet18/b128'];

/** The result of a peer's program: its times, or why there are none. */
export type Outcome = { readonly seconds: Spread } | { readonly reason: string };

/** A peer's seconds divided by Mien's: of the medians, and the smallest and largest ratio within the ranges. */
export function ratioOf(mien: Spread, peer: Spread): Spread {
  return { median: peer.median / mien.median, min: peer.min / mien.max, max: peer.max / mien.min };
}

/** `4.1x (3.9 to 4.4)`. */
export function ratioText({ median, min, max }: Spread): string {
  return `${short(median)}x (${short(min)} to ${short(max)})`;
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(2);
}
