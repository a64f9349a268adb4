import { add, mul } from './binary.ts';
import { ulps } from './bounds.ts';
import { matmul } from './matmul.ts';
import { transpose } from './shape.ts';
import { softmax } from './softmax.ts';
import { build, coordinates, stretchedOffset, type Values, values } from './values.ts';
import { where } from './where.ts';

interface Options {
  readonly mask?: Values | null;
  /** Whether the mask is added rather than 1 where a query takes a key. */
  readonly added?: boolean;
  readonly isCausal?: boolean;
  readonly scale?: number;
}

export function scaledDotProductAttention(
  query: Values,
  key: Values,
  value: Values,
  { mask = null, added = false, isCausal = false, scale }: Options = {},
): Values {
  const [width, rank] = [query.shape.at(-1) as number, key.shape.length];
  const factor = scale ?? 1 / Math.sqrt(width);
  const scaled = mul(query, values([], [factor]));
  const scores = matmul(scaled, transpose(key, rank - 2, rank - 1));
  const taken = isCausal ? build(scores.shape.slice(-2), ([l = 0, s = 0]) => Number(s <= l)) : mask;
  // So far below the others that its power is 0.
  const excluded = values([], [-1e9]);
  const masked = !taken ? scores : added && !isCausal ? add(scores, taken) : where(taken, scores, excluded);
  const weights = softmax(masked, masked.shape.length - 1);
  return { ...matmul(weights, value), slopes: slopesOf(query, key, value, weights, factor) };
}

/**
 * The error bounds of the gradients. The slope of a score is w (d - sum of w d), where d is dy by value: it cancels, and each part has
 * the error of the weights w. Gradients by query and key are sums of its products, those by value sums of weights.
 */
function slopesOf(
  query: Values,
  key: Values,
  value: Values,
  weights: Values,
  factor: number,
): Map<Values, Float64Array> {
  const [ofQuery, ofKey, ofValue] = [query, key, value].map((x) => new Float64Array(x.data.length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const add = (list: Float64Array, place: number, error: number): void => {
    list[place] = (list[place] as number) + error;
  };
  const [keys, width, outputs] = [weights.shape.at(-1), query.shape.at(-1), value.shape.at(-1)] as [
    number,
    number,
    number,
  ];
  const magnitude = (x: Values, at: readonly number[]): number => Math.abs(x.data[stretchedOffset(x, at)] as number);
  const list = (length: number) => Array.from({ length }, (_, i) => i);
  for (let first = 0; first < weights.data.length; first += keys) {
    const row = coordinates(weights.shape, first).slice(0, -1);
    const lead = row.slice(0, -1);
    const errors = list(keys).map(
      (s) => (weights.error?.[first + s] ?? 0) + ulps(1, weights.data[first + s] as number),
    );
    const total = errors.reduce((sum, error) => sum + error, 0);
    const sizes = list(keys).map((s) => list(outputs).reduce((sum, e) => sum + magnitude(value, [...lead, s, e]), 0));
    const largest = Math.max(...sizes);
    for (const s of list(keys)) {
      const error = errors[s] as number;
      const ofScore = 2 * factor * largest * (error + (weights.data[first + s] as number) * (total + ulps(8, 1)));
      for (const j of list(width)) {
        add(ofQuery, stretchedOffset(query, [...row, j]), ofScore * magnitude(key, [...lead, s, j]));
        add(ofKey, stretchedOffset(key, [...lead, s, j]), ofScore * magnitude(query, [...row, j]));
      }
      for (const e of list(outputs)) add(ofValue, stretchedOffset(value, [...lead, s, e]), error);
    }
  }
  return new Map([
    [query, ofQuery],
    [key, ofKey],
    [value, ofValue],
  ]);
}
