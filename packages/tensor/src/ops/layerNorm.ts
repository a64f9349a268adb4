// Normalization of each sample over its last dimensions: Ba, Kiros and Hinton (2016), and by the root mean square alone Zhang
// and Sennrich (2019). A row is read once from memory and kept in caches by the walks that follow.

import layerNormText from '@mien/shaders/layerNorm/layerNorm.wgsl';
import layerNormGradient from '@mien/shaders/layerNorm/layerNormGradient.wgsl';
import layerNormSums from '@mien/shaders/layerNorm/layerNormSums.wgsl';
import { expectNumber, expectOptions, optionNames } from '../arguments.ts';
import { gradEnabled, record } from '../autograd.ts';
import { expectDtype } from '../dtype.ts';
import { ShapeError } from '../errors.ts';
import { type Kernel, kernel } from '../runtime/kernel.ts';
import { deviceOf } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import { scope } from '../runtime/scope.ts';
import { part, type Span, splitRows } from '../runtime/split.ts';
import { newEmpty } from '../runtime/tensorBase.ts';
import type { KernelValues } from '../runtime/wgsl.ts';
import type { Tensor } from '../tensor.ts';
import { newFull } from './fill.ts';
import { checkShape, type Shape, show, sizeOf } from './geometry.ts';
import { type ByLength, byLength, formFor } from './longSum.ts';
import { sum } from './reduce.ts';
import { reshape, slice } from './shape.ts';
import { sumTo } from './sumTo.ts';

/** Workgroups of 64 lanes, and of 8 for adapters with narrow subgroups, as in reductions. */
interface ByWidth {
  readonly wide: ByLength;
  readonly narrow: ByLength;
}

const byWidth = (text: string, values: KernelValues = {}): ByWidth => ({
  wide: byLength(text, values),
  narrow: byLength(text, { ...values, LANES: 8 }),
});

/** The kernels of `layerNorm`, and of `rmsNorm`, which subtracts no mean. */
const forward = { centered: byWidth(layerNormText), uncentered: byWidth(layerNormText, { CENTERED: false }) };
const gradient = { centered: byWidth(layerNormGradient), uncentered: byWidth(layerNormGradient, { CENTERED: false }) };
const sums = kernel(layerNormSums);

/** The most rows that a thread sums, and columns that keep the adapter busy without a division into parts. */
const longestPart = 1024;
const enoughColumns = 4096;

/** Options of `rmsNorm`. */
export interface RmsNormOptions {
  /** The scale, of the normalized shape; ones when null. */
  readonly weight?: Tensor | null;
  /** Added to the mean square. Default 2^-23, the distance from 1 to the next float32. */
  readonly eps?: number;
}

/** Options of `layerNorm`. */
export interface LayerNormOptions {
  /** The scale, of the normalized shape; ones when null. */
  readonly weight?: Tensor | null;
  /** The shift, of the normalized shape; zeros when null. */
  readonly bias?: Tensor | null;
  /** Added to the variance. Default 1e-5. */
  readonly eps?: number;
}

const layerNormOptions = optionNames<LayerNormOptions>({ weight: true, bias: true, eps: true });
const rmsNormOptions = optionNames<RmsNormOptions>({ weight: true, eps: true });

/**
 * (x - mean) / sqrt(variance + eps) * weight + bias, with mean and biased variance over the last dimensions of x, whose sizes
 * are `normalizedShape` (a number for one dimension). x is float32 of any rank. Throws ShapeError where x does not end in
 * `normalizedShape`, and for weight or bias of another shape.
 */
export function layerNorm(x: Tensor, normalizedShape: number | Shape, options: LayerNormOptions = {}): Tensor {
  expectOptions('layerNorm', options, layerNormOptions);
  const { weight = null, bias = null, eps = 1e-5 } = options;
  return normalize('layerNorm', x, normalizedShape, { weight, bias, eps, centered: true });
}

/**
 * x / sqrt(mean of x^2 + eps) * weight, with the mean over the last dimensions of x, whose sizes are `normalizedShape` (a number
 * for one dimension). x is float32 of any rank. Throws ShapeError where x does not end in `normalizedShape`, and for a weight of
 * another shape.
 */
export function rmsNorm(x: Tensor, normalizedShape: number | Shape, options: RmsNormOptions = {}): Tensor {
  expectOptions('rmsNorm', options, rmsNormOptions);
  const { weight = null, eps = 2 ** -23 } = options;
  return normalize('rmsNorm', x, normalizedShape, { weight, bias: null, eps, centered: false });
}

interface Parameters {
  readonly weight: Tensor | null;
  readonly bias: Tensor | null;
  readonly eps: number;
  readonly centered: boolean;
}

/** x as rows that are normalized. */
interface Rows {
  readonly rows: number;
  readonly columns: number;
  readonly centered: boolean;
}

function normalize(name: string, x: Tensor, normalizedShape: number | Shape, parameters: Parameters): Tensor {
  const { weight, bias, eps, centered } = parameters;
  const normalized = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape;
  checkNormalized(name, x, normalized, parameters);
  const columns = sizeOf(normalized);
  const g: Rows = { rows: x.size / columns, columns, centered };
  return scope(() => {
    const y = newEmpty(x, x.shape);
    const moments = newEmpty(x, [g.rows, 2]);
    const affine = { weight: weight ?? newFull(x, [columns], 1), bias: bias ?? newFull(x, [columns], 0) };
    const form = formOf(forward, x, g);
    for (const span of spansOf(name, x, g)) {
      const bindings = { ...partsOf({ x, moments, y }, span, g), ...affine };
      run(form, bindings, { rows: span.count, columns, eps }, span.count);
    }
    return record(
      name,
      y,
      { x, weight, bias },
      {
        saves: { x, weight, moments },
        backward: (dy, saved, needs) =>
          gradEnabled()
            ? composed(dy, saved, normalized, { eps, centered }, needs)
            : fused(name, dy, saved, normalized, g, needs),
      },
    );
  });
}

