// FER+: ten votes for each image of FER2013 (Barsoum et al. 2016, arXiv 1608.01041), joined row by row.
import { FormatError } from '@mien/nn';
import { ValueError } from '@mien/tensor';
import Papa from 'papaparse';
import type { Faces, Split } from './faces.ts';
import { FER2013_SPLITS } from './fer2013.ts';

/** What a voter could say, in the order of the file's columns; `NF` is "not a face". */
export const FER_PLUS_COLUMNS: readonly string[] = [
  'neutral',
  'happiness',
  'surprise',
  'sadness',
  'anger',
  'disgust',
  'fear',
  'contempt',
  'unknown',
  'NF',
];

// The column that votes for each class of FER2013; contempt, unknown and NF vote for none.
const COLUMN_OF_CLASS: readonly number[] = [4, 5, 6, 1, 3, 2, 0];

/** The rows of a fer2013new.csv: `votes` is [count, 10], `named` tells which rows have an image name, which faces have. */
export interface FerPlus {
  readonly votes: Uint8Array;
  readonly usages: readonly string[];
  readonly named: Uint8Array;
}

/** Reads the text of a fer2013new.csv. Throws FormatError with the line. */
export function parseFerPlus(text: string, file = 'fer2013new.csv'): FerPlus {
  const { data } = Papa.parse<string[]>(text.replace(/^\uFEFF/, ''), { delimiter: ',', skipEmptyLines: true });
  const [header = [], ...rows] = data;
  const expected = ['Usage', 'Image name', ...FER_PLUS_COLUMNS];
  if (header.map((name) => name.trim()).join() !== expected.join()) {
    const found = header.slice(0, 4).map((name) => name.slice(0, 40));
    throw new FormatError(`${file}, line 1: ${found.join(',')}, expected ${expected.join(',')}`);
  }
  const width = FER_PLUS_COLUMNS.length;
  const votes = new Uint8Array(rows.length * width);
  for (const [i, row] of rows.entries()) {
    if (row.length !== expected.length) {
      throw new FormatError(`${file}, line ${i + 2}: ${row.length} columns, ${expected.length} expected`);
    }
    for (const [column, word] of row.slice(2).entries()) {
      const value = /^\d+$/.test(word.trim()) ? Number(word) : -1;
      if (value < 0 || value > 255) {
        throw new FormatError(
          `${file}, line ${i + 2}: ${FER_PLUS_COLUMNS[column]} is ${JSON.stringify(word.slice(0, 40))}, expected a number of votes`,
        );
      }
      votes[i * width + column] = value;
    }
  }
  return {
    votes,
    usages: rows.map((row) => (row[0] as string).trim()),
    named: Uint8Array.from(rows, (row) => Number((row[1] as string).trim() !== '')),
  };
}

/**
 * The faces with their votes, row k of one with row k of the other, whatever the image names say (they count only
 * rows that have one). Throws ValueError where the rows cannot be those of one FER2013.
 */
export function joinFerPlus(faces: Faces, { votes, usages, named }: FerPlus): Faces {
  const rows = faces.labels.length;
  if (faces.dataset !== 'fer2013' || faces.sources) {
    throw new ValueError(
      `joinFerPlus: FER+ belongs to the rows of fer2013.csv, and ${faces.sources ? 'images in files of their own have no row' : `this is ${faces.dataset}`}; give fer2013.csv or the data.h5 made of it`,
    );
  }
  if (usages.length !== rows) {
    throw new ValueError(
      `joinFerPlus: ${usages.length} rows of FER+ for ${rows} images, expected one each; give the whole fer2013.csv`,
    );
  }
  for (const name of FER2013_SPLITS) {
    for (const row of faces.splits[name] ?? []) {
      if (usages[row] === name) continue;
      throw new ValueError(
        `joinFerPlus: row ${row} is ${name} in FER2013 and ${usages[row]} in FER+, expected the same`,
      );
    }
  }
  // "Not a face" is told by the absent name: ten votes for it are more and fewer rows than those.
  return { ...faces, votes, notFaces: Int32Array.from(named.keys()).filter((row) => named[row] === 0) };
}

/** The faces without those rows that FER+ calls "not a face": 173 of FER2013 (148, 10 and 15 by split). */
export function withoutNotFaces(faces: Faces): Faces {
  const { notFaces, ...rest } = faces;
  if (!notFaces) throw new ValueError('withoutNotFaces: these faces have no FER+ votes; joinFerPlus adds them');
  const gone = new Set(notFaces);
  const splits = Object.entries(faces.splits).map(([name, rows]) => [name, rows.filter((row) => !gone.has(row))]);
  return { ...rest, splits: Object.fromEntries(splits) };
}

/**
 * What voters said of each image, as probabilities of FER2013's classes: [images, 7], for `crossEntropy`. Votes for
 * contempt, unknown and "not a face" are left out; where no vote remains, all goes to the label of FER2013.
 */
export function softTargets({ faces, indices }: Split): Float32Array {
  const { votes, labels } = faces;
  if (!votes) throw new ValueError('softTargets: these faces have no FER+ votes; joinFerPlus adds them');
  const classes = COLUMN_OF_CLASS.length;
  const targets = new Float32Array(indices.length * classes);
  for (const [i, row] of indices.entries()) {
    const given = COLUMN_OF_CLASS.map((column) => votes[row * FER_PLUS_COLUMNS.length + column] as number);
    const sum = given.reduce((total, n) => total + n, 0);
    if (sum === 0) targets[i * classes + (labels[row] as number)] = 1;
    else for (const [label, n] of given.entries()) targets[i * classes + label] = n / sum;
  }
  return targets;
}
