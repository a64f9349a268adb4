// `mien evaluate`.
import { type Call, type CommandDefinition, defineCommand, UsageError } from '../../cli/defineCommand.ts';
import { ADAPTER, choice, integer, type Option, type Options, parsed, text } from '../../cli/options.ts';
import { DATASETS, type DatasetName } from '../../datasets/catalog.ts';
import { FOLD_KINDS, type FoldKind } from '../../datasets/dataset.ts';
import { SPLIT_OPTIONS, splitHelp } from '../../datasets/splits.ts';
import { checkPicture } from '../../figures/picture.ts';
import { type EvaluateOptions, evaluate } from './evaluate.ts';
import type { EvaluationReport } from './report.ts';
import { evaluationText } from './text.ts';

/** The options that say which checkpoints are evaluated on which images. */
export const EVALUATED: {
  readonly weights: Option<readonly string[], false>;
  readonly dataset: Option<DatasetName, false>;
  readonly data: Option<string, false>;
  readonly split: Option<string, false>;
  readonly fold: Option<number, false>;
  readonly folds: Option<FoldKind, false>;
  readonly testCrops: Option<'1' | '10', false>;
  readonly adapter: Option<string, false>;
} = {
  weights: parsed<readonly string[]>(
    '<paths>',
    'a checkpoint, or a run folder (its last checkpoint); several, separated by commas or repeated, form an ensemble',
    (paths, before = []) => [...before, ...paths.split(',').filter((path) => path !== '')],
  ),
  dataset: choice(
    '<name>',
    DATASETS,
    'read the files as this data set, if layouts look alike; other files are refused',
  ),
  data: text('<path>', 'the files of the data set (default: those that the network was trained on)'),
  split: choice('<name>', SPLIT_OPTIONS, splitHelp()),
  fold: integer('<n>', 'the fold of CK+ (default: the one of the training)'),
  folds: choice('<kind>', FOLD_KINDS, 'the kind of CK+ folds (default: the one of the training)'),
  testCrops: choice('<n>', ['1', '10'], 'views per image (default: 10)'),
  adapter: ADAPTER,
};

/** Evaluates what the options of a call say. */
export function evaluateCall(
  { options, signal, onEvent }: Pick<Call<typeof EVALUATED & Options, unknown>, 'options' | 'signal' | 'onEvent'>,
  files: Pick<EvaluateOptions, 'figure' | 'predictions'>,
): Promise<EvaluationReport> {
  const { weights = [], testCrops, ...rest } = options;
  if (files.figure !== undefined) checkPicture(files.figure);
  const crops = testCrops === undefined ? {} : { crops: testCrops === '1' ? (1 as const) : (10 as const) };
  return evaluate({ weights, ...rest, ...crops, ...files, signal, onEvent });
}

/** `mien evaluate`. */
export const evaluateCommand: CommandDefinition = defineCommand({
  name: 'evaluate',
  summary:
    'Evaluates a checkpoint, or several as an ensemble: accuracy with its 95 % interval, with and without test images that also occur in the training set, scores per class, calibration, confusion matrix.',
  options: {
    ...EVALUATED,
    figure: text('<file>', 'write the confusion matrix to this SVG or PNG file'),
    predictions: text('<file>', 'write a CSV with one line per image: index, label, predicted, probabilities'),
  },
  json: 'print one JSON object on standard output, and nothing else; accuracies are fractions',
  examples: [
    ['mien evaluate --weights runs/small-fer2013 --dataset fer2013 --data fer2013.csv --split private'],
    ['mien evaluate --weights runs/small-fer2013/best.safetensors --split public --test-crops 1'],
    ['mien evaluate --weights runs/seed-1 --weights runs/seed-2 --split private', 'the mean of their probabilities'],
  ],
  notes: 'The temperature that calibrates the probabilities is fitted on PublicTest, never on the reported images.',
  run: async (call) => {
    const { figure, predictions, ...options } = call.options;
    if (!options.weights) throw new UsageError('evaluate needs --weights FILE, a checkpoint or a run folder');
    const files = { ...(figure ? { figure } : {}), ...(predictions ? { predictions } : {}) };
    const report = await evaluateCall({ ...call, options }, files);
    return { report, text: evaluationText(report) };
  },
});
