// `mien kfold`.
import { InvalidArgumentError } from 'commander';
import { type CommandDefinition, defineCommand, UsageError } from '../../cli/defineCommand.ts';
import {
  ADAPTER,
  choice,
  defined,
  integer,
  MODEL,
  number,
  PRESET,
  parsed,
  text,
  toInteger,
} from '../../cli/options.ts';
import { FOLD_KINDS } from '../../datasets/dataset.ts';
import { MODELS } from '../../models/catalog.ts';
import { kfold } from './kfold.ts';
import { kfoldText } from './text.ts';

/** `mien kfold`. */
export const kfoldCommand: CommandDefinition = defineCommand({
  name: 'kfold',
  summary: 'Trains and tests all ten folds of CK+, each in its own run folder. To resume, rerun the same command.',
  options: {
    data: text('<path>', 'a CK+48 folder'),
    model: MODEL,
    folds: choice(
      '<kind>',
      FOLD_KINDS,
      'reference: the published folds; subject: no person in both training and test; sequence: no sequence in both (default: reference)',
    ),
    seeds: parsed('<list>', 'ten folds per seed, for example 1,2,3 (default: 1)', toSeeds),
    only: parsed('<folds>', 'train only these folds, for example 3-5 or 7, to use several processes', toFoldRange),
    init: text(
      '<file>',
      'start each fold from the weights of this checkpoint; a classifier of other classes stays random',
    ),
    preset: PRESET,
    epochs: integer('<n>', 'epochs of each fold'),
    batchSize: integer('<n>', 'images per step'),
    lr: number('<rate>', 'initial learning rate of the schedule'),
    out: text('<folder>', 'the folder of the folds (default: runs/kfold-<model>-<folds>)'),
    checkpointEvery: integer('<steps>', 'write a checkpoint every so many steps, besides every epoch'),
    adapter: ADAPTER,
  },
  json: 'print one JSON object per line on standard output, the report last; accuracies are fractions',
  jsonEvents: ({ event }) => event === 'fold' || event === 'epoch',
  examples: [
    ['mien kfold --data CK+48 --model small', "the reference's ten folds"],
    ['mien kfold --data CK+48 --model small --folds subject --out runs/subject'],
    ['mien kfold --data CK+48 --model small --only 1-5', 'and --only 6-10 in another process'],
    ['mien kfold --out runs/kfold-small-reference', 'resumes, or prints the table of finished folds'],
    ['mien kfold --data CK+48 --model small --init runs/small-fer2013 --out runs/from-fer2013'],
  ],
  run: async ({ options, signal, onEvent }) => {
    const { epochs, batchSize, lr: learningRate, ...rest } = options;
    if (!rest.model && !rest.out) {
      throw new UsageError(`kfold needs --model (${MODELS.join(', ')}), or --out FOLDER of earlier folds`);
    }
    const config = defined({ epochs, batchSize, learningRate });
    const report = await kfold({ ...rest, config, signal, onEvent });
    return { report: { event: 'report', ...report }, text: kfoldText(report) };
  },
});

function toSeeds(text: string): number[] {
  const seeds = text.split(',').map(toInteger);
  if (new Set(seeds).size < seeds.length) throw new InvalidArgumentError('Seeds must be distinct.');
  return seeds;
}

function toFoldRange(text: string): readonly [number, number] {
  const [, first = '', last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  if (first === '') throw new InvalidArgumentError('Expected a fold or a range like 3-5.');
  return [Number(first), Number(last)];
}
