// How many images fit, told after some did not.
import { device, memory } from '@mien/tensor';

/** Of the memory that the adapter gave beyond what does not depend on the images: the rest is for what an estimate does not know. */
const usable = 0.9;
/** A captured step has memory of its own beside that of the calls that it was recorded from. */
const copies = 2;
/** BatchNorm cannot train on fewer. */
const fewest = 2;

/**
 * The largest power of two of images at a time that should fit where `images` did not, or null where not even two do. The
 * step that failed wanted `wantedBytes` in all; `heldBytes` is what the adapter gave, null where that is unknown.
 * Frees what is only kept for reuse.
 */
export function batchThatFits(images: number, heldBytes: number | null, wantedBytes: number): number | null {
  device().freeUnused();
  return largestFit(images, { heldBytes, fixedBytes: memory().liveBytes, wantedBytes });
}

/** As `batchThatFits`, of bytes: `fixedBytes` do not depend on the images, `wantedBytes` are for all of them. */
export function largestFit(
  images: number,
  bytes: { readonly heldBytes: number | null; readonly fixedBytes: number; readonly wantedBytes: number },
): number | null {
  const { heldBytes, fixedBytes, wantedBytes } = bytes;
  const share =
    heldBytes === null ? 0.5 : (usable * (heldBytes - fixedBytes)) / Math.max(copies * (wantedBytes - fixedBytes), 1);
  const most = Math.min(share * images, images - 1);
  return most < fewest ? null : 2 ** Math.floor(Math.log2(most));
}
