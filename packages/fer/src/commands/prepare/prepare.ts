// Any form of a data set into the reference's HDF5 file (Node only).

import { resolve } from 'node:path';
import { ValueError } from '@mien/tensor';
import { classCounts, type Faces } from '../../datasets/faces.ts';
import { joinFerPlus, withoutNotFaces } from '../../datasets/ferplus.ts';
import { readFaces, readFerPlus } from '../../datasets/files.ts';
import { writeHdf5 } from '../../datasets/hdf5.ts';
import { titleOf } from '../../runs/data.ts';
import type { RunEvent } from '../../runs/events.ts';

/** What `prepare` is told. */
export interface PrepareOptions {
  readonly dataset: 'fer2013' | 'ck+';
  /** A CSV, an HDF5 file or a folder, as `readFaces` takes them. */
  readonly data: string;
  /** The HDF5 file to write; by default the reference's name, data.h5 or CK_data.h5. */
  readonly out?: string;
  /** A fer2013new.csv whose votes are written too, as `<split>_votes`. */
  readonly ferplus?: string;
  /** Leaves out what FER+ calls "not a face". */
  readonly facesOnly?: boolean;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

/** Images of one split, in all and by class. */
export interface SplitCounts {
  readonly name: string;
  readonly images: number;
  readonly perClass: readonly number[];
}

/** What `prepare` did. */
export interface PrepareReport {
  readonly out: string;
  readonly dataset: string;
  readonly classes: readonly string[];
  readonly splits: readonly SplitCounts[];
  /** Images left out because FER+ calls them "not a face". */
  readonly notFaces: number;
  /** Image files that were in color, and of another size. */
  readonly converted: { readonly color: number; readonly resized: number };
  /** Image files that were skipped because an operating system hides them. */
  readonly hidden: number;
}

/** Reads a data set and writes the reference's HDF5 file of it. Throws ValueError where it is another data set. */
export async function prepare(options: PrepareOptions): Promise<PrepareReport> {
  const { dataset, data, ferplus, facesOnly = false, onEvent = () => {}, signal } = options;
  const out = options.out ?? (dataset === 'ck+' ? 'CK_data.h5' : 'data.h5');
  if (resolve(out) === resolve(data)) {
    throw new ValueError(`prepare: ${out} is what is read, expected another file to write; name one with --out`);
  }
  if (facesOnly && ferplus === undefined) {
    throw new ValueError('prepare: only FER+ tells what is not a face; give its fer2013new.csv with --ferplus');
  }
  const votes = ferplus === undefined ? null : readFerPlus(ferplus);
  const read = await readFaces(data, (done, total) => {
    signal?.throwIfAborted();
    onEvent({ event: 'reading', path: data, share: done / total });
  });
  if (read.dataset !== dataset) {
    throw new ValueError(
      `prepare: ${data} holds ${titleOf(read.dataset)}, expected ${titleOf(dataset)}; use mien prepare ${read.dataset}`,
    );
  }
  const joined = votes ? joinFerPlus(read, votes) : read;
  const faces = facesOnly ? withoutNotFaces(joined) : joined;
  await writeHdf5(out, faces);
  const splits = splitCounts(faces);
  return {
    out,
    dataset,
    classes: faces.classes,
    splits,
    notFaces: read.labels.length - splits.reduce((sum, { images }) => sum + images, 0),
    converted: read.converted ?? { color: 0, resized: 0 },
    hidden: read.hidden ?? 0,
  };
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
