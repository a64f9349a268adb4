// `mien export`: a run's network alone, in half the bytes.
import { Command } from 'commander';
import { exportWeights as exportRun } from '../run/export.ts';
import { share } from '../run/shares.ts';
import { runCommand } from './ending.ts';
import { Progress } from './progress.ts';
import { defined, write } from './words.ts';

interface ExportWords {
  readonly weights: string;
  readonly out: string;
  readonly data?: string;
  readonly adapter?: string;
  readonly json?: boolean;
}

/** `mien export`. */
export const exportWeights: Command = new Command('export')
  .description('Writes the network of a run alone, averaged weights in float16: to give away, not to go on training.')
  .requiredOption('--weights <path>', 'a checkpoint, or a run folder whose last one is meant')
  .requiredOption('--out <file>', 'the safetensors file to write')
  .option('--data <path>', 'FER2013: temperature and margin are fitted on its PublicTest, PrivateTest is evaluated')
  .option('--adapter <name>', 'part of the name of the adapter to use, or swiftshader or lavapipe')
  .option('--json', 'standard output carries one JSON object and nothing else')
  .action((words: ExportWords) => runCommand((signal) => run(words, signal)));

async function run({ weights, out, data, adapter, json }: ExportWords, signal: AbortSignal): Promise<void> {
  const progress = new Progress();
  try {
    const onEvent = progress.show.bind(progress);
    const report = await exportRun({ weights, out, ...defined({ data, adapter }), signal, onEvent });
    progress.close();
    if (json) return write(report);
    const { figures, bytes } = report;
    process.stdout.write(`${out}: ${(bytes / 1000).toFixed(0)} kB of float16\n`);
    if (!figures) return;
    const { privateAccuracy, privateImages, temperature, margin } = figures;
    process.stdout.write(
      `PrivateTest accuracy ${share(privateAccuracy)} of ${privateImages} images, ten-crop; temperature ${temperature}, unsure below a margin of ${margin}\n`,
    );
  } finally {
    progress.close();
  }
}
