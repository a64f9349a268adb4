// `mien explain`: where the network looks in a photo's faces.
import { basename, extname } from 'node:path';
import { Command } from 'commander';
import { defined, type ReaderWords, withReaderWords } from '../../cli/options.ts';
import { print, printJson } from '../../cli/output.ts';
import { runCommand } from '../../cli/runCommand.ts';
import { percentage } from '../predict/figure.ts';
import { explain as explainPhoto } from './explain.ts';

interface ExplainWords extends ReaderWords {
  readonly class?: string;
  readonly out?: string;
  readonly json?: boolean;
}

/** `mien explain`. */
export const explain: Command = withReaderWords(new Command('explain'), 'the photo')
  .description('Shows which places of the faces in a photo speak for an expression: Grad-CAM.')
  .argument('<photo>', 'a file')
  .option('--class <name>', "the expression to explain (default: each face's own)")
  .option('--out <file>', 'the PNG file of the picture (default: <photo>-explained.png here, none with --json)')
  .option('--json', 'standard output carries one JSON object, with the maps, and nothing else')
  .action((photo: string, words: ExplainWords) => runCommand(() => run(photo, words)));

async function run(photo: string, words: ExplainWords): Promise<void> {
  const { weights, class: expression, detect, adapter, json } = words;
  const out = words.out ?? (json ? undefined : `${basename(photo, extname(photo))}-explained.png`);
  const report = await explainPhoto(photo, { weights, detect, ...defined({ expression, out, adapter }) });
  if (json) {
    printJson(report);
    return;
  }
  if (report.faces.length === 0) print(`${photo}: no face\n`);
  for (const { explained, probabilities, peak } of report.faces) {
    const share = percentage(probabilities[explained] as number);
    print(`${photo}: ${explained}, ${share}${peak > 0 ? '' : '; nothing speaks for it'}\n`);
  }
  print(`written to ${out}\n`);
}
