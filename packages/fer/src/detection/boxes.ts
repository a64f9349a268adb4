// Bounding boxes in pixels, their overlap, and non-maximum suppression.
import { ValueError } from '@mien/tensor';

/** A rectangle in pixels of a photo, fractions included. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Intersection over union of two boxes, 0 to 1. */
export function iou(a: Box, b: Box): number {
  const width = Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left);
  const height = Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const intersection = width * height;
  return intersection / (a.width * a.height + b.width * b.height - intersection);
}

/**
 * Non-maximum suppression that keeps the suppressed boxes: groups of indices, best score first. The first of each group
 * suppresses the others, whose intersection over union with it exceeds `limit`. Ties keep the order of the input.
 */
export function nonMaxSuppression(boxes: readonly Box[], scores: readonly number[], limit: number): number[][] {
  if (scores.length !== boxes.length) {
    throw new ValueError(`nonMaxSuppression: ${boxes.length} boxes with ${scores.length} scores, expected one each`);
  }
  let remaining = boxes.map((_, i) => i).sort((a, b) => (scores[b] as number) - (scores[a] as number));
  const groups: number[][] = [];
  while (remaining.length > 0) {
    const first = remaining[0] as number;
    const best = boxes[first] as Box;
    const joins = (i: number): boolean => i === first || iou(best, boxes[i] as Box) > limit;
    groups.push(remaining.filter(joins));
    remaining = remaining.filter((i) => !joins(i));
  }
  return groups;
}

/** The square around the center of `box`: `scale` times its longer side wide, moved down by `shift` of that side. */
export function squareAbout({ left, top, width, height }: Box, scale: number, shift = 0): Box {
  const longer = Math.max(width, height);
  const side = scale * longer;
  return {
    left: left + (width - side) / 2,
    top: top + (height - side) / 2 + shift * longer,
    width: side,
    height: side,
  };
}
