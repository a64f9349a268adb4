// The misclassified images of an evaluation, the hardest first.
import { crossEntropyOf, probabilities } from '../../calibration.ts';
import type { Assessment } from '../evaluate/evaluate.ts';

/** A misclassified image. */
export interface Mistake {
  /** Its index in the data set. */
  readonly image: number;
  readonly label: string;
  readonly predicted: string;
  /** Probabilities of the prediction and of the label. */
  readonly confidence: number;
  readonly ofLabel: number;
}

/** The misclassified images whose labels have the lowest probabilities, in that order. */
export function hardestMistakes({ split, logits }: Assessment, most: number): Mistake[] {
  const { faces, indices } = split;
  const { classes } = faces;
  const mistakes: (Mistake & { readonly loss: number })[] = [];
  for (const [i, image] of indices.entries()) {
    const row = logits.subarray(i * classes.length, (i + 1) * classes.length);
    const [label, given] = [faces.labels[image] as number, probabilities(row)];
    const predicted = row.indexOf(Math.max(...row));
    if (predicted === label) continue;
    mistakes.push({
      image,
      label: classes[label] as string,
      predicted: classes[predicted] as string,
      confidence: given[predicted] as number,
      ofLabel: given[label] as number,
      loss: crossEntropyOf(row, label),
    });
  }
  return mistakes
    .sort((a, b) => b.loss - a.loss)
    .slice(0, most)
    .map(({ loss: _, ...mistake }) => mistake);
}
