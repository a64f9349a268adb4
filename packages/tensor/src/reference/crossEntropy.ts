import { add, mul } from './binary.ts';
import { ulps } from './bounds.ts';
import { sum } from './reduce.ts';
import { logSoftmax, softmax } from './softmax.ts';
import { at, build, coordinates, type Values, values } from './values.ts';

/** target: probabilities [N, C, ...]; weight: [C]. */
export function softmaxCrossEntropy(logits: Values, target: Values, weight: Values, smoothing: number): Values {
  const classes = logits.shape[1] as number;
  const scalar = (x: number) => values([], [x]);
  const smooth = add(mul(target, scalar(1 - smoothing)), scalar(smoothing / classes));
  const weights = build(logits.shape, (i) => weight.data[i[1] as number] as number);
  const [shares, logs] = [mul(smooth, weights), logSoftmax(logits, 1)];
  const y = mul(sum(mul(shares, logs), 1), scalar(-1));
  return { ...y, slopes: slopesOf(logits, target, weight, { shares, logs, weights }) };
}

/** The gradients: softmax * sum of shares - share by logits, weight * log softmax by targets, smoothed target * log softmax by weights. */
function slopesOf(
  logits: Values,
  target: Values,
  weight: Values,
  { shares, logs, weights }: Readonly<Record<'shares' | 'logs' | 'weights', Values>>,
): ReadonlyMap<Values, Float64Array> {
  const [p, totals] = [softmax(logits, 1), sum(shares, 1, { keepDim: true })];
  const ofWeight = new Float64Array(weight.data.length);
  const ofLogits = new Float64Array(p.data.length);
  const ofTarget = new Float64Array(p.data.length);
  for (let i = 0; i < p.data.length; i++) {
    const place = coordinates(logits.shape, i);
    const c = place[1] as number;
    const [share, probability, scale] = [shares.data[i] as number, p.data[i] as number, weights.data[i] as number];
    const total = at(totals, place.with(1, 0));
    const lost = (logs.error?.[i] as number) + ulps(3, logs.data[i] as number);
    ofLogits[i] = total * ((p.error?.[i] as number) + ulps(6, probability)) + ulps(4, share);
    ofTarget[i] = scale * lost;
    ofWeight[c] = (ofWeight[c] as number) + (share / scale) * lost;
  }
  return new Map([
    [logits, ofLogits],
    [target, ofTarget],
    [weight, ofWeight],
  ]);
}
