// From a path, or from none, to the faces of a run (Node only).

import type { DatasetName } from '../datasets/catalog.ts';
import { drawFaces } from '../datasets/drawn.ts';
import { type Faces, split } from '../datasets/faces.ts';
import { FER2013_SPLITS } from '../datasets/fer2013.ts';
import { writeFer2013 } from '../datasets/readers/fer2013.ts';
import { readFaces } from '../datasets/readers/readers.ts';
import type { RunEvent } from './events.ts';

/** Reads the faces at `data`, or draws them without a path. `dataset` decides between layouts that look alike. */
export async function obtain(
  data: string | null,
  seed: number,
  onEvent: (event: RunEvent) => void,
  dataset?: DatasetName,
): Promise<Faces> {
  if (data === null) return drawFaces({ seed });
  const onBytes = (read: number, total: number): void => onEvent({ event: 'reading', path: data, share: read / total });
  const faces = await readFaces(data, onBytes, dataset);
  if (faces.hidden) onEvent({ event: 'hidden', path: data, images: faces.hidden });
  return faces;
}

/** Draws the default faces and writes them as a FER2013 file. */
export async function drawnFile(path: string, seed: number): Promise<void> {
  const faces = drawFaces({ seed });
  await writeFer2013(
    path,
    FER2013_SPLITS.map((usage) => ({ usage, split: split(faces, usage) })),
  );
}
