import { add, mul } from './binary.ts';
import { sum } from './reduce.ts';
import { logSoftmax } from './softmax.ts';
import { build, type Values, values } from './values.ts';

/** target: probabilities [N, C, ...]; weight: [C]. */
export function softmaxCrossEntropy(logits: Values, target: Values, weight: Values, smoothing: number): Values {
  const classes = logits.shape[1] as number;
  const scalar = (x: number) => values([], [x]);
  const smooth = add(mul(target, scalar(1 - smoothing)), scalar(smoothing / classes));
  const weights = build(logits.shape, (i) => weight.data[i[1] as number] as number);
  return mul(sum(mul(mul(smooth, weights), logSoftmax(logits, 1)), 1), scalar(-1));
}
