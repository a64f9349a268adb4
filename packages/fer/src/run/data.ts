// From a path, or from nothing, to the splits that a run works on.
import { ValueError } from '@mien/tensor';
import { ckPlusSplits } from '../datasets/ckplus.ts';
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
  return readFaces(data, (read, total) => tell({ event: 'reading', path: data, share: read / total }));
}

/** Training and tests of a data set; `fold` is CK+'s. Throws ValueError without images to train on or to test. */
export function splitsOf(faces: Faces, fold: number): Splits {
  if (faces.dataset === 'ck+') return { ...ckPlusSplits(faces, fold), private: null };
  const last = split(faces, 'PrivateTest');
  return {
    train: filled(faces, 'Training'),
    test: filled(faces, 'PublicTest'),
    private: last.indices.length > 0 ? last : null,
  };
}

/** A split that has images. Throws ValueError where it has none. */
function filled(faces: Faces, name: string): Split {
  const found = split(faces, name);
  if (found.indices.length > 0) return found;
  throw new ValueError(`${faces.dataset}: no row has the usage ${name}; add some, or give the whole file`);
}

/** The split that `evaluate` is asked for, with its name. */
export function chooseSplit(faces: Faces, wanted: string | undefined, fold: number): { chosen: Split; called: string } {
  if (faces.dataset === 'ck+') {
    const { train, test } = ckPlusSplits(faces, fold);
    if (wanted === 'training') return { chosen: train, called: `fold ${fold}, training` };
    if (wanted === undefined || wanted === 'test') return { chosen: test, called: `fold ${fold}, test` };
    throw new ValueError(`evaluate: CK+ has training and test, not ${wanted}`);
  }
  const names: Record<string, string> = { training: 'Training', public: 'PublicTest', private: 'PrivateTest' };
  const name = names[wanted ?? 'public'];
  if (!name) throw new ValueError(`evaluate: ${faces.dataset} has training, public and private, not ${wanted}`);
  return { chosen: filled(faces, name), called: name };
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
