// Convolutions of more images than one binding holds run in passes of as many as fit.
import type { Limits } from '../runtime/limits.ts';
import type { Memory } from '../runtime/memoryRange.ts';
import { part, type Span, spansOf, splitRows, unitOf } from '../runtime/split.ts';
import type { Tensor } from '../tensor.ts';
import type { ConvGeometry } from './convGeometry.ts';
import { area } from './geometry.ts';

/** Invocations that keep an adapter busy. */
export const enoughThreads = 4096;

/** Bytes of an image of x and of y. */
export function planeBytes(g: ConvGeometry): readonly number[] {
  return [4 * g.inputs * area(g.input), 4 * g.outputs * area(g.output)];
}

/** The fewest images that a pass can have. */
export function fewestImages(g: ConvGeometry, limits: Limits): number {
  return Math.min(g.images, unitOf(planeBytes(g), limits));
}

/** Images of each pass of an algorithm that needs at most `bytes` an image in any tensor: as many as `workspace` bytes hold. */
export function workspacePasses(g: ConvGeometry, bytes: number, workspace: number, limits: Limits): readonly Span[] {
  const most = Math.floor(Math.min(limits.maxStorageBufferBindingSize, workspace) / bytes);
  const unit = unitOf(planeBytes(g), limits);
  return spansOf(g.images, most >= g.images ? g.images : Math.max(unit, Math.floor(most / unit) * unit));
}

/** Images of each pass of a direct kernel, which needs no workspace. */
export function directPasses(g: ConvGeometry, limits: Limits): readonly Span[] {
  return splitRows('conv2d', g.images, planeBytes(g), limits);
}

/** The images of a pass of a tensor [N, ...]. */
export function images(x: Tensor, { start, count }: Span): Memory {
  const bytes = x.bytes / (x.shape[0] as number);
  return part(x, start * bytes, count * bytes);
}
