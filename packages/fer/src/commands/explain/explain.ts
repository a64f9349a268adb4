// Where a network looks in the faces of a photo (Node only).
import { basename } from 'node:path';
import { writeFile } from '@mien/nn/files';
import { ValueError } from '@mien/tensor';
import { png } from '../../figures/lettering.ts';
import { explainFace } from '../../gradCam.ts';
import { decodePhoto, readPhotoFile } from '../../photos/decode.ts';
import type { ModelName } from '../../training/config.ts';
import { inFile, openReader, type PhotoFace, type ReaderOptions } from '../predict/predict.ts';
import { explanationFigure } from './figure.ts';

/** What `explain` is told. */
export interface ExplainOptions extends ReaderOptions {
  /** The class to explain; by default each face's own. */
  readonly expression?: string;
  /** A PNG file for the picture. */
  readonly out?: string;
}

/** A face with where the network looked. */
export interface ExplainedFace extends PhotoFace {
  /** The class that is explained. */
  readonly explained: string;
  /** 48 rows of 48 numbers from 0 to 1 over `crop`: how much each place speaks for the class. */
  readonly map: readonly (readonly number[])[];
  /** What 1 of the map stands for; 0 where nothing speaks for the class. */
  readonly peak: number;
}

/** What `explain` found. */
export interface ExplainReport {
  readonly adapter: string;
  readonly weights: string;
  readonly model: ModelName;
  readonly photo: string;
  readonly width: number;
  readonly height: number;
  readonly faces: readonly ExplainedFace[];
}

/** Grad-CAM of every face of a photo. Throws ValueError for a class that the network does not know. */
export async function explain(name: string, options: ExplainOptions): Promise<ExplainReport> {
  const { expression, out } = options;
  const { photo, width, height } = await decodePhoto(readPhotoFile(name), name);
  const { reader, ...facts } = await openReader(options);
  try {
    const { classes } = reader;
    const known = (wanted: string): string => {
      const found = classes.find((each) => each.toLowerCase() === wanted.toLowerCase());
      if (found === undefined) throw new ValueError(`explain: the network knows ${classes.join(', ')}, not ${wanted}`);
      return found;
    };
    const wanted = expression === undefined ? null : known(expression);
    const explained = [];
    for (const face of await reader.read(photo)) {
      const target = wanted ?? face.expression;
      explained.push({ face, target, ...(await explainFace(reader, face.seen, classes.indexOf(target))) });
    }
    if (out !== undefined) {
      const note = `Grad-CAM of ${facts.model}: what of the square speaks for an expression, by the network's last map`;
      writeFile(out, png(await explanationFigure(photo, explained, basename(name), note)));
    }
    const scale = width / photo.width;
    const faces = explained.map(({ face, target, map, peak }) => ({
      ...inFile(face, scale),
      explained: target,
      map: rowsOf(map),
      peak,
    }));
    return { ...facts, photo: name, width, height, faces };
  } finally {
    reader.dispose();
  }
}

function rowsOf(map: Float32Array): number[][] {
  const side = Math.sqrt(map.length);
  return Array.from({ length: side }, (_, y) =>
    Array.from(map.subarray(y * side, (y + 1) * side), (value) => Number(value.toFixed(4))),
  );
}
