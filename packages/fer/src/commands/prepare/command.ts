// `mien prepare`: a data set as the reference's HDF5 file.
import { Command } from 'commander';
import { reportPrepared } from '../../cli/counts.ts';
import { defined } from '../../cli/options.ts';
import { print, printJson } from '../../cli/output.ts';
import { Progress } from '../../cli/progress.ts';
import { runCommand } from '../../cli/runCommand.ts';
import { prepare as prepareData } from './prepare.ts';

interface PrepareWords {
  readonly out?: string;
  readonly ferplus?: string;
  readonly facesOnly?: boolean;
  readonly json?: boolean;
}

const fer2013: Command = new Command('fer2013')
  .description('FER2013 as data.h5: Training_pixel, Training_label, PublicTest_*, PrivateTest_*.')
  .argument('<path>', 'a fer2013.csv, an HDF5 file, or a folder of train and test images')
  .option('--out <file>', 'the file to write (default: data.h5)')
  .option('--ferplus <file>', 'a fer2013new.csv: writes its votes too, as Training_votes and so on')
  .option('--faces-only', 'leave out what FER+ calls "not a face"; needs --ferplus')
  .option('--json', 'standard output carries one JSON object and nothing else')
  .action((path: string, words: PrepareWords) => runCommand((signal) => run('fer2013', path, words, signal)));

const ckPlus: Command = new Command('ck+')
  .description('CK+ as CK_data.h5: data_pixel, data_label, classes in label order and files by name.')
  .argument('<path>', 'a CK+48 folder, or an HDF5 file')
  .option('--out <file>', 'the file to write (default: CK_data.h5)')
  .option('--json', 'standard output carries one JSON object and nothing else')
  .action((path: string, words: PrepareWords) => runCommand((signal) => run('ck+', path, words, signal)));

/** `mien prepare`. */
export const prepare: Command = new Command('prepare')
  .description("Writes a data set as the reference's HDF5 file and counts its images by split and class.")
  .addCommand(fer2013)
  .addCommand(ckPlus)
  .addHelpText(
    'after',
    `
Examples:
  mien prepare fer2013 fer2013.csv --out data.h5
  mien prepare fer2013 fer2013.csv --ferplus fer2013new.csv --faces-only
  mien prepare ck+ CK+48`,
  );

async function run(dataset: 'fer2013' | 'ck+', data: string, words: PrepareWords, signal: AbortSignal): Promise<void> {
  const { out, ferplus, facesOnly, json } = words;
  const progress = new Progress();
  try {
    const report = await prepareData({
      dataset,
      data,
      ...defined({ out, ferplus, facesOnly }),
      signal,
      onEvent: (event) => progress.show(event),
    });
    progress.close();
    if (json) printJson(report);
    else print(reportPrepared(report));
  } finally {
    progress.close();
  }
}
