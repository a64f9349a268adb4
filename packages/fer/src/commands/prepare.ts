// `mien prepare`: a data set as the reference implementation's HDF5 file (Node only).

import { resolve } from 'node:path';
import { ValueError } from '@mien/tensor';
import { expectOptions, optionNames } from '@mien/tensor/internal';
import { type CommandDefinition, defineCommand, defineGroup } from '../cli/defineCommand.ts';
import { flag, text } from '../cli/options.ts';
import { countTable, hiddenText, imagesText } from '../cli/table.ts';
import { CATALOG, type DatasetName, datasetOf, titleOf } from '../datasets/catalog.ts';
import { type SplitCounts, splitCounts } from '../datasets/counts.ts';
import type { Preparation } from '../datasets/dataset.ts';
import { joinFerPlus, withoutNotFaces } from '../datasets/ferplus.ts';
import { readFerPlus } from '../datasets/readers/fer2013.ts';
import { writeHdf5 } from '../datasets/readers/hdf5.ts';
import { readFaces } from '../datasets/readers/readers.ts';
import type { RunEvent } from '../runs/events.ts';

/** Options of `prepare`. */
export interface PrepareOptions {
  readonly dataset: DatasetName;
  /** A file or folder, as for `readFaces`. */
  readonly data: string;
  /** The HDF5 file to write. Default: the reference's name, data.h5 or CK_data.h5. */
  readonly out?: string;
  /** A fer2013new.csv, whose votes are written as `<split>_votes`. */
  readonly ferplus?: string;
  /** Leaves out the images that FER+ calls "not a face". */
  readonly facesOnly?: boolean;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

const prepareOptions = optionNames<PrepareOptions>({
  dataset: true,
  data: true,
  out: true,
  ferplus: true,
  facesOnly: true,
  signal: true,
  onEvent: true,
});

/** The result of `prepare`. */
export interface PrepareReport {
  readonly out: string;
  readonly dataset: string;
  readonly classes: readonly string[];
  readonly splits: readonly SplitCounts[];
  /** Images left out because FER+ calls them "not a face". */
  readonly notFaces: number;
  /** Image files in color, and of another size. */
  readonly converted: { readonly color: number; readonly resized: number };
  /** Image files that were skipped as hidden files of an operating system. */
  readonly hidden: number;
}

/** Reads a data set and writes it as the reference's HDF5 file. Throws ValueError for another data set. */
export async function prepare(options: PrepareOptions): Promise<PrepareReport> {
  expectOptions('prepare', options, prepareOptions);
  const { dataset, data, ferplus, facesOnly = false, onEvent = () => {}, signal } = options;
  const { title, prepare: preparation } = datasetOf(dataset);
  if (!preparation) throw new ValueError(`prepare: ${title} has no HDF5 form; train on its files directly`);
  const out = options.out ?? preparation.file;
  if (resolve(out) === resolve(data)) {
    throw new ValueError(`prepare: ${out} would overwrite the input; pass another --out`);
  }
  if (facesOnly && ferplus === undefined) {
    throw new ValueError('prepare: --faces-only needs the votes of FER+; pass its fer2013new.csv with --ferplus');
  }
  const votes = ferplus === undefined ? null : readFerPlus(ferplus);
  const read = await readFaces(data, (done, total) => {
    signal?.throwIfAborted();
    onEvent({ event: 'reading', path: data, share: done / total });
  });
  if (read.dataset !== dataset) {
    throw new ValueError(
      `prepare: expected ${title}, got ${titleOf(read.dataset)} (${data}); use mien prepare ${read.dataset}`,
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

/** `mien prepare`. */
export const prepareCommand: CommandDefinition = defineGroup({
  name: 'prepare',
  summary: "Writes a data set as the reference's HDF5 file and counts its images by split and class.",
  commands: CATALOG.flatMap(({ name, prepare: preparation }) => (preparation ? [commandFor(name, preparation)] : [])),
  examples: [
    ['mien prepare fer2013 fer2013.csv --out data.h5'],
    ['mien prepare fer2013 fer2013.csv --ferplus fer2013new.csv --faces-only'],
    ['mien prepare ck+ CK+48'],
  ],
});

function commandFor(dataset: DatasetName, { summary, input, file, ferplus }: Preparation): CommandDefinition {
  const votes = {
    ferplus: text('<file>', 'a fer2013new.csv: writes its votes too, as Training_votes and so on'),
    facesOnly: flag('leave out images that FER+ calls "not a face"; needs --ferplus'),
  };
  return defineCommand({
    name: dataset,
    summary,
    argument: { flags: '<path>', summary: input },
    options: { out: text('<file>', `the file to write (default: ${file})`), ...(ferplus ? votes : {}) },
    run: async ({ argument, options, signal, onEvent }) => {
      const report = await prepare({ dataset, data: argument, ...options, signal, onEvent });
      return { report, text: prepareText(report) };
    },
  });
}

function prepareText({ out, classes, splits, notFaces, converted, hidden }: PrepareReport): string {
  return [
    ...countTable(classes, splits),
    ...(converted.color > 0 ? [`${imagesText(converted.color)} converted from color to gray`] : []),
    ...(converted.resized > 0 ? [`${imagesText(converted.resized)} resized to 48x48`] : []),
    ...(hidden > 0 ? [hiddenText(hidden)] : []),
    ...(notFaces > 0 ? [`${imagesText(notFaces)} left out that FER+ calls "not a face"`] : []),
    `written to ${out}`,
    '',
  ].join('\n');
}
