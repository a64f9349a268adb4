// A data set in memory: gray 48x48 images with a label each, and named splits.
import { ValueError } from '@mien/tensor';

/** Side of every face image, in pixels. */
export const SIDE = 48;
/** Bytes of one face image: 48 * 48 gray values. */
export const PIXELS: number = SIDE * SIDE;

/** Faces in memory: `images` is [count, 48, 48] gray bytes, `labels` [count] class numbers. */
export interface Faces {
  /** The data set's name in the catalog, for example `fer2013`. */
  readonly dataset: string;
  readonly classes: readonly string[];
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
  /** Indices of each split, in file order; none for a data set with folds. */
  readonly splits: Readonly<Record<string, Int32Array>>;
  /** The file of each image, as a path below the folder that was read; absent for a single file. */
  readonly sources?: readonly string[];
  /** The number of these files in color, and of another size. */
  readonly converted?: { readonly color: number; readonly resized: number };
  /** The number of image files that were skipped as hidden files of an operating system, such as `._face.png`. */
  readonly hidden?: number;
  /** FER+ votes, [count, 10], and the rows that it calls "not a face". */
  readonly votes?: Uint8Array;
  readonly notFaces?: Int32Array;
}

/** A part of a data set: the rows of `faces` named by `indices`, in that order. */
export interface Split {
  readonly faces: Faces;
  readonly indices: Int32Array;
}

/** The number of images of a data set. */
export function count(faces: Faces): number {
  return faces.labels.length;
}

/** The split called `name`. Throws ValueError naming the splits that exist. */
export function split(faces: Faces, name: string): Split {
  const indices = faces.splits[name];
  if (!indices) {
    const known = Object.keys(faces.splits).join(', ') || 'none';
    throw new ValueError(`split: ${faces.dataset} has no split called ${name} (it has ${known})`);
  }
  return { faces, indices };
}

/** How many images of each class a split holds. */
export function classCounts({ faces, indices }: Split): number[] {
  const counts = faces.classes.map(() => 0);
  for (const i of indices) {
    const label = faces.labels[i] as number;
    counts[label] = (counts[label] ?? 0) + 1;
  }
  return counts;
}
