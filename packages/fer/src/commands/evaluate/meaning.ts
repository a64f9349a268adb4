// What an evaluation's figures mean and what they do not, in sentences that accompany every printed or written figure.
import { datasetOf } from '../../datasets/catalog.ts';
import { grouped } from '../../runs/accuracy.ts';
import type { EvaluationReport } from './report.ts';

/** The sentences for an evaluation, the most specific first. */
export function meaningOf(report: EvaluationReport): string[] {
  const { dataset, split, folds, members, n, accuracyWithoutDuplicates, nWithoutDuplicates } = report;
  const { interval, caveats } = datasetOf(dataset);
  const sentences: string[] = [];
  if (/training$/i.test(split)) {
    sentences.push('These are the training images: the figure measures memorization, not generalization.');
  } else if (members.some(({ chosenOn }) => chosenOn !== null && split.endsWith(chosenOn))) {
    sentences.push(
      'Optimistic: the epoch was selected because it did best on these same images. Report the last epoch, or images that selected nothing.',
    );
  }
  sentences.push(interval);
  if (accuracyWithoutDuplicates !== null && nWithoutDuplicates !== null && nWithoutDuplicates < n) {
    sentences.push(
      `${grouped(n - nWithoutDuplicates)} of the images also occur in the training set, pixel by pixel; prefer the figure without them.`,
    );
  }
  sentences.push(...caveats(folds));
  sentences.push(
    'A class is the expression that a face shows, as an annotator labeled it: not the emotion that a person felt.',
  );
  return sentences;
}
