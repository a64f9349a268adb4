// How many images a data set has by split and class.
import { classCounts, type Faces } from './faces.ts';

/** The images of one split, in total and by class. */
export interface SplitCounts {
  readonly name: string;
  readonly images: number;
  readonly perClass: readonly number[];
}

/** Counts of every split; of all images where there are no splits. */
export function splitCounts(faces: Faces): SplitCounts[] {
  const splits = Object.entries(faces.splits);
  const parts = splits.length > 0 ? splits : [['all', Int32Array.from(faces.labels.keys())] as const];
  return parts.map(([name, indices]) => ({
    name,
    images: indices.length,
    perClass: classCounts({ faces, indices }),
  }));
}
