// `mien export`: a run's network alone, in half the bytes or for PyTorch.
import { Command, Option } from 'commander';
import { defined } from '../../cli/options.ts';
import { print, printJson } from '../../cli/output.ts';
import { Progress } from '../../cli/progress.ts';
import { runCommand } from '../../cli/runCommand.ts';
import { percent } from '../../metrics.ts';
import { reportExport } from '../import/text.ts';
import { type ExportReport, exportWeights } from './export.ts';
import { exportPytorch } from './pytorch.ts';

interface ExportWords {
  readonly to: 'safetensors' | 'pytorch';
  readonly out?: string;
  readonly data?: string;
  readonly adapter?: string;
  readonly json?: boolean;
}

/** `mien export`. */
export const exportCommand: Command = new Command('export')
  .description(
    'Writes the network of a run alone, averaged weights where it keeps them: to give away or to use elsewhere.',
  )
  .argument('<weights>', 'a checkpoint, or a run folder whose last one is meant')
  .addOption(
    new Option('--to <format>', "safetensors: float16, for mien; pytorch: for torch.load, in the reference's form")
      .choices(['safetensors', 'pytorch'])
      .default('safetensors'),
  )
  .option('--out <file>', 'the file to write (default: beside the first, with another ending)')
  .option('--data <path>', 'FER2013: temperature and margin are fitted on its PublicTest, PrivateTest is evaluated')
  .option('--adapter <name>', 'part of the name of the adapter to use, or swiftshader or lavapipe')
  .option('--json', 'standard output carries one JSON object and nothing else')
  .action((weights: string, words: ExportWords) => runCommand((signal) => run(weights, words, signal)));

async function run(weights: string, words: ExportWords, signal: AbortSignal): Promise<void> {
  const { to, out, data, adapter, json } = words;
  if (to === 'pytorch') {
    const report = await exportPytorch({ weights, ...defined({ out }) });
    return json ? printJson(report) : print(reportExport(report));
  }
  const progress = new Progress();
  try {
    const onEvent = progress.show.bind(progress);
    const report = await exportWeights({ weights, ...defined({ out, data, adapter }), signal, onEvent });
    progress.close();
    if (json) printJson(report);
    else print(lines(report));
  } finally {
    progress.close();
  }
}

function lines({ out, bytes, figures }: ExportReport): string {
  const written = `written to ${out}: ${(bytes / 1000).toFixed(0)} kB of float16\n`;
  if (!figures) return written;
  const { privateAccuracy, privateImages, temperature, margin } = figures;
  return `PrivateTest accuracy ${percent(Math.round(privateAccuracy * privateImages), privateImages)}, ten-crop, ${privateImages} images
logits over ${temperature}; unsure below a margin of ${margin}
${written}`;
}
