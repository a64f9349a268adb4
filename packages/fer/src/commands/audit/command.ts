// `mien audit`: what is wrong with a data set.
import { Command } from 'commander';
import { reportAudit } from '../../cli/counts.ts';
import { defined } from '../../cli/options.ts';
import { print, printJson } from '../../cli/output.ts';
import { Progress } from '../../cli/progress.ts';
import { runCommand } from '../../cli/runCommand.ts';
import { audit as auditData } from './audit.ts';

interface AuditWords {
  readonly ferplus?: string;
  readonly figure?: string;
  readonly json?: boolean;
}

/** `mien audit`. */
export const audit: Command = new Command('audit')
  .description('Looks for identical and near-identical images, conflicting labels, empty images and leaks of folds.')
  .argument('<path>', 'a fer2013.csv, an HDF5 file, a CK+48 folder, or a folder of train and test images')
  .option('--ferplus <file>', 'a fer2013new.csv, to count what FER+ calls "not a face"')
  .option('--figure <file>', 'write the pairs that were found to this PNG file')
  .option('--json', 'standard output carries one JSON object and nothing else')
  .addHelpText(
    'after',
    `
Near-identical: the pixels of two images correlate by 0.98 or more, whatever their brightness and contrast.`,
  )
  .action((path: string, words: AuditWords) => runCommand((signal) => run(path, words, signal)));

async function run(data: string, { ferplus, figure, json }: AuditWords, signal: AbortSignal): Promise<void> {
  const progress = new Progress();
  try {
    const report = await auditData({
      data,
      ...defined({ ferplus, figure }),
      signal,
      onEvent: (event) => progress.show(event),
    });
    progress.close();
    if (json) printJson(report);
    else print(reportAudit(report));
  } finally {
    progress.close();
  }
}
