// `mien evaluate`: a checkpoint on a split.
import { Command, Option } from 'commander';
import { evaluate as evaluateWeights } from '../run/evaluate.ts';
import { runCommand } from './ending.ts';
import { Progress } from './progress.ts';
import { reportEvaluation } from './results.ts';
import { defined, wholeNumber, write } from './words.ts';

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

/** `mien evaluate`. */
export const evaluate: Command = new Command('evaluate')
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
  .action((words: EvaluateWords) => runCommand((signal) => run(words, signal)));

async function run(words: EvaluateWords, signal: AbortSignal): Promise<void> {
  const { weights, data, split, fold, testCrops, figure, adapter, json } = words;
  const progress = new Progress();
  try {
    const report = await evaluateWeights({
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
