// `mien explain`: where the network looks in a photo's faces.
import { basename, extname } from 'node:path';
import { Command } from 'commander';
import { percentage } from '../figures/prediction.ts';
import { explain as explainPhoto } from '../run/explain.ts';
import { runCommand } from './ending.ts';
import { defined, write } from './words.ts';

interface ExplainWords {
  readonly weights: string;
  readonly class?: string;
  readonly detect: boolean;
  readonly out?: string;
  readonly adapter?: string;
  readonly json?: boolean;
}

/** `mien explain`. */
export const explain: Command = new Command('explain')
  .description('Shows which places of the faces in a photo speak for an expression: Grad-CAM.')
  .argument('<photo>', 'a file')
  .requiredOption('--weights <path>', 'a checkpoint, or a run folder whose last one is meant')
  .option('--class <name>', "the expression to explain (default: each face's own)")
  .option('--no-detect', 'take the photo as one face, whole')
  .option('--out <file>', 'the PNG file of the picture (default: <photo>-explained.png here, none with --json)')
  .option('--adapter <name>', 'part of the name of the adapter to use, or swiftshader or lavapipe')
  .option('--json', 'standard output carries one JSON object, with the maps, and nothing else')
  .action((photo: string, words: ExplainWords) => runCommand(() => run(photo, words)));

async function run(photo: string, words: ExplainWords): Promise<void> {
  const { weights, class: expression, detect, adapter, json } = words;
  const out = words.out ?? (json ? undefined : `${basename(photo, extname(photo))}-explained.png`);
  const report = await explainPhoto(photo, { weights, detect, ...defined({ expression, out, adapter }) });
  if (json) {
    write(report);
    return;
  }
  if (report.faces.length === 0) process.stdout.write(`${photo}: no face\n`);
  for (const { explained, probabilities, peak } of report.faces) {
    const share = percentage(probabilities[explained] as number);
    process.stdout.write(`${photo}: ${explained}, ${share}${peak > 0 ? '' : '; nothing speaks for it'}\n`);
  }
  process.stdout.write(`written to ${out}\n`);
}
