// Boxes in pixels: overlap, and groups of those that mean one thing.
import { ValueError } from '@mien/tensor';

/** A rectangle in pixels of a photo, from the left and the top; parts of pixels count. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Intersection over union of two boxes, 0 to 1. */
export function overlap(a: Box, b: Box): number {
  const width = Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left);
  const height = Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const both = width * height;
  return both / (a.width * a.height + b.width * b.height - both);
}

/**
 * Non-maximum suppression: the indices in groups, best score first. The first of each group is its best; the others
 * overlap it by more than `limit` and no better group's first does so with any of them. Equal scores go by their order.
 */
export function suppress(boxes: readonly Box[], scores: readonly number[], limit: number): number[][] {
  if (scores.length !== boxes.length) {
    throw new ValueError(`suppress: ${boxes.length} boxes with ${scores.length} scores, expected one each`);
  }
  let left = boxes.map((_, i) => i).sort((a, b) => (scores[b] as number) - (scores[a] as number));
  const groups: number[][] = [];
  while (left.length > 0) {
    const best = boxes[left[0] as number] as Box;
    const joins = (i: number): boolean => i === left[0] || overlap(best, boxes[i] as Box) > limit;
    groups.push(left.filter(joins));
    left = left.filter((i) => !joins(i));
  }
  return groups;
}

/** The square about the middle of `box`, `enlarge` times as wide as its longer side, moved down by `lower` of that side. */
export function squareAbout({ left, top, width, height }: Box, enlarge: number, lower = 0): Box {
  const longer = Math.max(width, height);
  const side = enlarge * longer;
  return {
    left: left + (width - side) / 2,
    top: top + (height - side) / 2 + lower * longer,
    width: side,
    height: side,
  };
}
