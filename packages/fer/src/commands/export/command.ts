// `mien export`.
import { type CommandDefinition, defineCommand } from '../../cli/defineCommand.ts';
import { ADAPTER, choice, text, withDefault } from '../../cli/options.ts';
import { percent } from '../../metrics.ts';
import { valueLines } from '../import/text.ts';
import { type ExportReport, exportWeights } from './export.ts';
import { exportPytorch, type PytorchExportReport } from './pytorch.ts';

/** `mien export`. */
export const exportCommand: CommandDefinition = defineCommand({
  name: 'export',
  summary: 'Writes the network of a run without its training state, with averaged weights where the run has them.',
  argument: { flags: '<weights>', summary: 'a checkpoint, or a run folder (its last checkpoint)' },
  options: {
    to: withDefault(
      choice(
        '<format>',
        ['safetensors', 'pytorch'],
        "safetensors: float16, for mien; pytorch: for torch.load, in the reference's layout",
      ),
      'safetensors',
    ),
    out: text('<file>', 'the file to write (default: the same name with another extension)'),
    data: text('<path>', 'FER2013: fits temperature and margin on PublicTest, and evaluates PrivateTest'),
    adapter: ADAPTER,
  },
  run: async ({ argument: weights, options: { to, ...options }, signal, onEvent }) => {
    if (to === 'pytorch') {
      const report = await exportPytorch({ weights, ...options });
      return { report, text: pytorchText(report) };
    }
    const report = await exportWeights({ weights, ...options, signal, onEvent });
    return { report, text: exportText(report) };
  },
});

function exportText({ out, bytes, figures }: ExportReport): string {
  const written = `written to ${out}: ${(bytes / 1000).toFixed(0)} kB in float16\n`;
  if (!figures) return written;
  const { privateAccuracy, privateImages, temperature, margin } = figures;
  return `PrivateTest accuracy ${percent(Math.round(privateAccuracy * privateImages), privateImages)}, ten-crop, ${privateImages} images
temperature ${temperature}; unsure below a margin of ${margin}
${written}`;
}

/** What was written, and the line of Python that reads it. */
function pytorchText({ file, model, tensors, averaged, values, out }: PytorchExportReport): string {
  return [
    `${file}: ${model}, ${tensors} tensors${averaged ? ', the averaged weights' : ''}`,
    ...valueLines(values),
    `written to ${out}; in Python: net.load_state_dict(torch.load('${out}', weights_only=True)['net'])`,
    '',
  ].join('\n');
}