/** Throws as `layerNorm` does for arguments that do not match. */
function checkNormalized(name: string, x: Tensor, normalized: Shape, { weight, bias, eps }: Parameters): void {
  expectDtype(name, 'x', x, 'float32');
  checkShape(name, normalized);
  expectNumber(name, 'eps', eps, 0);
  const last = x.shape.slice(Math.max(0, x.rank - normalized.length));
  if (normalized.length === 0 || show(last) !== show(normalized)) {
    throw new ShapeError(
      `${name}: expected x whose last sizes are normalizedShape ${show(normalized)}, got x ${show(x.shape)}; pass the sizes of the dimensions to normalize`,
    );
  }
  for (const [argument, tensor] of Object.entries({ weight, bias })) {
    if (!tensor) continue;
    expectDtype(name, argument, tensor, 'float32');
    if (show(tensor.shape) === show(normalized)) continue;
    throw new ShapeError(
      `${name}: expected ${argument} of normalizedShape ${show(normalized)}, got ${show(tensor.shape)}`,
    );
  }
}

interface Saved {
  readonly x: Tensor;
  readonly weight: Tensor | null;
  readonly moments: Tensor;
}

interface Needs {
  readonly x: boolean;
  readonly weight: boolean;
  readonly bias: boolean;
}

type Slopes = { readonly [K in keyof Needs]: Tensor | false };

/** The gradients by x, weight and bias, in one pass each. */
function fused(name: string, dy: Tensor, saved: Saved, normalized: Shape, g: Rows, needs: Needs): Slopes {
  const { x, moments } = saved;
  const { columns } = g;
  const spans = spansOf(name, x, g);
  const dx = needs.x && newEmpty(x, x.shape);
  if (dx) {
    const weight = saved.weight ?? newFull(x, [columns], 1);
    for (const span of spans) {
      const bindings = { ...partsOf({ x, dy, moments, dx }, span, g), weight };
      run(formOf(gradient, x, g), bindings, { rows: span.count, columns }, span.count);
    }
  }
  if (!needs.weight && !needs.bias) return { x: dx, weight: false, bias: false };
  let parts = 0;
  const dispatches = spans.map((span) => {
    const least = Math.min(Math.ceil(enoughColumns / columns), Math.ceil(span.count / 32));
    const chunk = Math.ceil(span.count / Math.max(least, Math.ceil(span.count / longestPart)));
    const firstPart = parts;
    parts += Math.ceil(span.count / chunk);
    return { span, chunk, firstPart, parts: parts - firstPart };
  });
  const partial = newEmpty(x, [parts, 2, columns]);
  for (const { span, ...cut } of dispatches) {
    const groups = Math.ceil((cut.parts * columns) / sums.const('LANES'));
    const bindings = { ...partsOf({ x, dy, moments }, span, g), sums: partial };
    run(sums, bindings, { rows: span.count, columns, ...cut }, groups);
  }
  const total = sum(partial, 0);
  const slope = (i: number): Tensor => reshape(slice(total, 0, i, i + 1), normalized);
  return { x: dx, weight: needs.weight && slope(0), bias: needs.bias && slope(1) };
}

/** The same gradients, composed of operations for derivatives of higher order. */
function composed(
  dy: Tensor,
  { x, weight }: Saved,
  normalized: Shape,
  { eps, centered }: Pick<Parameters, 'eps' | 'centered'>,
  needs: Needs,
): Slopes {
  const over = normalized.map((_, i) => x.rank - normalized.length + i);
  const keepDim = { keepDim: true };
  const spread = centered ? x.variance(over, { ...keepDim, correction: 0 }) : x.square().mean(over, keepDim);
  const inverse = spread.add(eps).rsqrt();
  const normal = (centered ? x.sub(x.mean(over, keepDim)) : x).mul(inverse);
  const slope = weight ? dy.mul(weight) : dy;
  const across = centered ? slope.sub(slope.mean(over, keepDim)) : slope;
  return {
    x: needs.x && across.sub(normal.mul(slope.mul(normal).mean(over, keepDim))).mul(inverse),
    weight: needs.weight && sumTo(dy.mul(normal), normalized),
    bias: needs.bias && sumTo(dy, normalized),
  };
}

function formOf(forms: { centered: ByWidth; uncentered: ByWidth }, x: Tensor, { columns, centered }: Rows): Kernel {
  const { narrow, wide } = centered ? forms.centered : forms.uncentered;
  const form = deviceOf(x).narrow ? narrow : wide;
  return formFor(form, Math.ceil(columns / form.short.const('LANES')));
}

/** The rows of each dispatch: as many as can be bound. */
function spansOf(name: string, x: Tensor, { rows, columns }: Rows): readonly Span[] {
  return splitRows(name, rows, [4 * columns, 8], deviceOf(x).limits);
}

/** The parts of tensors of `rows` rows that belong to a dispatch. */
function partsOf(tensors: Readonly<Record<string, Tensor>>, { start, count }: Span, { rows }: Rows) {
  const entries = Object.entries(tensors).map(([name, tensor]) => {
    const bytes = tensor.bytes / rows;
    return [name, part(tensor, start * bytes, count * bytes)] as const;
  });
  return Object.fromEntries(entries);
}
