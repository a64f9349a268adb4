// The `mien` command.
import { deleteTuned, listTuned } from '@mien/tensor';
import { Command, InvalidArgumentError, Option } from 'commander';
import { version } from '../../package.json';
import { DATASETS, type DatasetName, MODELS, type ModelName, type Protocol } from '../protocol.ts';
import { evaluate } from '../run/evaluate.ts';
import { profileTraining } from '../run/profile.ts';
import { train } from '../run/train.ts';
import { tuneTraining } from '../run/tune.ts';
import { runCommand } from './ending.ts';
import { Progress } from './progress.ts';
import { reportEvaluation, reportKept, reportProfile, reportRun, reportTuning } from './results.ts';

interface TrainWords {
  readonly model?: ModelName;
  readonly dataset?: DatasetName;
  readonly data?: string;
  readonly fold?: number;
  readonly epochs?: number;
  readonly batchSize?: number;
  readonly microBatch?: number;
  readonly lr?: number;
  readonly momentum?: number;
  readonly weightDecay?: number;
  readonly labelSmoothing?: number;
  readonly ema?: number;
  readonly testCrops?: '1' | '10';
  readonly seed?: number;
  readonly out?: string;
  readonly resume?: string;
  readonly from?: 'last' | 'best';
  readonly checkpointEvery?: number;
  readonly stopAfter?: number;
  readonly adapter?: string;
  readonly json?: boolean;
}

interface EvaluateWords {
  readonly weights: string;
  readonly data?: string;
  readonly split?: 'training' | 'public' | 'private' | 'test';
  readonly fold?: number;
  readonly testCrops?: '1' | '10';
  readonly figure?: string;
  readonly adapter?: string;
  readonly json?: boolean;
}

interface ProfileWords {
  readonly model: ModelName;
  readonly batchSize?: number;
  readonly out?: string;
  readonly adapter?: string;
  readonly json?: boolean;
}

interface TuneWords {
  readonly model?: ModelName;
  readonly batchSize?: number;
  readonly list?: boolean;
  readonly delete?: boolean;
  readonly adapter?: string;
  readonly json?: boolean;
}

const mien: Command = new Command('mien')
  .description('Trains and evaluates networks that recognise facial expressions, on WebGPU.')
  .version(version)
  .configureHelp({ helpWidth: 110 })
  .showHelpAfterError('(mien --help shows what there is)');

mien
  .command('train')
  .description('Trains a network by the protocol of model and data set; writes a run folder that can be resumed.')
  .addOption(new Option('--model <name>', 'the network').choices(MODELS))
  .option('--data <path>', 'a fer2013.csv or a CK+48 folder, told apart by content; without it faces are drawn')
  .addOption(new Option('--dataset <name>', 'what the data is to be').choices(DATASETS))
  .option('--fold <n>', 'the fold of CK+ that is tested, 1 to 10 (default: 1)', wholeNumber)
  .option('--epochs <n>', 'epochs of the whole run', wholeNumber)
  .option('--batch-size <n>', 'images of a step', wholeNumber)
  .option('--micro-batch <n>', 'images at a time, for less memory; BatchNorm then sees these only', wholeNumber)
  .option('--lr <rate>', 'the learning rate that the schedule starts from', number)
  .option('--momentum <m>', 'of SGD', number)
  .option('--weight-decay <w>', 'of SGD', number)
  .option('--label-smoothing <s>', 'share of each target that is spread over the classes', number)
  .option('--ema <decay>', 'of the averaged weights; 0 keeps none', number)
  .addOption(
    new Option('--test-crops <n>', "views of an image in each epoch's test; the last is always ten").choices([
      '1',
      '10',
    ]),
  )
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
  .action((words: TrainWords) => runCommand((signal) => trainCommand(words, signal)));

mien
  .command('evaluate')
  .description('Evaluates a checkpoint: ten-crop loss, accuracy with its 95 % interval, and confusions.')
  .requiredOption('--weights <path>', 'a checkpoint, or a run folder whose last one is meant')
  .option('--data <path>', 'a fer2013.csv or a CK+48 folder (default: what the network was trained on)')
  .addOption(
    new Option('--split <name>', 'of FER2013 training, public or private; of CK+ training or test').choices([
      'training',
      'public',
      'private',
      'test',
    ]),
  )
  .option('--fold <n>', 'the fold of CK+ (default: the one that was trained)', wholeNumber)
  .addOption(new Option('--test-crops <n>', 'views of an image (default: 10)').choices(['1', '10']))
  .option('--figure <file>', 'write the confusion matrix to this PNG file')
  .option('--adapter <name>', 'part of the name of the adapter to use, or swiftshader or lavapipe')
  .option('--json', 'standard output carries one JSON object and nothing else')
  .action((words: EvaluateWords) => runCommand((signal) => evaluateCommand(words, signal)));

