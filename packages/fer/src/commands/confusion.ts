// `mien confusion`: a confusion matrix as a picture.
import { Command, Option } from 'commander';
import { print } from '../cli/output.ts';
import { runCommand } from '../cli/runCommand.ts';
import type { Cells } from '../figures/confusionMatrix.ts';
import { type EvaluateWords, evaluateByWords, withEvaluateWords } from './evaluate/command.ts';
import { checkPicture, readEvaluation, writeConfusion } from './evaluate/confusions.ts';

interface Words extends EvaluateWords {
  readonly evaluation?: string;
  readonly show: Cells;
  readonly out: string;
}

/** `mien confusion`. */
export const confusion: Command = withEvaluateWords(new Command('confusion'))
  .description('Draws a confusion matrix, of a checkpoint that is evaluated for it or of a saved evaluation.')
  .option('--evaluation <file>', 'what mien evaluate --json wrote, in place of --weights')
  .addOption(
    new Option('--show <what>', "counts, percent of the row's images, or both")
      .choices(['counts', 'percent', 'both'])
      .default('both'),
  )
  .option('--out <file>', 'an SVG or PNG file', 'confusion-matrix.png')
  .addHelpText(
    'after',
    `
Examples:
  mien confusion --weights runs/small-fer2013 --split private --out private.svg
  mien evaluate --weights runs/small-fer2013 --json > evaluation.json
  mien confusion --evaluation evaluation.json --show percent`,
  )
  .action((words: Words) => runCommand((signal) => run(words, signal)));

async function run({ evaluation, show, out, ...words }: Words, signal: AbortSignal): Promise<void> {
  if ((evaluation === undefined) === (words.weights === undefined)) {
    confusion.error('error: confusion needs --weights FILE or --evaluation FILE, one of them');
  }
  checkPicture(out);
  const report = evaluation === undefined ? await evaluateByWords(words, {}, signal) : readEvaluation(evaluation);
  writeConfusion(out, report, show);
  print(`written to ${out}\n`);
}
