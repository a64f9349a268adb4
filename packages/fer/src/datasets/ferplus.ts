// FER+: ten votes for each image of FER2013 (Barsoum et al. 2016, arXiv 1608.01041), joined row by row.
import { FormatError } from '@mien/nn';
import { ValueError } from '@mien/tensor';
import Papa from 'papaparse';
import type { Faces, Split } from './faces.ts';
import { FER2013, FER2013_SPLITS } from './fer2013.ts';

/** The choices of a vote, in the order of the file's columns; `NF` is "not a face". */
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

// The column of each class of FER2013; contempt, unknown and NF have no class.
const COLUMN_OF_CLASS: readonly number[] = [4, 5, 6, 1, 3, 2, 0];

/** The rows of a fer2013new.csv: `votes` is [count, 10]; `named` is 1 for rows with an image name, which are faces. */
export interface FerPlus {
  readonly votes: Uint8Array;
  readonly usages: readonly string[];
  readonly named: Uint8Array;
}

/** Parses the text of a fer2013new.csv. Throws FormatError with the line. */
export function parseFerPlus(text: string, file = 'fer2013new.csv'): FerPlus {
  const { data } = Papa.parse<string[]>(text.replace(/^\uFEFF/, ''), { delimiter: ',', skipEmptyLines: true });
  const [header = [], ...rows] = data;
  const expected = ['Usage', 'Image name', ...FER_PLUS_COLUMNS];
  if (header.map((name) => name.trim()).join() !== expected.join()) {
    const found = header.slice(0, 4).map((name) => name.slice(0, 40));
    throw new FormatError(`${file}, line 1: expected ${expected.join(',')}, got ${found.join(',')}`);
  }
  const width = FER_PLUS_COLUMNS.length;
  const votes = new Uint8Array(rows.length * width);
  for (const [i, row] of rows.entries()) {
    if (row.length !== expected.length) {
      throw new FormatError(`${file}, line ${i + 2}: expected ${expected.length} columns, got ${row.length}`);
    }
    for (const [column, word] of row.slice(2).entries()) {
      const value = /^\d+$/.test(word.trim()) ? Number(word) : -1;
      if (value < 0 || value > 255) {
        throw new FormatError(
          `${file}, line ${i + 2}: ${FER_PLUS_COLUMNS[column]} must be a number of votes, got ${JSON.stringify(word.slice(0, 40))}`,
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
 * The faces with their votes, joined row by row: image names skip rows without one. Throws ValueError where the rows are not
 * those of one FER2013.
 */
export function joinFerPlus(faces: Faces, { votes, usages, named }: FerPlus): Faces {
  const rows = faces.labels.length;
  if (faces.dataset !== FER2013.name || faces.sources) {
    throw new ValueError(
      `joinFerPlus: expected the rows of fer2013.csv, got ${faces.sources ? 'image files, which have no rows' : faces.dataset}; pass fer2013.csv or its data.h5`,
    );
  }
  if (usages.length !== rows) {
    throw new ValueError(
      `joinFerPlus: expected a row of FER+ for each of ${rows} images, got ${usages.length}; pass the complete fer2013.csv`,
    );
  }
  for (const name of FER2013_SPLITS) {
    for (const row of faces.splits[name] ?? []) {
      if (usages[row] === name) continue;
      throw new ValueError(
        `joinFerPlus: expected the same usage, got ${name} in FER2013 and ${usages[row]} in FER+ (row ${row})`,
      );
    }
  }
  // Rows without a name are not faces; the rows with ten votes for NF are others.
  return { ...faces, votes, notFaces: Int32Array.from(named.keys()).filter((row) => named[row] === 0) };
}

/** The faces without the rows that FER+ calls "not a face": 173 of FER2013 (148, 10 and 15 by split). */
export function withoutNotFaces(faces: Faces): Faces {
  const { notFaces, ...rest } = faces;
  if (!notFaces) throw new ValueError('withoutNotFaces: expected faces with FER+ votes; add them with joinFerPlus');
  const gone = new Set(notFaces);
  const splits = Object.entries(faces.splits).map(([name, rows]) => [name, rows.filter((row) => !gone.has(row))]);
  return { ...rest, splits: Object.fromEntries(splits) };
}

/**
 * The votes as probabilities of FER2013's classes, [images, 7], for `crossEntropy`. Votes for contempt, unknown and "not a
 * face" are ignored; without other votes the label of FER2013 has probability 1.
 */
export function softTargets({ faces, indices }: Split): Float32Array {
  const { votes, labels } = faces;
  if (!votes) throw new ValueError('softTargets: expected faces with FER+ votes; add them with joinFerPlus');
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
