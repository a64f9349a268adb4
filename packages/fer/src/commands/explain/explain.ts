// Grad-CAM of the faces in a photo (Node only).

import { basename } from 'node:path';
import { writeFile } from '@mien/nn/files';
import { ValueError } from '@mien/tensor';
import { expectOptions, optionNames } from '@mien/tensor/internal';
import { png } from '../../figures/lettering.ts';
import { explainFace } from '../../gradCam.ts';
import type { ModelName } from '../../models/catalog.ts';
import { decodePhoto, readPhotoFile } from '../../photos/decode.ts';
import { inFile, openReader, type PhotoFace, type ReaderOptions, readerOptions } from '../predict/predict.ts';
import { explanationFigure } from './figure.ts';

/** Options of `explain`. */
export interface ExplainOptions extends ReaderOptions {
  /** The class to explain. Default: each face's prediction. */
  readonly expression?: string;
  /** A PNG file for the figure. */
  readonly out?: string;
}

const explainOptions = optionNames<ExplainOptions>({ ...readerOptions, expression: true, out: true });

/** A face with its Grad-CAM map. */
export interface ExplainedFace extends PhotoFace {
  /** The explained class. */
  readonly explained: string;
  /** 48 rows of 48 numbers from 0 to 1 over `crop`: the evidence of each pixel for the class. */
  readonly map: readonly (readonly number[])[];
  /** The value of 1 in the map; 0 without evidence for the class. */
  readonly peak: number;
}

/** The result of `explain`. */
export interface ExplainReport {
  readonly adapter: string;
  readonly weights: string;
  readonly model: ModelName;
  readonly photo: string;
  readonly width: number;
  readonly height: number;
  readonly faces: readonly ExplainedFace[];
}

/** Grad-CAM of every face in a photo. Throws ValueError for a class that the network does not have. */
export async function explain(name: string, options: ExplainOptions): Promise<ExplainReport> {
  expectOptions('explain', options, explainOptions);
  const { expression, out } = options;
  const { photo, width, height } = await decodePhoto(readPhotoFile(name), name);
  const { reader, ...facts } = await openReader(options);
  try {
    const { classes } = reader;
    const known = (wanted: string): string => {
      const found = classes.find((each) => each.toLowerCase() === wanted.toLowerCase());
      if (found === undefined)
        throw new ValueError(`explain: class must be one of ${classes.join(', ')}, got ${wanted}`);
      return found;
    };
    const wanted = expression === undefined ? null : known(expression);
    const explained = [];
    for (const face of await reader.read(photo)) {
      const target = wanted ?? face.expression;
      explained.push({ face, target, ...(await explainFace(reader, face.seen, classes.indexOf(target))) });
    }
    if (out !== undefined) {
      const note = `Grad-CAM of ${facts.model}: the evidence of each part of the square for an expression, from the last feature map`;
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
