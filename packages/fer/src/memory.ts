// Estimates a batch size that fits after an allocation failed.
import { device, memory } from '@mien/tensor';

/** Fraction of the available memory to use, as the estimate is not exact. */
const USABLE = 0.9;
/** A captured step uses memory in addition to that of the calls that recorded it. */
const COPIES = 2;
/** BatchNorm cannot train on fewer. */
const MIN_IMAGES = 2;

/**
 * The largest power of two of images that should fit after `images` did not; null if not even two fit. The failed step
 * needed `wantedBytes` in total; the adapter provided `heldBytes`, or null if unknown. Frees unused pooled buffers.
 */
export function batchThatFits(images: number, heldBytes: number | null, wantedBytes: number): number | null {
  device().freeUnused();
  return largestFit(images, { heldBytes, fixedBytes: memory().liveBytes, wantedBytes });
}

/** As `batchThatFits`, computed from bytes; `fixedBytes` is the part that does not depend on the number of images. */
export function largestFit(
  images: number,
  bytes: { readonly heldBytes: number | null; readonly fixedBytes: number; readonly wantedBytes: number },
): number | null {
  const { heldBytes, fixedBytes, wantedBytes } = bytes;
  const fraction =
    heldBytes === null ? 0.5 : (USABLE * (heldBytes - fixedBytes)) / Math.max(COPIES * (wantedBytes - fixedBytes), 1);
  const max = Math.min(fraction * images, images - 1);
  return max < MIN_IMAGES ? null : 2 ** Math.floor(Math.log2(max));
}
