import { total, ulps } from './bounds.ts';
import { build, type Values } from './values.ts';

/** Parameters of the definition; it does not change the running statistics. */
export interface BatchNorm {
  readonly weight: Values | null;
  readonly bias: Values | null;
  readonly runningMean: Values | null;
  readonly runningVar: Values | null;
  readonly training: boolean;
  readonly momentum?: number;
  readonly eps?: number;
  readonly residual?: Values | null;
  readonly relu?: boolean;
}

/** The values of each channel of x [N, C, ...]. */
function channelsOf(x: Values): number[][] {
  const [n = 1, channels = 1] = x.shape;
  const inner = x.data.length / (n * channels);
  const lists: number[][] = Array.from({ length: channels }, () => []);
  for (let i = 0; i < x.data.length; i++) lists[Math.floor(i / inner) % channels]?.push(x.data[i] as number);
  return lists;
}

/** A channel's statistics with their error bounds. */
interface Moments {
  readonly mean: number;
  readonly meanError: number;
  readonly variance: number;
  readonly varianceError: number;
}

/** Mean and biased variance: sums of values shifted by one of them, and of squared distances from a mean that is off. */
function momentsOf(list: readonly number[]): Moments {
  const n = list.length;
  const mean = list.reduce((sum, v) => sum + v, 0) / n;
  const squares = total(list.map((v) => (v - mean) ** 2));
  const meanError = ulps(2, mean) + total(list.map((v) => v - (list[0] as number))).error / n;
  const variance = squares.value / n;
  return { mean, meanError, variance, varianceError: squares.error / n + meanError ** 2 + ulps(4, variance) };
}

const known = (mean: number, variance: number): Moments => ({ mean, variance, meanError: 0, varianceError: 0 });

export function batchNorm(
  x: Values,
  { weight, bias, runningMean, runningVar, training, eps = 1e-5, residual, relu = false }: BatchNorm,
): Values {
  const lists = channelsOf(x);
  const moments = lists.map((list, c) =>
    training ? momentsOf(list) : known(runningMean?.data[c] as number, runningVar?.data[c] as number),
  );
  // A gradient is scale * (dy - mean(dy) - normal * mean(dy * normal)): its parts may cancel.
  const slopes = new Float64Array(x.data.length);
  const y = build(x.shape, (at) => {
    const c = at[1] as number;
    const index = at.reduce((i, p, dim) => i * (x.shape[dim] as number) + p, 0);
    const { mean, meanError, variance, varianceError } = moments[c] as Moments;
    const deviation = Math.sqrt(variance + eps);
    const scale = (weight?.data[c] ?? 1) / deviation;
    const centered = (x.data[index] as number) - mean;
    const [normal, shift, added] = [centered * scale, bias?.data[c] ?? 0, residual?.data[index] ?? 0];
    const sum = normal + shift + added;
    // The kernel computes x * scale + (shift - mean * scale): both terms are rounded.
    const parts =
      Math.abs((x.data[index] as number) * scale) + Math.abs(mean * scale) + Math.abs(shift) + Math.abs(added);
    const ofScale = varianceError / (2 * (variance + eps)) + ulps(3, 1);
    const unit = Math.abs(centered / deviation);
    slopes[index] = Math.abs(scale) * (1 + unit) ** 2 * (4 * ofScale + ulps(8, 1) + meanError / deviation);
    const error =
      Math.abs(scale) * meanError +
      Math.abs(normal) * ofScale +
      ulps(2, parts) +
      (x.error?.[index] ?? 0) * Math.abs(scale);
    return { value: relu ? Math.max(sum, 0) : sum, error };
  });
  return { ...y, slopes: new Map([[x, slopes]]) };
}

/** The running statistics after one batch in training: means, and unbiased variances. */
export function runningStatistics(
  x: Values,
  { runningMean, runningVar, momentum = 0.1 }: BatchNorm,
): { mean: Values; variance: Values } {
  const lists = channelsOf(x);
  const moments = lists.map(momentsOf);
  const follow = (before: Values | null, now: (c: number) => number, off: (c: number) => number): Values =>
    build([lists.length], ([c = 0]) => {
      const [old, added] = [(1 - momentum) * (before?.data[c] as number), momentum * now(c)];
      return {
        value: old + added,
        error:
          (1 - momentum) * (before?.error?.[c] ?? 0) + momentum * off(c) + ulps(2, Math.abs(old) + Math.abs(added)),
      };
    });
  const unbiased = (c: number): number => (lists[c] as number[]).length / ((lists[c] as number[]).length - 1);
  const of = (c: number): Moments => moments[c] as Moments;
  return {
    mean: follow(
      runningMean,
      (c) => of(c).mean,
      (c) => of(c).meanError,
    ),
    variance: follow(
      runningVar,
      (c) => unbiased(c) * of(c).variance,
      (c) => unbiased(c) * of(c).varianceError,
    ),
  };
}
