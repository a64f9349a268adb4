// Values picked by index, and values added at an index: each is the gradient of the other.

import gatherText from '@mien/shaders/gather/gather.wgsl';
import scatterAddText from '@mien/shaders/gather/scatterAdd.wgsl';
import scatterAddSortedText from '@mien/shaders/gather/scatterAddSorted.wgsl';
import { record } from '../autograd.ts';
import { wgslType } from '../dtype.ts';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import { run } from '../runtime/run.ts';
import { scope } from '../runtime/scope.ts';
import { type Window, windowOver, windowsOver } from '../runtime/split.ts';
import { newEmpty } from '../runtime/tensorBase.ts';
import type { Params } from '../runtime/wgsl.ts';
import type { Tensor } from '../tensor.ts';
import { isSortingCheaper, type Picking, sortedIndex } from './gatherSort.ts';
import type { Shape } from './geometry.ts';
import { where } from './where.ts';

const pickAll = kernel(gatherText);
const pickSome = kernel(gatherText, { KEEPS: true });

type Element = 'f32' | 'i32' | 'u32';

function sumsOf(element: Element): Readonly<Record<'direct' | 'onward' | 'sorted' | 'sortedOnward', Kernel>> {
  return {
    direct: kernel(scatterAddText, { element }),
    onward: kernel(scatterAddText, { element, ADDING: true }),
    sorted: kernel(scatterAddSortedText, { element }),
    sortedOnward: kernel(scatterAddSortedText, { element, ADDING: true }),
  };
}

const sums = { f32: sumsOf('f32'), i32: sumsOf('i32'), u32: sumsOf('u32') };
const nanBits = 0x7fc00000;

/** The bits that an index out of range gives. */
export function outsideBits(x: Tensor): number {
  return x.dtype === 'float32' ? nanBits : 0;
}

/** Windows over the blocks of x that belong to a window of y: `yBlock` elements of y correspond to `xBlock` of x. */
function sourcesOf(x: Tensor, y: Window, yBlock: number, xBlock: number): readonly Window[] {
  return windowsOver(x, Math.floor(y.start / yBlock) * xBlock, Math.ceil((y.start + y.count) / yBlock) * xBlock);
}

/** The window over the indices of a window of picked values. */
function placesOf(index: Tensor, { start, count }: Window, { outer, inner, indexOuter, indexInner }: Picking): Window {
  if (indexOuter < outer) return windowOver(index, 0, index.size);
  const share = inner / indexInner;
  return windowOver(index, Math.floor(start / share), Math.ceil((start + count) / share));
}

function runOver(form: Kernel, x: Window, index: Window, y: Window, g: Picking, params: Params): void {
  const { length, inner, count, indexInner } = g;
  const indexCount = g.indexOuter < g.outer ? 0 : count;
  const windows = { xFirst: x.start, xSize: x.count, indexFirst: index.start, yFirst: y.start, ySize: y.count };
  run(
    form,
    { x: x.memory, index: index.memory, y: y.memory },
    { length, inner, count, indexCount, indexInner, ...windows, ...params },
    Math.ceil(y.count / form.const('LANES')),
  );
}

/** Writes the picked values of x to y; with `keeps`, where the index is not -1. */
export function pickInto(y: Tensor, x: Tensor, index: Tensor, g: Picking, outside: number, keeps = false): void {
  for (const target of windowsOver(y, 0, y.size)) {
    const places = placesOf(index, target, g);
    for (const source of sourcesOf(x, target, g.count * g.inner, g.length * g.inner)) {
      runOver(keeps ? pickSome : pickAll, source, places, target, g, { outside });
    }
  }
}

/**
 * Picks values of x without checks: [outer, count, inner] as the shape `shape`. Indices outside give `outside`. The row `padding` of an
 * embedding gets no gradient.
 */
export function pick(
  name: string,
  x: Tensor,
  index: Tensor,
  g: Picking,
  shape: Shape,
  outside: number = outsideBits(x),
  padding: number | null = null,
): Tensor {
  const y = newEmpty(x, shape);
  pickInto(y, x, index, g, outside);
  const shapeX = x.shape;
  return record(
    name,
    y,
    { x },
    {
      saves: { index },
      backward: (dy, saved) => {
        if (padding === null) return { x: addedAt(dy, saved.index, g, shapeX, outside) };
        // Its derivative in a second derivative is 0 too, so dy is replaced rather than the index.
        const isPadding = saved.index.eq(padding).reshape([...saved.index.shape, 1]);
        return { x: addedAt(where(isPadding, 0, dy), saved.index, g, shapeX, outside) };
      },
    },
  );
}

/**
 * Adds each value of x, [outer, count, inner], at its index: the gradient of `pick`, whose gradient is `pick` with `outside`. Indices
 * outside are ignored.
 */
export function addedAt(x: Tensor, index: Tensor, g: Picking, shape: Shape, outside: number = nanBits): Tensor {
  const y = newEmpty(x, shape);
  addInto(y, x, index, g, 0, false);
  const picked = x.shape;
  return record(
    'addedAt',
    y,
    { x },
    { saves: { index }, backward: (dy, saved) => ({ x: pick('gather', dy, saved.index, g, picked, outside) }) },
  );
}

/** Writes to y, [outer, length, inner], the sums of the values of x by index; `onto` what it holds. */
export function addInto(y: Tensor, x: Tensor, index: Tensor, g: Picking, outside: number, onto: boolean): void {
  const forms = sums[wgslType[y.dtype]];
  if (isSortingCheaper(g, x, index, y)) {
    scope(() => {
      const { outer, length, inner, count, indexOuter, indexInner } = g;
      const params = { size: outer * length * inner, length, inner, count, indexOuter, indexInner, outside };
      const form = onto ? forms.sortedOnward : forms.sorted;
      run(form, { x, ...sortedIndex(index, g), y }, params, Math.ceil(y.size / form.const('LANES')));
    });
    return;
  }
  for (const target of windowsOver(y, 0, y.size)) {
    const sources = sourcesOf(x, target, g.length * g.inner, g.count * g.inner);
    for (const [i, source] of sources.entries()) {
      const form = onto || i > 0 ? forms.onward : forms.direct;
      runOver(form, source, placesOf(index, source, g), target, g, { outside });
    }
  }
}
