// From a path, or from nothing, to the splits that a run works on.
import { ValueError } from '@mien/tensor';
import { CK_PLUS_FOLDS, type Fold, type FoldKind, folds } from '../datasets/ckplus.ts';
import { drawFaces } from '../datasets/drawn.ts';
import { type Faces, type Split, split } from '../datasets/faces.ts';
import { FER2013_SPLITS } from '../datasets/fer2013.ts';
import { readFaces, writeFer2013 } from '../datasets/files.ts';
import type { RunEvent } from './events.ts';

/** What a run trains on, what it is tested on each epoch, and FER2013's second test. */
export interface Splits {
  readonly train: Split;
  readonly test: Split;
  readonly private: Split | null;
}

/** Reads the faces at `data`, or draws them where there is no path. */
export async function obtain(data: string | null, seed: number, tell: (event: RunEvent) => void): Promise<Faces> {
  if (data === null) return drawFaces({ seed });
  const faces = await readFaces(data, (read, total) => tell({ event: 'reading', path: data, share: read / total }));
  if (faces.hidden) tell({ event: 'hidden', path: data, images: faces.hidden });
  return faces;
}

/** Training and tests of a data set; `fold` is CK+'s. Throws ValueError without images to train on or to test. */
export function splitsOf(faces: Faces, fold: number, kind: FoldKind = 'reference'): Splits {
  if (faces.dataset === 'ck+') return { ...foldOf(faces, fold, kind), private: null };
  const last = split(faces, 'PrivateTest');
  return {
    train: filled(faces, 'Training'),
    test: filled(faces, 'PublicTest'),
    private: last.indices.length > 0 ? last : null,
  };
}

/** Training and test images of one fold of CK+. Throws ValueError for a fold that does not exist. */
function foldOf(faces: Faces, fold: number, kind: FoldKind): Fold {
  const found = folds(faces, kind)[fold - 1];
  if (!found) throw new ValueError(`${foldName(fold, kind)} does not exist, expected 1 to ${CK_PLUS_FOLDS}`);
  return found;
}

/** `fold 3`, or `subject fold 3` where they are not the reference's. */
export function foldName(fold: number, kind: FoldKind): string {
  return kind === 'reference' ? `fold ${fold}` : `${kind} fold ${fold}`;
}

/** A split that has images. Throws ValueError where it has none. */
function filled(faces: Faces, name: string): Split {
  const found = split(faces, name);
  if (found.indices.length > 0) return found;
  throw new ValueError(`${faces.dataset}: no row has the usage ${name}; add some, or give the whole file`);
}

/** The images that `evaluate` is asked for, and those that its figures need besides. */
export interface Chosen {
  readonly chosen: Split;
  readonly called: string;
  /** The images that the network learnt from; null where they are the chosen ones. */
  readonly training: Split | null;
  /** The images that a temperature may be fitted on, or why there are none. */
  readonly calibration: {
    readonly on: Split | null;
    readonly called: string | null;
    readonly reason: string | null;
  };
}

/** The split that `evaluate` is asked for. Throws ValueError for one that the data set does not have. */
export function chooseSplit(faces: Faces, wanted: string | undefined, fold: number, kind: FoldKind): Chosen {
  if (faces.dataset === 'ck+') {
    const { train, test } = foldOf(faces, fold, kind);
    const name = foldName(fold, kind);
    const reason = 'CK+ has no images besides those of training and test; FER2013 has PublicTest';
    const calibration = { on: null, called: null, reason };
    if (wanted === 'training') return { chosen: train, called: `${name}, training`, training: null, calibration };
    if (wanted === undefined || wanted === 'test') {
      return { chosen: test, called: `${name}, test`, training: train, calibration };
    }
    throw new ValueError(`evaluate: CK+ has training and test, not ${wanted}`);
  }
  const names: Record<string, string> = { training: 'Training', public: 'PublicTest', private: 'PrivateTest' };
  const called = names[wanted ?? 'public'];
  if (!called) throw new ValueError(`evaluate: ${faces.dataset} has training, public and private, not ${wanted}`);
  const chosen = filled(faces, called);
  const [training, held] = [faces.splits.Training, faces.splits.PublicTest];
  const possible = called !== 'PublicTest' && held !== undefined && held.length > 0;
  return {
    chosen,
    called,
    training: called === 'Training' || !training ? null : { faces, indices: training },
    calibration: possible
      ? { on: { faces, indices: held }, called: 'PublicTest', reason: null }
      : {
          on: null,
          called: null,
          reason:
            called === 'PublicTest'
              ? 'a temperature is fitted on PublicTest, whose own figures these are; see --split private'
              : 'a temperature is fitted on PublicTest, of which the data has no images',
        },
  };
}

/** Draws the default faces, writes them as a FER2013 file and reads that back. */
export async function drawnFile(path: string, seed: number): Promise<void> {
  const faces = drawFaces({ seed });
  await writeFer2013(
    path,
    FER2013_SPLITS.map((usage) => ({ usage, split: split(faces, usage) })),
  );
}

/** A data set's name as a title writes it. */
export function titleOf(dataset: string): string {
  return { fer2013: 'FER2013', 'ck+': 'CK+', drawn: 'drawn faces' }[dataset] ?? dataset;
}
