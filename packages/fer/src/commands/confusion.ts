// `mien confusion`: a confusion matrix as a figure.
import { type CommandDefinition, defineCommand, UsageError } from '../cli/defineCommand.ts';
import { choice, text, withDefault } from '../cli/options.ts';
import type { Cells } from '../figures/confusionMatrix.ts';
import { checkPicture } from '../figures/picture.ts';
import { EVALUATED, evaluateCall } from './evaluate/command.ts';
import { readEvaluation, writeConfusion } from './evaluate/confusions.ts';

/** `mien confusion`. */
export const confusionCommand: CommandDefinition = defineCommand({
  name: 'confusion',
  summary: 'Draws the confusion matrix of a checkpoint, which it evaluates, or of a saved evaluation.',
  options: {
    ...EVALUATED,
    evaluation: text('<file>', 'the output of mien evaluate --json, instead of --weights'),
    show: withDefault(
      choice<Cells>('<cells>', ['counts', 'percent', 'both'], "counts, percent of the row's images, or both"),
      'both',
    ),
    out: withDefault(text('<file>', 'an SVG or PNG file'), 'confusion-matrix.png'),
  },
  json: null,
  examples: [
    ['mien confusion --weights runs/small-fer2013 --split private --out private.svg'],
    ['mien evaluate --weights runs/small-fer2013 --json > evaluation.json'],
    ['mien confusion --evaluation evaluation.json --show percent'],
  ],
  run: async (call) => {
    const { evaluation, show, out, ...options } = call.options;
    if ((evaluation === undefined) === (options.weights === undefined)) {
      throw new UsageError('confusion needs either --weights FILE or --evaluation FILE');
    }
    checkPicture(out);
    const report = evaluation === undefined ? await evaluateCall({ ...call, options }, {}) : readEvaluation(evaluation);
    writeConfusion(out, report, show);
    return { text: `written to ${out}\n` };
  },
});
