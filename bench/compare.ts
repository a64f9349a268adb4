// Mien beside its peers: the work that all are given, and how many times as much of it Mien does a second.
import type { Spread } from './measure.ts';

/** Records of `npm run bench` that peers do too. */
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

/** More of them for a GPU, which the others leave idle: done where PyTorch has one, or by a word. Only PyTorch does them too. */
export const largePeerWork: readonly string[] = ['gemm/2048', 'gemm/4096', 'step/vgg19/b128', 'step/resnet18/b128'];

/** What a peer's program says of a piece of work: its times, or why there are none. */
export type Outcome = { readonly seconds: Spread } | { readonly reason: string };

/** A peer's seconds over Mien's: of the medians, and the least and the most that their ends allow. */
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
