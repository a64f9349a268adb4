// `mien report`.
import { relative } from 'node:path';
import { type CommandDefinition, defineCommand } from '../../cli/defineCommand.ts';
import { ADAPTER, text } from '../../cli/options.ts';
import { report } from './report.ts';

/** `mien report`. */
export const reportCommand: CommandDefinition = defineCommand({
  name: 'report',
  summary:
    'Writes a run as one self-contained HTML file: figures and what they mean, curves, confusion matrix, calibration, the hardest mistakes with their faces, settings, and the command that repeats the run.',
  argument: { flags: '<run>', summary: 'a run folder' },
  options: {
    data: text('<path>', 'the files of the data set (default: those that the run was trained on)'),
    out: text('<file>', 'the HTML file (default: report.html in the run folder)'),
    adapter: ADAPTER,
  },
  json: null,
  run: async ({ argument, options, signal, onEvent }) => {
    const file = await report({ run: argument, ...options, signal, onEvent });
    return { text: `written to ${relative(process.cwd(), file) || file}\n` };
  },
});
