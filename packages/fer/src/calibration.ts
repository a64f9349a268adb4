// Calibration: expected calibration error and temperature scaling (Guo et al. 2017, On Calibration of Modern Neural
// Networks, arXiv 1706.04599).
import { ValueError } from '@mien/tensor';

/** Logits [n, classes] with labels [n]. */
export interface Scored {
  readonly logits: Float64Array;
  readonly labels: ArrayLike<number>;
  readonly classes: number;
}

/** The images whose confidence is in (low, high]. */
export interface ReliabilityBin {
  readonly low: number;
  readonly high: number;
  readonly n: number;
  /** Mean confidence and accuracy; null without images. */
  readonly confidence: number | null;
  readonly accuracy: number | null;
}

/** A reliability diagram and its summary. */
export interface Reliability {
  /** Expected calibration error: mean of |confidence - accuracy| over the bins, weighted by their images. */
  readonly ece: number;
  readonly bins: readonly ReliabilityBin[];
}

/** Number of bins, as in the published figures. */
export const ECE_BINS = 15;

// Bounds of the search: for a network without errors the best temperature is 0.
const MIN_TEMPERATURE = 0.01;
const MAX_TEMPERATURE = 100;

/** softmax(logits / temperature) of one row. */
export function probabilities(logits: ArrayLike<number>, temperature = 1): number[] {
  const row = Array.from(logits);
  const max = Math.max(...row);
  const exponentials = row.map((value) => Math.exp((value - max) / temperature));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}

/** -log softmax(logits / temperature)[label] of one row. */
export function crossEntropyOf(logits: ArrayLike<number>, label: number, temperature = 1): number {
  const row = Array.from(logits);
  const max = Math.max(...row);
  const sum = row.reduce((total, value) => total + Math.exp((value - max) / temperature), 0);
  return Math.log(sum) + (max - (row[label] as number)) / temperature;
}

/** The mean cross-entropy of logits / temperature. Throws ValueError without rows. */
export function meanCrossEntropy(scored: Scored, temperature = 1): number {
  const n = rowCount(scored, 'meanCrossEntropy');
  let sum = 0;
  for (let i = 0; i < n; i++) sum += crossEntropyOf(rowOf(scored, i), scored.labels[i] as number, temperature);
  return sum / n;
}

/**
 * The expected calibration error and reliability diagram of softmax(logits / temperature). The confidence of a row is its
 * largest probability; bin i covers (i / bins, (i + 1) / bins]. Throws ValueError without rows.
 */
export function reliability(scored: Scored, temperature = 1, bins: number = ECE_BINS): Reliability {
  const n = rowCount(scored, 'reliability');
  const sums = Array.from({ length: bins }, () => ({ n: 0, confidence: 0, correct: 0 }));
  for (let i = 0; i < n; i++) {
    const predicted = probabilities(rowOf(scored, i), temperature);
    const confidence = Math.max(...predicted);
    const bin = sums[Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1))];
    if (!bin) throw new ValueError(`reliability: expected finite logits, got confidence ${confidence} in row ${i}`);
    bin.n++;
    bin.confidence += confidence;
    if (predicted.indexOf(confidence) === scored.labels[i]) bin.correct++;
  }
  return {
    ece: sums.reduce((sum, bin) => sum + Math.abs(bin.confidence - bin.correct), 0) / n,
    bins: sums.map((bin, i) => ({
      low: i / bins,
      high: (i + 1) / bins,
      n: bin.n,
      confidence: bin.n === 0 ? null : bin.confidence / bin.n,
      accuracy: bin.n === 0 ? null : bin.correct / bin.n,
    })),
  };
}

/**
 * The temperature, from 0.01 to 100, that minimizes the mean cross-entropy of logits / temperature. The predicted classes
 * and the accuracy do not change. Fit it on images that are not used for reported figures. Throws ValueError without rows.
 */
export function fitTemperature(scored: Scored): number {
  rowCount(scored, 'fitTemperature');
  // Bisection: the loss is convex in 1 / temperature, so its derivative changes sign once.
  let [low, high] = [Math.log(1 / MAX_TEMPERATURE), Math.log(1 / MIN_TEMPERATURE)];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (derivative(scored, Math.exp(middle)) > 0) high = middle;
    else low = middle;
  }
  return Math.exp(-(low + high) / 2);
}

/**
 * The minimum difference between the two largest probabilities for a prediction to be accepted: the margin that maximizes
 * correct minus wrong among the accepted rows. 0 if it is best to accept all rows. Throws ValueError without rows.
 */
export function fitMargin(scored: Scored, temperature = 1): number {
  const n = rowCount(scored, 'fitMargin');
  const rows = Array.from({ length: n }, (_, i) => {
    const predicted = probabilities(rowOf(scored, i), temperature);
    const [first = 0, second = 0] = [...predicted].sort((a, b) => b - a);
    return { margin: first - second, correct: predicted.indexOf(first) === scored.labels[i] };
  }).sort((a, b) => a.margin - b.margin);
  let [best, min, sum] = [0, 0, 0];
  for (const [i, row] of rows.entries()) {
    sum += row.correct ? 1 : -1;
    if (sum < min) [best, min] = [rows[i + 1]?.margin ?? 1, sum];
  }
  return best;
}

/** The derivative of the summed cross-entropy with respect to 1 / temperature. */
function derivative(scored: Scored, inverse: number): number {
  let sum = 0;
  for (let i = 0; i < scored.labels.length; i++) {
    const row = rowOf(scored, i);
    for (const [c, probability] of probabilities(row, 1 / inverse).entries()) sum += probability * (row[c] as number);
    sum -= row[scored.labels[i] as number] as number;
  }
  return sum;
}

/** The logits of an ensemble: log of the mean of its members' probabilities; their softmax is that mean. */
export function meanProbabilities(members: readonly Float64Array[], classes: number): Float64Array {
  const [first] = members;
  if (!first || members.some(({ length }) => length !== first.length)) {
    throw new ValueError(`meanProbabilities: expected members of equal length, got ${members.map((m) => m.length)}`);
  }
  if (members.length === 1) return first;
  const out = new Float64Array(first.length);
  for (let at = 0; at < first.length; at += classes) {
    for (const member of members) {
      for (const [c, probability] of probabilities(member.subarray(at, at + classes)).entries()) {
        out[at + c] = (out[at + c] as number) + probability / members.length;
      }
    }
  }
  // Keeps the logit of a probability that underflowed to 0 finite.
  return out.map((probability) => Math.log(Math.max(probability, Number.MIN_VALUE)));
}

function rowOf({ logits, classes }: Scored, i: number): Float64Array {
  return logits.subarray(i * classes, (i + 1) * classes);
}

function rowCount({ logits, labels, classes }: Scored, operation: string): number {
  if (labels.length > 0 && logits.length === labels.length * classes) return labels.length;
  throw new ValueError(
    `${operation}: expected ${classes} logits for each label, got ${logits.length} logits and ${labels.length} labels`,
  );
}
