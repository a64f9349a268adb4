// The expressions of a face over time. For browsers and Node.
import { ValueError } from '@mien/tensor';

/** A moment's probabilities, in the order of the classes. */
export interface Moment {
  readonly seconds: number;
  readonly shares: readonly number[];
}

/**
 * Each moment's probabilities as the mean of those around it, weighted by a Gaussian of standard deviation `deviation`
 * seconds, cut off at three. They sum to 1 where the given ones do; with 0 they are the given ones. Moments come in the order of time.
 */
export function smooth(moments: readonly Moment[], deviation: number): readonly (readonly number[])[] {
  if (!(deviation >= 0 && Number.isFinite(deviation)))
    throw new ValueError(`smooth: a deviation of ${deviation} seconds, expected 0 or more`);
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
