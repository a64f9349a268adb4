// Mien beside a peer: how many times as much work a second.
import type { Spread } from './measure.ts';

/** A peer's seconds over Mien's: of the medians, and the least and the most that their ends allow. */
export function ratioOf(mien: Spread, peer: Spread): Spread {
  return { median: peer.median / mien.median, min: peer.min / mien.max, max: peer.max / mien.min };
}

/** `4.1x (3.9 to 4.4)` */
export function ratioText({ median, min, max }: Spread): string {
  return `${digits(median)}x (${digits(min)} to ${digits(max)})`;
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(2);
}