mien
  .command('profile')
  .description('Tells where the time of a training step goes, kernel by kernel, on random images.')
  .addOption(new Option('--model <name>', 'the network').choices(MODELS).makeOptionMandatory())
  .option('--batch-size <n>', 'images of a step (default: as on FER2013)', wholeNumber)
  .option('--out <folder>', 'write profile.json, trace.json (for chrome://tracing) and profile.png there')
  .option('--adapter <name>', 'part of the name of the adapter to use, or swiftshader or lavapipe')
  .option('--json', 'standard output carries one JSON object and nothing else')
  .action((words: ProfileWords) => runCommand(() => profileCommand(words)));

mien
  .command('tune')
  .description("Times the ways of doing a training step's operations on this adapter and keeps the fastest.")
  .addOption(new Option('--model <name>', 'the network whose step is tuned').choices(MODELS))
  .option('--batch-size <n>', 'images of a step (default: as on FER2013)', wholeNumber)
  .addOption(new Option('--list', 'print what is kept, for every adapter').conflicts(['model', 'delete']))
  .addOption(new Option('--delete', 'delete what is kept, for every adapter').conflicts('model'))
  .option('--adapter <name>', 'part of the name of the adapter to use, or swiftshader or lavapipe')
  .option('--json', 'standard output carries one JSON object and nothing else')
  .addHelpText(
    'after',
    `
What is kept is followed where MIEN_TUNE=on; mien train then tunes first what is not known yet.`,
  )
  .action((words: TuneWords) => runCommand((signal) => tuneCommand(words, signal)));

await mien.parseAsync();

async function trainCommand(words: TrainWords, signal: AbortSignal): Promise<void> {
  const { model, data, dataset, fold, seed, out, resume, from, checkpointEvery, stopAfter, adapter, json } = words;
  if (!model && !resume) mien.error(`error: train needs --model (${MODELS.join(', ')}) or --resume FOLDER`);
  const progress = new Progress();
  try {
    const run = await train({
      ...defined({ model, data, dataset, fold, seed, out, resume, from, checkpointEvery, stopAfter, adapter }),
      protocol: protocolOf(words),
      signal,
      onEvent: (event) => {
        progress.show(event);
        if (json && !['compiling', 'evaluating', 'reading', 'tuning'].includes(event.event)) write(event);
      },
    });
    progress.close();
    if (!json) process.stdout.write(reportRun(run.out, run.summary));
  } finally {
    progress.close();
  }
}

async function evaluateCommand(words: EvaluateWords, signal: AbortSignal): Promise<void> {
  const { weights, data, split, fold, testCrops, figure, adapter, json } = words;
  const progress = new Progress();
  try {
    const report = await evaluate({
      weights,
      ...defined({ data, split, fold, figure, adapter }),
      ...(testCrops ? { crops: testCrops === '1' ? 1 : 10 } : {}),
      signal,
      onEvent: (event) => progress.show(event),
    });
    progress.close();
    if (json) write(report);
    else process.stdout.write(reportEvaluation(report));
  } finally {
    progress.close();
  }
}

async function profileCommand({ json, ...words }: ProfileWords): Promise<void> {
  const report = await profileTraining(words);
  if (json) write(report);
  else process.stdout.write(reportProfile(report));
}

async function tuneCommand(words: TuneWords, signal: AbortSignal): Promise<void> {
  const { model, batchSize, list, delete: remove, adapter, json } = words;
  if (list) {
    const kept = await listTuned();
    if (json) write({ kept });
    else process.stdout.write(reportKept(kept));
    return;
  }
  if (remove) {
    const deleted = await deleteTuned();
    if (json) write({ deleted });
    else process.stdout.write(`deleted what was kept of ${deleted} operations and shapes\n`);
    return;
  }
  if (!model) mien.error(`error: tune needs --model (${MODELS.join(', ')}), --list or --delete`);
  const progress = new Progress();
  try {
    const onProgress = (done: number, total: number): void => progress.show({ event: 'tuning', done, total });
    const report = await tuneTraining({ model, ...defined({ batchSize, adapter }), signal, onProgress });
    progress.close();
    if (json) write(report);
    else process.stdout.write(reportTuning(report));
  } finally {
    progress.close();
  }
}

function protocolOf(words: TrainWords): Partial<Protocol> {
  const { epochs, batchSize, microBatch, lr, momentum, weightDecay, labelSmoothing, ema, testCrops } = words;
  return {
    ...defined({ epochs, batchSize, microBatch, learningRate: lr, momentum, weightDecay, labelSmoothing }),
    ...(ema === undefined ? {} : { ema: ema === 0 ? null : ema }),
    ...(testCrops ? { crops: testCrops === '1' ? 1 : 10 } : {}),
  };
}

/** The options that were given. */
function defined<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function write(object: object): void {
  process.stdout.write(`${JSON.stringify(object)}\n`);
}

function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('A number is expected.');
  return value;
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('A whole number is expected.');
  return Number(text);
}
