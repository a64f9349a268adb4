// CK+: the last three frames of 327 sequences, 48x48 (Lucey et al. 2010), and the folds of the reference.
import { ValueError } from '@mien/tensor';
import type { Dataset, Fold, FoldKind, Leaks } from './dataset.ts';
import { type Faces, SIDE } from './faces.ts';
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
/** The number of images of each class. */
export const CK_PLUS_COUNTS: readonly number[] = [135, 177, 75, 207, 84, 249, 54];
/** The number of folds of the reference. */
export const CK_PLUS_FOLDS = 10;

const TOTAL = 981;
/** Frames of each sequence. */
const FRAMES = 3;
// Tested images of each class per fold: a tenth, rounded down to complete sequences of three frames.
const TESTED: readonly number[] = [12, 18, 9, 21, 9, 24, 6];

/** The indices, among all 981 images, that `fold` (1 to 10) tests and trains on: 99 and 882. */
export function ckPlusFold(fold: number): { readonly train: Int32Array; readonly test: Int32Array } {
  if (!Number.isInteger(fold) || fold < 1 || fold > CK_PLUS_FOLDS) {
    throw new ValueError(`ckPlusFold: fold must be 1 to ${CK_PLUS_FOLDS}, got ${fold}`);
  }
  const tested = new Set<number>();
  let offset = 0;
  for (const [label, total] of CK_PLUS_COUNTS.entries()) {
    const tests = TESTED[label] as number;
    // As in the reference, the range is not clipped at the class: fold 9 of fear includes six happy images.
    const start = fold === CK_PLUS_FOLDS ? offset + total - tests : offset + (fold - 1) * tests;
    for (let i = start; i < start + tests; i++) tested.add(i);
    offset += total;
  }
  const train: number[] = [];
  for (let i = 0; i < TOTAL; i++) if (!tested.has(i)) train.push(i);
  return { train: Int32Array.from(train), test: Int32Array.from(tested).sort() };
}

/** Training and test images of one fold of the reference. Throws ValueError unless `faces` are the 981 of CK+48. */
export function ckPlusSplits(faces: Faces, fold: number): Fold {
  const counts = CK_PLUS_COUNTS.map(() => 0);
  for (const label of faces.labels) counts[label] = (counts[label] ?? 0) + 1;
  if (counts.some((n, label) => n !== CK_PLUS_COUNTS[label])) {
    throw new ValueError(
      `ckPlusSplits: expected the 981 images of CK+48 (${CK_PLUS_COUNTS.join(', ')} by class), got ${faces.labels.length} (${counts.join(', ')})`,
    );
  }
  const { train, test } = ckPlusFold(fold);
  return { train: { faces, indices: train }, test: { faces, indices: test } };
}

/** The subject of each image, such as `S010`. Throws ValueError where the file names do not contain it. */
export function ckPlusSubjects(faces: Faces): string[] {
  return named(faces).map(({ subject }) => subject);
}

/** The sequence of each image, such as `S010_004`. Throws ValueError like `ckPlusSubjects`. */
export function ckPlusSequences(faces: Faces): string[] {
  return named(faces).map(({ subject, sequence }) => `${subject}_${sequence}`);
}

function named(faces: Faces): { readonly subject: string; readonly sequence: string }[] {
  if (!faces.sources) {
    throw new ValueError(
      `ckPlusSubjects: ${faces.dataset} was read without file names, which contain subject and sequence; pass the CK+48 folder`,
    );
  }
  return faces.sources.map((source) => {
    const [, subject, sequence] = /(S\d+)_(\d+)_\d+\.\w+$/.exec(source) ?? [];
    if (subject && sequence) return { subject, sequence };
    throw new ValueError(`ckPlusSubjects: expected a file name such as S010_004_00000017.png, got ${source}`);
  });
}

/**
 * The ten folds of CK+. `subject` and `sequence` test every image once, are balanced in size and classes, and depend on
 * `seed`. `reference` does not depend on it; it tests 33 images twice and 24 never. Throws ValueError without the 981 images,
 * and for `subject` and `sequence` without file names.
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

/** Counts the leaks of the folds of one data set. */
export function leaksOf(divided: readonly Fold[]): Leaks {
  const faces = divided[0]?.test.faces;
  if (!faces) throw new ValueError('leaksOf: expected one fold or more, got none');
  const shared = (groups: readonly string[]): number =>
    divided.reduce((sum, { train, test }) => {
      const trained = new Set(Array.from(train.indices, (row) => groups[row]));
      return sum + test.indices.filter((row) => trained.has(groups[row])).length;
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

/** CK+'s row of the catalog. */
export const CK_PLUS: Dataset<'ck+'> = {
  name: 'ck+',
  title: 'CK+',
  classes: CK_PLUS_CLASSES,
  splits: null,
  folds: {
    count: CK_PLUS_FOLDS,
    divide: folds,
    leaks: leaksOf,
    sequences: (faces) => (faces.sources ? ckPlusSequences(faces) : null),
  },
  unit: { name: 'sequence', images: FRAMES },
  recipes: {
    // The reference's ten-fold script trains with batches of 32.
    reference: { epochs: 60, batchSize: 32, schedule: { kind: 'stepwise', after: 20, every: 1, factor: 0.8 } },
    best: {
      epochs: 40,
      batchSize: 32,
      learningRate: 0.05,
      schedule: { kind: 'cosine', warmup: 2 },
      ema: 0.99,
      crops: 10,
      augmentation: { rotation: 12, scale: 0.1, shift: 4, light: 0.2, erasing: 0.25 },
    },
    networks: { nano: { epochs: 60, learningRate: 0.1 } },
  },
  hdf5: { parts: ['data'], image: [SIDE, SIDE] },
  prepare: {
    summary: 'Writes CK+ as CK_data.h5: data_pixel, data_label, in the order of classes and file names.',
    input: 'a CK+48 folder, or an HDF5 file',
    file: 'CK_data.h5',
    ferplus: false,
  },
  pytorchTest: 'Test',
  noisyLabels: false,
  interval:
    'The interval counts sequences, a third of the images, because the three frames of a sequence are nearly identical. It covers the sampling of sequences of this kind; another seed may move the figure by as much.',
  caveats: (kind) => [
    kind === 'subject'
      ? 'CK+ is posed in a laboratory: faces in the wild are harder.'
      : 'CK+ is posed in a laboratory, and these folds share people between training and test: faces in the wild and new people are harder.',
  ],
};
