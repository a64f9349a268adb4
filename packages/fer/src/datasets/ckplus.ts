// CK+: the last three frames of 327 sequences, 48x48 (Lucey et al. 2010), and the folds of the reference.
import { ValueError } from '@mien/tensor';
import type { Faces, Split } from './faces.ts';
import { groupFolds } from './folds.ts';

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

/** What a fold trains on and what it tests. */
export interface Fold {
  readonly train: Split;
  readonly test: Split;
}

/** Training and test images of one fold of the reference. Throws ValueError unless `faces` are the 981 of CK+48. */
export function ckPlusSplits(faces: Faces, fold: number): Fold {
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

/** The subject of each image, `S010` for one. Throws ValueError where the images' file names do not tell it. */
export function ckPlusSubjects(faces: Faces): string[] {
  return named(faces).map(({ subject }) => subject);
}

/** The sequence that each image is a frame of, `S010_004` for one. Throws ValueError as `ckPlusSubjects`. */
export function ckPlusSequences(faces: Faces): string[] {
  return named(faces).map(({ subject, sequence }) => `${subject}_${sequence}`);
}

function named(faces: Faces): { readonly subject: string; readonly sequence: string }[] {
  if (!faces.sources) {
    throw new ValueError(
      `ckPlusSubjects: ${faces.dataset} was read without file names, which alone tell subject and sequence; give the CK+48 folder instead`,
    );
  }
  return faces.sources.map((source) => {
    const [, subject, sequence] = /(S\d+)_(\d+)_\d+\.\w+$/.exec(source) ?? [];
    if (subject && sequence) return { subject, sequence };
    throw new ValueError(`ckPlusSubjects: ${source} names no subject, expected a name such as S010_004_00000017.png`);
  });
}

/** How CK+ is divided: as the reference does, or so that no subject, or no sequence, is on both sides. */
export const FOLD_KINDS = ['reference', 'subject', 'sequence'] as const;
export type FoldKind = (typeof FOLD_KINDS)[number];

/**
 * The ten folds of CK+. `subject` and `sequence` test every image once, are as equal in size and classes as may be, and
 * are decided by `seed`; `reference` has none (it tests 33 images twice and 24 never). Throws ValueError without the
 * 981 images, or where subjects are asked for and the images have no file names.
 */
export function folds(faces: Faces, kind: FoldKind, seed = 1): Fold[] {
  if (kind === 'reference') {
    return Array.from({ length: CK_PLUS_FOLDS }, (_, i) => ckPlusSplits(faces, i + 1));
  }
  const groups = kind === 'subject' ? ckPlusSubjects(faces) : ckPlusSequences(faces);
  return groupFolds(groups, faces.labels, CK_PLUS_FOLDS, seed).map((test) => {
    const tested = new Set(test);
    const train = Int32Array.from(faces.labels.keys()).filter((row) => !tested.has(row));
    return { train: { faces, indices: train }, test: { faces, indices: test } };
  });
}

/** What folds share between their sides, in images summed over all folds. */
export interface Leaks {
  /** Images tested, counted each time. */
  readonly tested: number;
  /** Those whose subject, and whose sequence, is also trained on in the same fold; null where no file names tell. */
  readonly sharedSubject: number | null;
  readonly sharedSequence: number | null;
  readonly testedTwice: number;
  readonly testedNever: number;
}

/** Counts what the folds of one data set leak. */
export function leaksOf(divided: readonly Fold[]): Leaks {
  const faces = divided[0]?.test.faces;
  if (!faces) throw new ValueError('leaksOf: no folds, expected one or more');
  const shared = (groups: readonly string[]): number =>
    divided.reduce((sum, { train, test }) => {
      const known = new Set(Array.from(train.indices, (row) => groups[row]));
      return sum + test.indices.filter((row) => known.has(groups[row])).length;
    }, 0);
  const times = new Uint16Array(faces.labels.length);
  for (const { test } of divided) for (const row of test.indices) times[row] = (times[row] as number) + 1;
  return {
    tested: times.reduce((sum, n) => sum + n, 0),
    sharedSubject: faces.sources ? shared(ckPlusSubjects(faces)) : null,
    sharedSequence: faces.sources ? shared(ckPlusSequences(faces)) : null,
    testedTwice: times.filter((n) => n > 1).length,
    testedNever: times.filter((n) => n === 0).length,
  };
}
