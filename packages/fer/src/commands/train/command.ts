// `mien train`: a network by the protocol of model and data set, into a run folder.
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Augmentation } from '../../augmentation.ts';
import { defined, number, picked, wholeNumber } from '../../cli/options.ts';
import { print, printJson } from '../../cli/output.ts';
import { Progress } from '../../cli/progress.ts';
import { runCommand } from '../../cli/runCommand.ts';
import { reportRun } from '../../cli/table.ts';
import { FOLD_KINDS, type FoldKind } from '../../datasets/ckplus.ts';
import {
  DATASETS,
  type DatasetName,
  MODELS,
  type ModelName,
  PRESETS,
  type Preset,
  type TrainingConfig,
} from '../../training/config.ts';
import { train as trainRun } from './train.ts';

interface TrainWords {
  readonly model?: ModelName;
  readonly dataset?: DatasetName;
  readonly data?: string;
  readonly fold?: number;
  readonly folds?: FoldKind;
  readonly preset?: Preset;
  readonly select?: TrainingConfig['select'];
  readonly augment?: Augmentation | 'none';
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly microBatch?: number;
  readonly lr?: number;
  readonly momentum?: number;
  readonly weightDecay?: number;
  readonly labelSmoothing?: number;
  readonly softLabels?: number;
  readonly ema?: number;
  readonly testCrops?: '1' | '10';
  readonly init?: string;
  readonly seed?: number;
  readonly out?: string;
  readonly resume?: string;
  readonly from?: 'last' | 'best';
  readonly checkpointEvery?: number;
  readonly stopAfter?: number;
  readonly adapter?: string;
  readonly json?: boolean;
}

/** `mien train`. */
export const train: Command = new Command('train')
  .description('Trains a network by the protocol of model and data set; writes a run folder that can be resumed.')
  .addOption(new Option('--model <name>', 'the network').choices(MODELS))
  .option(
    '--data <path>',
    'a fer2013.csv, an HDF5 file, a CK+48 folder, or a folder of training and test images; without it faces are drawn',
  )
  .addOption(new Option('--dataset <name>', 'what the data is to be').choices(DATASETS))
  .option('--fold <n>', 'the fold of CK+ that is tested, 1 to 10 (default: 1)', wholeNumber)
  .addOption(new Option('--folds <kind>', 'how CK+ is cut into folds (default: reference)').choices(FOLD_KINDS))
  .addOption(
    new Option(
      '--preset <name>',
      "whose recipe (default: best for small and nano, the reference's for others)",
    ).choices(PRESETS),
  )
  .addOption(
    new Option('--select <test>', 'of FER2013, where the best epoch is chosen (default: public)').choices([
      'public',
      'private',
    ]),
  )
  .option(
    '--augment <changes>',
    'none, or the bounds of random changes: rotation=12,scale=0.1,shift=4,light=0.2,erasing=0.25',
    augmentation,
  )
  .option('--epochs <n>', 'epochs of the whole run', wholeNumber)
  .option('--batch-size <n>', 'images of a step', wholeNumber)
  .option('--micro-batch <n>', 'images at a time, for less memory; BatchNorm then sees these only', wholeNumber)
  .option('--lr <rate>', 'the learning rate that the schedule starts from', number)
  .option('--momentum <m>', 'of SGD', number)
  .option('--weight-decay <w>', 'of SGD', number)
  .option('--label-smoothing <s>', 'share of each target that is spread over the classes', number)
  .option(
    '--soft-labels <share>',
    'of each target that FER+ votes give; the data is an HDF5 file of prepare --ferplus',
    number,
  )
  .option('--ema <decay>', 'of the averaged weights; 0 keeps none', number)
  .addOption(
    new Option('--test-crops <n>', "views of an image in each epoch's test; the last is always ten").choices([
      '1',
      '10',
    ]),
  )
  .option('--init <file>', 'start from the weights of this checkpoint; a classifier of other classes starts at random')
  .option('--seed <n>', 'decides weights, order, crops and dropout (default: 1)', wholeNumber)
  .option('--out <folder>', 'the run folder (default: runs/<model>-<dataset>)')
  .option('--resume <folder>', 'go on with an earlier run')
  .addOption(new Option('--from <which>', 'the checkpoint to resume from (default: last)').choices(['last', 'best']))
  .option('--checkpoint-every <steps>', 'a checkpoint every so many steps, besides every epoch', wholeNumber)
  .option('--stop-after <steps>', 'stop after so many steps, with a checkpoint', wholeNumber)
  .option('--adapter <name>', 'part of the name of the adapter to use, or swiftshader or lavapipe')
  .option('--json', 'standard output carries one JSON object a line and nothing else')
  .addHelpText(
    'after',
    `
Examples:
  mien train --model nano                                     drawn faces, a minute or two
  mien train --model vgg19 --data fer2013.csv                 the reference's protocol on FER2013
  mien train --model small --data CK+48 --dataset ck+ --fold 1
  mien train --resume runs/vgg19-fer2013                      goes on exactly where it was`,
  )
  .action((words: TrainWords) => runCommand((signal) => run(words, signal)));

/** The words that are options of the run as they stand; the others change its protocol. */
const OF_RUN = [
  'model',
  'data',
  'dataset',
  'preset',
  'fold',
  'folds',
  'init',
  'seed',
  'out',
  'resume',
  'from',
  'checkpointEvery',
  'stopAfter',
  'adapter',
] as const satisfies readonly (keyof TrainWords)[];

async function run(words: TrainWords, signal: AbortSignal): Promise<void> {
  const { model, resume, json } = words;
  if (!model && !resume) train.error(`error: train needs --model (${MODELS.join(', ')}) or --resume FOLDER`);
  const progress = new Progress();
  try {
    const finished = await trainRun({
      ...picked(words, OF_RUN),
      protocol: protocolOf(words),
      signal,
      onEvent: (event) => {
        progress.show(event);
        if (json && !['compiling', 'evaluating', 'reading', 'tuning'].includes(event.event)) printJson(event);
      },
    });
    progress.close();
    if (!json) print(reportRun(finished.out, finished.summary));
  } finally {
    progress.close();
  }
}

/** The words that are settings of the protocol as they stand. */
const OF_PROTOCOL = [
  'epochs',
  'batchSize',
  'microBatch',
  'momentum',
  'weightDecay',
  'labelSmoothing',
  'softLabels',
  'select',
] as const satisfies readonly (keyof TrainWords)[];

function protocolOf(words: TrainWords): Partial<TrainingConfig> {
  const { lr, ema, testCrops } = words;
  return {
    ...picked(words, OF_PROTOCOL),
    ...defined({ learningRate: lr }),
    ...(words.augment === undefined ? {} : { augmentation: words.augment === 'none' ? null : words.augment }),
    ...(ema === undefined ? {} : { ema: ema === 0 ? null : ema }),
    ...(testCrops ? { crops: testCrops === '1' ? 1 : 10 } : {}),
  };
}

/** `rotation=12,erasing=0.25` as bounds; what is not named is 0. Commander would make '' of a null for none. */
function augmentation(text: string): Augmentation | 'none' {
  if (text === 'none') return text;
  const bounds = { rotation: 0, scale: 0, shift: 0, light: 0, erasing: 0 };
  for (const part of text.split(',')) {
    const [name = '', value = ''] = part.split('=');
    if (!(name in bounds)) throw new InvalidArgumentError(`Known are ${Object.keys(bounds).join(', ')}.`);
    bounds[name as keyof Augmentation] = number(value);
  }
  return bounds;
}
