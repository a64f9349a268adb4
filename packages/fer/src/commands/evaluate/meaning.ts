// What a figure means and does not, in sentences: beside every figure that is printed or written.

import { whole } from '../../runs/accuracy.ts';
import type { EvaluationReport } from './evaluate.ts';

/** The sentences that belong to an evaluation, the most particular first. */
export function meaningOf(report: EvaluationReport): string[] {
  const { dataset, split, members, n, accuracyWithoutDuplicates, nWithoutDuplicates } = report;
  const sentences: string[] = [];
  if (split.endsWith('raining')) {
    sentences.push(
      'These are the images that the network learnt from: the figure tells what it remembers, not how it does on others.',
    );
  } else if (members.some(({ chosenOn }) => chosenOn !== null && split.endsWith(chosenOn))) {
    sentences.push(
      'Optimiztic: the epoch did best on these same images, and was kept for that. The last epoch, or images that chose nothing, give the honest figure.',
    );
  }
  if (dataset === 'ck+') {
    sentences.push(
      'The interval counts sequences, a third of the images, because the three frames of a sequence are nearly one image. It tells what other sequences of this kind might give; another seed may move the figure by as much.',
    );
    sentences.push(
      report.folds === 'subject'
        ? 'CK+ is posed in a laboratory: faces outside are harder.'
        : 'CK+ is posed in a laboratory, and these folds share people between training and test: faces outside, and new people, are harder.',
    );
  } else {
    sentences.push(
      'The interval tells what another draw of images of this kind might give, not another seed and not photographs of another kind.',
    );
  }
  if (accuracyWithoutDuplicates !== null && nWithoutDuplicates !== null && nWithoutDuplicates < n) {
    sentences.push(
      `${whole(n - nWithoutDuplicates)} of the images are in the training images too, pixel by pixel; the figure without them is the cleaner one.`,
    );
  }
  if (dataset === 'fer2013') {
    sentences.push(
      'The labels of FER2013 are noisy: people agreed with 65 ± 5 % of them (Goodfellow et al. 2013), and a share of the mistakes are the labels’.',
    );
  }
  if (dataset === 'drawn') {
    sentences.push('Drawn faces only show that learning works; the figure says nothing about photographs.');
  }
  sentences.push(
    'A class is the expression that a face shows, as somebody labeled it: not the emotion that a person felt.',
  );
  return sentences;
}
