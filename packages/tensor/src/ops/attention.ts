// Scaled dot-product attention: Vaswani et al., Attention is all you need (2017). Composed of products and softmax, whose
// gradients have every order; the scores [..., L, S] are in memory.
import maskCausalText from '@mien/shaders/attention/maskCausal.wgsl';
import { expectBoolean, expectNumber, expectOptions, optionNames } from '../arguments.ts';
import { record } from '../autograd.ts';
import { expectDtype } from '../dtype.ts';
import { ShapeError, ValueError } from '../errors.ts';
import { kernel } from '../runtime/kernel.ts';
import { deviceOf } from '../runtime/memoryRange.ts';
import { run } from '../runtime/run.ts';
import { scope } from '../runtime/scope.ts';
import { part, splitRows } from '../runtime/split.ts';
import { newEmpty } from '../runtime/tensorBase.ts';
import type { Tensor } from '../tensor.ts';
import { broadcastShapes, type Shape, show } from './geometry.ts';
import { product } from './matmul.ts';
import { dropout as drop, type RandomOptions } from './random.ts';
import { softmax } from './softmax.ts';
import { where } from './where.ts';

const maskCausal = kernel(maskCausalText);
const bitsOf = { zero: 0, minusInfinity: 0xff800000 };

/** Options of `scaledDotProductAttention`. */
export interface AttentionOptions extends RandomOptions {
  /** Broadcast to the scores [..., L, S]: bool, true where a query takes a key, or float32, added to the scores. */
  readonly attnMask?: Tensor | null;
  /** The probability that a weight is zeroed, always applied: pass 0 in evaluation. Default 0. */
  readonly dropout?: number;
  /** Whether query i takes only keys 0 to i. Default false. */
  readonly isCausal?: boolean;
  /** The factor of the scores. Default 1 / sqrt(E). */
  readonly scale?: number;
}

const attentionOptions = optionNames<AttentionOptions>({
  ...{ attnMask: true, dropout: true, isCausal: true, scale: true, generator: true },
});

/**
 * softmax(query key^T scale + mask) value: query [..., L, E], key [..., S, E] and value [..., S, Ev], all float32, give
 * [..., L, Ev]; leading dimensions broadcast. A query whose keys are all masked gives NaN, as in PyTorch before 2.5 and in its
 * MultiheadAttention. Throws ShapeError naming the shapes, ValueError for `attnMask` together with `isCausal`.
 */
export function scaledDotProductAttention(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = {},
): Tensor {
  const name = 'scaledDotProductAttention';
  expectOptions(name, options, attentionOptions);
  if (options.attnMask && options.isCausal) {
    throw new ValueError(`${name}: expected attnMask or isCausal, got both; put the order into attnMask`);
  }
  return scope(() => attention(name, query, key, value, options).output);
}

/** The result of `scaledDotProductAttention`, which may have both masks, and the weights [..., L, S] of the values. */
export function attention(
  name: string,
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions,
): { readonly output: Tensor; readonly weights: Tensor } {
  const { attnMask, dropout, isCausal, scale, random } = checked(name, query, key, value, options);
  const scores = product(query.mul(scale), key, false, true);
  const allowed = maskedBy(scores, attnMask);
  const masked = isCausal ? causal(name, allowed, bitsOf.minusInfinity) : allowed;
  const weights = softmax(masked, -1);
  const kept = dropout === 0 ? weights : drop(weights, dropout, random);
  return { output: product(kept, value, false, false), weights: kept };
}

/** The options with their defaults. Throws for arguments that do not match. */
function checked(name: string, query: Tensor, key: Tensor, value: Tensor, options: AttentionOptions) {
  const tensors = { query, key, value };
  for (const [argument, tensor] of Object.entries(tensors)) {
    expectDtype(name, argument, tensor, 'float32');
    if (tensor.rank < 2) {
      throw new ShapeError(`${name}: expected ${argument} of at least two dimensions, got ${show(tensor.shape)}`);
    }
  }
  const shapes = `query ${show(query.shape)}, key ${show(key.shape)}, value ${show(value.shape)}`;
  const [width, keys] = [query.shape.at(-1) as number, key.shape.at(-2) as number];
  if (key.shape.at(-1) !== width || value.shape.at(-2) !== keys) {
    throw new ShapeError(
      `${name}: expected query [..., L, E], key [..., S, E] and value [..., S, Ev], got ${shapes}; transpose the one that differs`,
    );
  }
  const { attnMask = null, dropout = 0, isCausal = false, scale = 1 / Math.sqrt(width), generator } = options;
  expectNumber(name, 'dropout', dropout, 0, 1);
  expectBoolean(name, 'isCausal', isCausal);
  expectNumber(name, 'scale', scale);
  const lead = broadcastShapes(name, query.shape.slice(0, -2), key.shape.slice(0, -2));
  if (attnMask) {
    expectDtype(name, 'attnMask', attnMask, 'bool', 'float32');
    expectMask(name, attnMask, [...lead, query.shape.at(-2) as number, keys]);
  }
  const random: RandomOptions = generator ? { generator } : {};
  return { attnMask, dropout, isCausal, scale, random };
}

/** Throws ShapeError for a mask that would enlarge the scores. */
function expectMask(name: string, mask: Tensor, scores: Shape): void {
  const fits = mask.rank <= scores.length && show(broadcastShapes(name, mask.shape, scores)) === show(scores);
  if (!fits)
    throw new ShapeError(`${name}: expected attnMask broadcast to the scores ${show(scores)}, got ${show(mask.shape)}`);
}

function maskedBy(scores: Tensor, mask: Tensor | null): Tensor {
  if (!mask) return scores;
  return mask.dtype === 'bool' ? where(mask, scores, Number.NEGATIVE_INFINITY) : scores.add(mask);
}

/** Scores [..., L, S] with `outside`, as bits, for keys after the query. */
function causal(name: string, scores: Tensor, outside: number): Tensor {
  const y = newEmpty(scores, scores.shape);
  const [queries, keys] = scores.shape.slice(-2) as [number, number];
  for (const { start, count } of splitRows(name, scores.size / keys, [4 * keys], deviceOf(scores).limits)) {
    const rows = (tensor: Tensor) => part(tensor, 4 * keys * start, 4 * keys * count);
    const params = { firstRow: start, rows: count, queries, keys, outside };
    run(maskCausal, { x: rows(scores), y: rows(y) }, params, Math.ceil((count * keys) / maskCausal.const('LANES')));
  }
  return record(
    'maskCausal',
    y,
    { scores },
    { saves: {}, backward: (dy) => ({ scores: causal(name, dy, bitsOf.zero) }) },
  );
}
