// `mien tune`: the fastest way of every operation on this adapter.
import { deleteTuned, listTuned } from '@mien/tensor';
import { Command, Option } from 'commander';
import { defined, wholeNumber } from '../../cli/options.ts';
import { print, printJson } from '../../cli/output.ts';
import { Progress } from '../../cli/progress.ts';
import { runCommand } from '../../cli/runCommand.ts';
import { reportKept, reportTuning } from '../../cli/table.ts';
import { MODELS, type ModelName } from '../../training/config.ts';
import { tuneTraining } from './tune.ts';

interface TuneWords {
  readonly model?: ModelName;
  readonly batchSize?: number;
  readonly list?: boolean;
  readonly delete?: boolean;
  readonly adapter?: string;
  readonly json?: boolean;
}

/** `mien tune`. */
export const tune: Command = new Command('tune')
  .description("Times the ways of doing a training step's operations on this adapter and keeps the fastest.")
  .addOption(new Option('--model <name>', 'the network whose step is tuned').choices(MODELS))
  .option('--batch-size <n>', 'images of a step (default: as on FER2013)', wholeNumber)
  .addOption(new Option('--list', 'print what is kept, for every adapter').conflicts(['model', 'delete']))
  .addOption(new Option('--delete', 'delete what is kept, for every adapter').conflicts('model'))
  .option('--adapter <name>', 'part of the name of the adapter to use, or swiftshader or lavapipe')
  .option('--json', 'standard output carries one JSON object and nothing else')
  .addHelpText(
    'after',
    `
What is kept is followed where MIEN_TUNE=on; mien train then tunes first what is not known yet.`,
  )
  .action((words: TuneWords) => runCommand((signal) => run(words, signal)));

async function run(words: TuneWords, signal: AbortSignal): Promise<void> {
  const { model, batchSize, list, delete: remove, adapter, json } = words;
  if (list) {
    const kept = await listTuned();
    if (json) printJson({ kept });
    else print(reportKept(kept));
    return;
  }
  if (remove) {
    const deleted = await deleteTuned();
    if (json) printJson({ deleted });
    else print(`deleted what was kept of ${deleted} operations and shapes\n`);
    return;
  }
  if (!model) tune.error(`error: tune needs --model (${MODELS.join(', ')}), --list or --delete`);
  const progress = new Progress();
  try {
    const onProgress = (done: number, total: number): void => progress.show({ event: 'tuning', done, total });
    const report = await tuneTraining({ model, ...defined({ batchSize, adapter }), signal, onProgress });
    progress.close();
    if (json) printJson(report);
    else print(reportTuning(report));
  } finally {
    progress.close();
  }
}
