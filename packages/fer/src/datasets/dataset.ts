// What the package knows about a data set besides how its files are read: one row of the catalog.
import type { Augmentation } from '../augmentation.ts';
import type { LrScheduleConfig } from '../lrSchedule.ts';
import type { Faces, Split } from './faces.ts';

/** Division into folds: fixed by the publication, or grouped so that no subject or no sequence is on both sides. */
export const FOLD_KINDS = ['reference', 'subject', 'sequence'] as const;
export type FoldKind = (typeof FOLD_KINDS)[number];

/** Training and test images of one fold. */
export interface Fold {
  readonly train: Split;
  readonly test: Split;
}

/** Images that the training and test sides of all folds share, summed over the folds. */
export interface Leaks {
  /** Tested images; an image that two folds test counts twice. */
  readonly tested: number;
  /** Tested images whose subject, or sequence, is in the training images of the same fold; null without file names. */
  readonly sharedSubject: number | null;
  readonly sharedSequence: number | null;
  readonly testedTwice: number;
  readonly testedNever: number;
}

/** A split under the name that `Faces.splits` and reports use, and the value of `--split` that selects it. */
export interface SplitName {
  readonly name: string;
  readonly option: string;
}

/** The fixed splits of a data set. */
export interface FixedSplits {
  readonly training: SplitName;
  /** Evaluated after each epoch; the best epoch is selected on it. */
  readonly test: SplitName;
  /** Evaluated for the report only; null where the data set has no third split. */
  readonly heldOut: SplitName | null;
}

/** The folds of a data set without fixed splits. */
export interface Folds {
  readonly count: number;
  /** All folds of one kind. Throws ValueError where the images do not allow it. */
  readonly divide: (faces: Faces, kind: FoldKind) => readonly Fold[];
  readonly leaks: (folds: readonly Fold[]) => Leaks;
  /** The sequence that each image is a frame of, or null without file names. */
  readonly sequences: (faces: Faces) => readonly string[] | null;
}

/** Settings of the `best` preset that depend on the data set. */
export interface BestRecipe {
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly schedule: LrScheduleConfig;
  readonly ema: number | null;
  readonly crops: 1 | 10;
  readonly augmentation: Augmentation | null;
}

/** Settings of both presets that depend on the data set. */
export interface Recipes {
  readonly reference: { readonly epochs: number; readonly batchSize: number; readonly schedule: LrScheduleConfig };
  readonly best: BestRecipe;
  /** Changes to `best` for single networks, by their names. */
  readonly networks: Readonly<Record<string, Partial<BestRecipe>>>;
}

/** What `mien prepare` needs to know. */
export interface Preparation {
  readonly summary: string;
  /** Description of the input argument. */
  readonly input: string;
  /** Default output file. */
  readonly file: string;
  /** Whether FER+ votes can be joined. */
  readonly ferplus: boolean;
}

/** One data set. */
export interface Dataset<Name extends string = string> {
  readonly name: Name;
  /** The name in titles and sentences. */
  readonly title: string;
  readonly classes: readonly string[];
  /** Null for a data set that is divided into folds. */
  readonly splits: FixedSplits | null;
  readonly folds: Folds | null;
  /** The unit whose samples are independent, which confidence intervals count, and its images. */
  readonly unit: { readonly name: string; readonly images: number };
  readonly recipes: Recipes;
  /** Layout of its HDF5 files: prefixes of `<part>_pixel` and `<part>_label`, and the shape of one image; null for none. */
  readonly hdf5: { readonly parts: readonly string[]; readonly image: readonly number[] } | null;
  readonly prepare: Preparation | null;
  /** The test's name in the keys of the reference implementation's checkpoints, `best_<name>_acc`. */
  readonly pytorchTest: string;
  readonly noisyLabels: boolean;
  /** What a confidence interval on this data covers, in a sentence. */
  readonly interval: string;
  /** Sentences that reports print beside every figure on this data. */
  readonly caveats: (folds: FoldKind | null) => readonly string[];
}

/** The interval sentence of data sets of independent images. */
export const IMAGE_INTERVAL: string =
  'The interval covers the sampling of test images of this kind. It does not cover the choice of seed or other kinds of photographs.';
