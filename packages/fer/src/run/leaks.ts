// What training and test images of folds have in common, and how often each image is tested: read before the figures.
import { count, type Faces } from '../datasets/faces.ts';
import type { Splits } from './data.ts';

/** What one fold's test shares with its training. */
export interface FoldLeak {
  readonly fold: number;
  /** Test images. */
  readonly n: number;
  /** People who are in both, and test images of them; null where the data does not tell people apart. */
  readonly subjects: number | null;
  readonly imagesOfSubjects: number | null;
  /** Sequences with frames in both, and test images of them. */
  readonly sequences: number;
  readonly imagesOfSequences: number;
}

/** What is shared over all folds, and how often images are tested. */
export interface Leaks {
  readonly folds: readonly FoldLeak[];
  /** Sums of the folds. */
  readonly tested: number;
  readonly imagesOfSubjects: number | null;
  readonly imagesOfSequences: number;
  /** Images tested more than once and never. */
  readonly twice: number;
  readonly never: number;
}

/** Compares the images of each fold. A sequence is three images that follow one another. */
export function leaksOf(faces: Faces, folds: readonly Pick<Splits, 'train' | 'test'>[]): Leaks {
  const sequences = Int32Array.from({ length: count(faces) }, (_, i) => Math.floor(i / 3));
  const subjects = subjectsOf(faces);
  const found = folds.map(({ train, test }, i): FoldLeak => {
    const [bySequence, bySubject] = [sequences, subjects].map((of) => of && sharedBy(of, train.indices, test.indices));
    return {
      fold: i + 1,
      n: test.indices.length,
      subjects: bySubject?.groups ?? null,
      imagesOfSubjects: bySubject?.images ?? null,
      sequences: bySequence?.groups ?? 0,
      imagesOfSequences: bySequence?.images ?? 0,
    };
  });
  const times = new Uint8Array(count(faces));
  for (const { test } of folds) for (const i of test.indices) times[i] = (times[i] as number) + 1;
  const total = (of: (leak: FoldLeak) => number | null): number =>
    found.reduce((sum, leak) => sum + (of(leak) ?? 0), 0);
  return {
    folds: found,
    tested: total(({ n }) => n),
    imagesOfSubjects: subjects && total((leak) => leak.imagesOfSubjects),
    imagesOfSequences: total((leak) => leak.imagesOfSequences),
    twice: times.filter((n) => n > 1).length,
    never: times.filter((n) => n === 0).length,
  };
}

function sharedBy(
  groups: ArrayLike<number | string>,
  train: Int32Array,
  test: Int32Array,
): { readonly groups: number; readonly images: number } {
  const trained = new Set(Array.from(train, (i) => groups[i]));
  const shared = Array.from(test, (i) => groups[i]).filter((group) => trained.has(group));
  return { groups: new Set(shared).size, images: shared.length };
}

function subjectsOf(_: Faces): readonly string[] | null {
  return null;
}
