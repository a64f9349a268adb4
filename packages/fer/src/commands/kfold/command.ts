// `mien kfold`: all ten folds of CK+.
import { Command, InvalidArgumentError, Option } from 'commander';
import { defined, number, wholeNumber } from '../../cli/options.ts';
import { print, printJson } from '../../cli/output.ts';
import { Progress } from '../../cli/progress.ts';
import { runCommand } from '../../cli/runCommand.ts';
import { FOLD_KINDS, type FoldKind } from '../../datasets/ckplus.ts';
import { MODELS, type ModelName, PRESETS, type Preset, type TrainingConfig } from '../../training/config.ts';
import { type FoldEvent, kfold as kfoldRun } from './kfold.ts';
import { reportFolds } from './text.ts';

interface Words {
  readonly model?: ModelName;
  readonly data?: string;
  readonly folds?: FoldKind;
  readonly seeds?: readonly number[];
  readonly only?: readonly [number, number];
  readonly init?: string;
  readonly preset?: Preset;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly lr?: number;
  readonly out?: string;
  readonly checkpointEvery?: number;
  readonly adapter?: string;
  readonly json?: boolean;
}

/** `mien kfold`. */
export const kfold: Command = new Command('kfold')
  .description(
    'Trains and tests all ten folds of CK+, each in a run folder of its own; stopped, the same command goes on.',
  )
  .option('--data <path>', 'a CK+48 folder')
  .addOption(new Option('--model <name>', 'the network').choices(MODELS))
  .addOption(
    new Option(
      '--folds <kind>',
      "reference: the published protocol's; subject: no person in both training and test; sequence: no sequence in both (default: reference)",
    ).choices(FOLD_KINDS),
  )
  .option('--seeds <list>', 'ten folds for each, as 1,2,3 (default: 1)', seedList)
  .option('--only <folds>', 'train these only, as 3-5 or 7: to spread folds over processes', foldRange)
  .option(
    '--init <file>',
    'start each fold from the weights of this checkpoint; a classifier of other classes starts at random',
  )
  .addOption(
    new Option(
      '--preset <name>',
      "whose recipe (default: best for small and nano, the reference's for others)",
    ).choices(PRESETS),
  )
  .option('--epochs <n>', 'epochs of each fold', wholeNumber)
  .option('--batch-size <n>', 'images of a step', wholeNumber)
  .option('--lr <rate>', 'the learning rate that the schedule starts from', number)
  .option('--out <folder>', 'the folder of the folds (default: runs/kfold-<model>-<folds>)')
  .option('--checkpoint-every <steps>', 'a checkpoint every so many steps, besides every epoch', wholeNumber)
  .option('--adapter <name>', 'part of the name of the adapter to use, or swiftshader or lavapipe')
  .option(
    '--json',
    'standard output carries one JSON object a line, the last of which is the report; shares are fractions',
  )
  .addHelpText(
    'after',
    `
Examples:
  mien kfold --data CK+48 --model small                                   the reference's ten folds
  mien kfold --data CK+48 --model small --folds subject --out runs/subject
  mien kfold --data CK+48 --model small --only 1-5                        and in another process --only 6-10
  mien kfold --out runs/kfold-small-reference                             goes on, or prints the table of what is done
  mien kfold --data CK+48 --model small --init runs/small-fer2013 --out runs/from-fer2013`,
  )
  .action((words: Words) => runCommand((signal) => run(words, signal)));

async function run(words: Words, signal: AbortSignal): Promise<void> {
  const { model, data, folds, seeds, only, init, preset, out, checkpointEvery, adapter, json } = words;
  const { epochs, batchSize, lr: learningRate } = words;
  if (!model && !out)
    kfold.error(`error: kfold needs --model (${MODELS.join(', ')}), or --out FOLDER of earlier folds`);
  const progress = new Progress();
  try {
    const report = await kfoldRun({
      ...defined({ model, data, folds, seeds, only, init, preset, out, checkpointEvery, adapter }),
      protocol: defined({ epochs, batchSize, learningRate }) as Partial<TrainingConfig>,
      signal,
      onEvent: (event) => {
        if (event.event === 'fold')
          progress.say(`seed ${event.seed}, fold ${event.fold} of 10: ${STATES[event.state]}`);
        else progress.show(event);
        if (json && (event.event === 'fold' || event.event === 'epoch')) printJson(event);
      },
    });
    progress.close();
    if (json) printJson({ event: 'report', ...report });
    else print(reportFolds(report));
  } finally {
    progress.close();
  }
}

const STATES = {
  new: 'new',
  resumed: 'goes on',
  finished: 'finished',
  elsewhere: 'left to the process that trains it (if there is none, delete the file claimed in its folder)',
} satisfies Record<FoldEvent['state'], string>;

function seedList(text: string): number[] {
  const seeds = text.split(',').map(wholeNumber);
  if (new Set(seeds).size < seeds.length) throw new InvalidArgumentError('A seed stands there twice.');
  return seeds;
}

function foldRange(text: string): readonly [number, number] {
  const [, first = '', last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  if (first === '') throw new InvalidArgumentError('A fold or a range like 3-5 is expected.');
  return [Number(first), Number(last)];
}
