// CK+: the last three frames of 327 sequences, 48x48 (Lucey et al. 2010), and the folds of the reference.
import { ValueError } from '@mien/tensor';
import type { Faces, Split } from './faces.ts';

/** The seven classes of CK+, in label order: the folder names of CK+48. */
export const CK_PLUS_CLASSES: readonly string[] = [
  'anger',
  'disgust',
  'fear',
  'happy',
  'sadness',
  'surprise',
  'contempt',
];
/** How many images each class has. */
export const CK_PLUS_COUNTS: readonly number[] = [135, 177, 75, 207, 84, 249, 54];
/** How many folds the reference has. */
export const CK_PLUS_FOLDS = 10;

const TOTAL = 981;
// Images that one fold tests of each class: a tenth, rounded down to whole sequences of three frames.
const TESTED: readonly number[] = [12, 18, 9, 21, 9, 24, 6];

/** The indices, in the list of all 981 images, that `fold` (1 to 10) tests and trains on: 99 and 882. */
export function ckPlusFold(fold: number): { readonly train: Int32Array; readonly test: Int32Array } {
  if (!Number.isInteger(fold) || fold < 1 || fold > CK_PLUS_FOLDS) {
    throw new ValueError(`ckPlusFold: fold is ${fold}, expected 1 to ${CK_PLUS_FOLDS}`);
  }
  const tested = new Set<number>();
  let offset = 0;
  for (const [label, total] of CK_PLUS_COUNTS.entries()) {
    const tests = TESTED[label] as number;
    // The reference does not clip at the class: in fold 9, fear runs on into six happy images, and so it does here.
    const start = fold === CK_PLUS_FOLDS ? offset + total - tests : offset + (fold - 1) * tests;
    for (let i = start; i < start + tests; i++) tested.add(i);
    offset += total;
  }
  const train: number[] = [];
  for (let i = 0; i < TOTAL; i++) if (!tested.has(i)) train.push(i);
  return { train: Int32Array.from(train), test: Int32Array.from(tested).sort() };
}

/** Training and test images of one fold of the reference. Throws ValueError unless `faces` are the 981 of CK+48. */
export function ckPlusSplits(faces: Faces, fold: number): { readonly train: Split; readonly test: Split } {
  const counts = CK_PLUS_COUNTS.map(() => 0);
  for (const label of faces.labels) counts[label] = (counts[label] ?? 0) + 1;
  if (counts.some((n, label) => n !== CK_PLUS_COUNTS[label])) {
    throw new ValueError(
      `ckPlusSplits: the folds are defined on 981 images (${CK_PLUS_COUNTS.join(', ')} by class), this set has ${faces.labels.length} (${counts.join(', ')})`,
    );
  }
  const { train, test } = ckPlusFold(fold);
  return { train: { faces, indices: train }, test: { faces, indices: test } };
}
