// Whether a network is as often right as it says: expected calibration error, and a temperature that mends it
// (Guo et al. 2017, On Calibration of Modern Neural Networks, arXiv 1706.04599).
import { ValueError } from '@mien/tensor';

/** Rows of logits with the class that each row should have: logits [n, classes], labels [n]. */
export interface Scored {
  readonly logits: Float64Array;
  readonly labels: ArrayLike<number>;
  readonly classes: number;
}

/** The images whose confidence lies in one of the equal parts of 0 to 1. */
export interface ReliabilityBin {
  readonly low: number;
  readonly high: number;
  readonly n: number;
  /** The mean confidence and the share told right; null without images. */
  readonly confidence: number | null;
  readonly accuracy: number | null;
}

/** How far confidence and accuracy lie apart. */
export interface Reliability {
  /** The mean distance between confidence and accuracy over the bins, by the images in them. */
  readonly ece: number;
  readonly bins: readonly ReliabilityBin[];
}

/** How many equal parts the published figures cut confidence into. */
export const ECE_BINS = 15;

// A network that is always right would have its confidence grow for ever; these bound what is searched.
const COLDEST = 0.01;
const HOTTEST = 100;

/** softmax(logits / temperature) of one row. */
export function probabilities(logits: ArrayLike<number>, temperature = 1): number[] {
  const row = Array.from(logits);
  const highest = Math.max(...row);
  const powers = row.map((value) => Math.exp((value - highest) / temperature));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}

/** -log softmax(logits / temperature)[label] of one row. */
export function crossEntropyOf(logits: ArrayLike<number>, label: number, temperature = 1): number {
  const row = Array.from(logits);
  const highest = Math.max(...row);
  const sum = row.reduce((total, value) => total + Math.exp((value - highest) / temperature), 0);
  return Math.log(sum) + (highest - (row[label] as number)) / temperature;
}

/** The mean cross-entropy of logits / temperature. Throws ValueError without rows. */
export function meanCrossEntropy(scored: Scored, temperature = 1): number {
  const n = rowsOf(scored, 'meanCrossEntropy');
  let sum = 0;
  for (let i = 0; i < n; i++) sum += crossEntropyOf(rowOf(scored, i), scored.labels[i] as number, temperature);
  return sum / n;
}

/**
 * The expected calibration error of softmax(logits / temperature), with its bins: the confidence of a row is its largest
 * probability, and bin i holds those in (i / bins, (i + 1) / bins]. Throws ValueError without rows.
 */
export function reliability(scored: Scored, temperature = 1, bins: number = ECE_BINS): Reliability {
  const n = rowsOf(scored, 'reliability');
  const sums = Array.from({ length: bins }, () => ({ n: 0, confidence: 0, correct: 0 }));
  for (let i = 0; i < n; i++) {
    const given = probabilities(rowOf(scored, i), temperature);
    const confidence = Math.max(...given);
    const bin = sums[Math.min(bins - 1, Math.max(0, Math.ceil(confidence * bins) - 1))];
    if (!bin) throw new ValueError(`reliability: row ${i} has a confidence of ${confidence}`);
    bin.n++;
    bin.confidence += confidence;
    if (given.indexOf(confidence) === scored.labels[i]) bin.correct++;
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
 * The temperature whose division of the logits gives the least mean cross-entropy, between 0.01 and 100. Which class is
 * largest, and so the accuracy, stays as it is. Fit it on images that no figure is reported on. Throws ValueError
 * without rows.
 */
export function fitTemperature(scored: Scored): number {
  rowsOf(scored, 'fitTemperature');
  // The loss is convex in 1 / temperature, so that its slope there changes sign once.
  let [low, high] = [Math.log(1 / HOTTEST), Math.log(1 / COLDEST)];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (slope(scored, Math.exp(middle)) > 0) high = middle;
    else low = middle;
  }
  return Math.exp(-(low + high) / 2);
}

/**
 * How far the first probability must be before the second to be believed: of all margins, the one beyond which most more rows
 * are told right than wrong, so that just below it a row is as likely wrong as right. 0 where all are best believed. Throws
 * ValueError without rows.
 */
export function fitMargin(scored: Scored, temperature = 1): number {
  const n = rowsOf(scored, 'fitMargin');
  const rows = Array.from({ length: n }, (_, i) => {
    const given = probabilities(rowOf(scored, i), temperature);
    const [first = 0, second = 0] = [...given].sort((a, b) => b - a);
    return { margin: first - second, correct: given.indexOf(first) === scored.labels[i] };
  }).sort((a, b) => a.margin - b.margin);
  let [found, least, sum] = [0, 0, 0];
  for (const [i, row] of rows.entries()) {
    sum += row.correct ? 1 : -1;
    if (sum < least) [found, least] = [rows[i + 1]?.margin ?? 1, sum];
  }
  return found;
}

/** The derivative of the summed cross-entropy by 1 / temperature. */
function slope(scored: Scored, inverse: number): number {
  let sum = 0;
  for (let i = 0; i < scored.labels.length; i++) {
    const row = rowOf(scored, i);
    const given = probabilities(row, 1 / inverse);
    for (const [c, probability] of given.entries()) sum += probability * (row[c] as number);
    sum -= row[scored.labels[i] as number] as number;
  }
  return sum;
}

/** The logits of an ensemble: log of the mean of its members' probabilities, so that their softmax is that mean. */
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
  // A probability that underflowed to 0 keeps a finite logit.
  return out.map((probability) => Math.log(Math.max(probability, Number.MIN_VALUE)));
}

function rowOf({ logits, classes }: Scored, i: number): Float64Array {
  return logits.subarray(i * classes, (i + 1) * classes);
}

function rowsOf({ logits, labels, classes }: Scored, called: string): number {
  if (labels.length > 0 && logits.length === labels.length * classes) return labels.length;
  throw new ValueError(`${called}: ${logits.length} logits of ${classes} classes, ${labels.length} labels`);
}
