// `mien evaluate`: checkpoints on a split.
import { Command, Option } from 'commander';
import { defined, wholeNumber } from '../../cli/options.ts';
import { print, printJson } from '../../cli/output.ts';
import { Progress } from '../../cli/progress.ts';
import { runCommand } from '../../cli/runCommand.ts';
import { FOLD_KINDS, type FoldKind } from '../../datasets/ckplus.ts';
import { DATASETS, type DatasetName } from '../../training/config.ts';
import { checkPicture } from './confusions.ts';
import { type EvaluateOptions, type EvaluationReport, evaluate as evaluateWeights } from './evaluate.ts';
import { reportEvaluation } from './text.ts';

/** The words that say what is evaluated on what. */
export interface EvaluateWords {
  readonly weights: readonly string[];
  readonly dataset?: DatasetName;
  readonly data?: string;
  readonly split?: 'training' | 'public' | 'private' | 'test';
  readonly fold?: number;
  readonly folds?: FoldKind;
  readonly testCrops?: '1' | '10';
  readonly adapter?: string;
}

/** Gives a command the options of `EvaluateWords`. */
export function withEvaluateWords(command: Command): Command {
  return command
    .option(
      '--weights <paths>',
      'a checkpoint, or a run folder whose last one is meant; several, by commas or by repeating, make an ensemble',
      (text: string, before: readonly string[] = []) => [...before, ...text.split(',').filter((path) => path !== '')],
    )
    .addOption(new Option('--dataset <name>', 'what the data is to be').choices(DATASETS))
    .option(
      '--data <path>',
      'a fer2013.csv, an HDF5 file, a CK+48 folder, or a folder of images (default: what the network was trained on)',
    )
    .addOption(
      new Option('--split <name>', 'of FER2013 training, public or private; of CK+ training or test').choices([
        'training',
        'public',
        'private',
        'test',
      ]),
    )
    .option('--fold <n>', 'the fold of CK+ (default: the one that was trained)', wholeNumber)
    .addOption(new Option('--folds <kind>', 'how CK+ is cut into folds (default: as trained)').choices(FOLD_KINDS))
    .addOption(new Option('--test-crops <n>', 'views of an image (default: 10)').choices(['1', '10']))
    .option('--adapter <name>', 'part of the name of the adapter to use, or swiftshader or lavapipe');
}

/** Evaluates what the words say, with a bar. */
export async function evaluateByWords(
  words: EvaluateWords,
  files: Pick<EvaluateOptions, 'figure' | 'predictions'>,
  signal: AbortSignal,
): Promise<EvaluationReport> {
  const { weights, data, dataset, split, fold, folds, testCrops, adapter } = words;
  if (files.figure !== undefined) checkPicture(files.figure);
  const progress = new Progress();
  try {
    return await evaluateWeights({
      weights,
      ...files,
      ...defined({ data, dataset, split, fold, folds, adapter }),
      ...(testCrops ? { crops: testCrops === '1' ? 1 : 10 } : {}),
      signal,
      onEvent: (event) => progress.show(event),
    });
  } finally {
    progress.close();
  }
}

interface Words extends EvaluateWords {
  readonly figure?: string;
  readonly predictions?: string;
  readonly json?: boolean;
}

/** `mien evaluate`. */
export const evaluate: Command = withEvaluateWords(new Command('evaluate'))
  .description(
    'Evaluates a checkpoint, or several as an ensemble: accuracy with its 95 % interval, with and without the images that training knew, scores of each class, calibration, confusions.',
  )
  .option('--figure <file>', 'write the confusion matrix to this SVG or PNG file')
  .option('--predictions <file>', 'write a CSV with a line an image: index, label, predicted, probabilities')
  .option('--json', 'standard output carries one JSON object and nothing else; shares are fractions')
  .addHelpText(
    'after',
    `
Examples:
  mien evaluate --weights runs/small-fer2013 --dataset fer2013 --data fer2013.csv --split private
  mien evaluate --weights runs/small-fer2013/best.safetensors --split public --test-crops 1
  mien evaluate --weights runs/seed-1 --weights runs/seed-2 --split private    the mean of their probabilities

A temperature that calibrates the probabilities is fitted on PublicTest, never on the images reported.`,
  )
  .action((words: Words) => runCommand((signal) => run(words, signal)));

async function run({ figure, predictions, json, ...words }: Words, signal: AbortSignal): Promise<void> {
  if (!words.weights) evaluate.error('error: evaluate needs --weights FILE, a checkpoint or a run folder');
  const report = await evaluateByWords(words, defined({ figure, predictions }), signal);
  if (json) printJson(report);
  else print(reportEvaluation(report));
}
