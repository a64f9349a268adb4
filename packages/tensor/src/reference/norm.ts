import { build, type Values } from './values.ts';

/** What the definition needs besides x; running statistics are only read here. */
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

const mean = (list: readonly number[]): number => list.reduce((sum, v) => sum + v, 0) / list.length;
const squares = (list: readonly number[]): number => list.reduce((sum, v) => sum + (v - mean(list)) ** 2, 0);

export function batchNorm(
  x: Values,
  { weight, bias, runningMean, runningVar, training, eps = 1e-5, residual, relu = false }: BatchNorm,
): Values {
  const lists = channelsOf(x);
  const means = training ? lists.map(mean) : runningMean?.data;
  const variances = training ? lists.map((list) => squares(list) / list.length) : runningVar?.data;
  return build(x.shape, (at) => {
    const c = at[1] as number;
    const index = at.reduce((i, p, dim) => i * (x.shape[dim] as number) + p, 0);
    const normal = ((x.data[index] as number) - (means?.[c] as number)) / Math.sqrt((variances?.[c] as number) + eps);
    const sum = normal * (weight?.data[c] ?? 1) + (bias?.data[c] ?? 0) + (residual?.data[index] ?? 0);
    return relu ? Math.max(sum, 0) : sum;
  });
}

/** The running statistics after one batch in training: means, and unbiased variances. */
export function runningStatistics(
  x: Values,
  { runningMean, runningVar, momentum = 0.1 }: BatchNorm,
): { mean: Values; variance: Values } {
  const lists = channelsOf(x);
  const follow = (before: Values | null, now: readonly number[]): Values => ({
    shape: [lists.length],
    data: Float64Array.from(now, (v, c) => (1 - momentum) * (before?.data[c] as number) + momentum * v),
  });
  return {
    mean: follow(runningMean, lists.map(mean)),
    variance: follow(
      runningVar,
      lists.map((list) => squares(list) / (list.length - 1)),
    ),
  };
}
