// Smooths the expressions of a face over time. For browsers and Node.
import { ValueError } from '@mien/tensor';

/** The probabilities at one time, in the order of the classes. */
export interface Moment {
  readonly seconds: number;
  readonly shares: readonly number[];
}

/**
 * The probabilities of each moment, averaged over its neighbors with a Gaussian of standard deviation `deviation` seconds,
 * cut off at three deviations. 0 returns the probabilities unchanged. Moments must be in the order of time.
 */
export function smooth(moments: readonly Moment[], deviation: number): readonly (readonly number[])[] {
  if (!(deviation >= 0 && Number.isFinite(deviation)))
    throw new ValueError(`smooth: deviation must be 0 or more seconds, got ${deviation}`);
  if (deviation === 0) return moments.map(({ shares }) => [...shares]);
  let first = 0;
  return moments.map(({ seconds, shares }) => {
    while ((moments[first] as Moment).seconds < seconds - 3 * deviation) first++;
    const sum = shares.map(() => 0);
    let total = 0;
    for (let i = first; i < moments.length; i++) {
      const other = moments[i] as Moment;
      if (other.seconds > seconds + 3 * deviation) break;
      const weight = Math.exp(-0.5 * ((other.seconds - seconds) / deviation) ** 2);
      total += weight;
      for (const [c, share] of other.shares.entries()) sum[c] = (sum[c] as number) + weight * share;
    }
    return sum.map((each) => each / total);
  });
}
