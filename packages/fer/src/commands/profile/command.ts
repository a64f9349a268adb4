// `mien profile`: where the time of a training step goes.
import { Command, Option } from 'commander';
import { wholeNumber } from '../../cli/options.ts';
import { print, printJson } from '../../cli/output.ts';
import { runCommand } from '../../cli/runCommand.ts';
import { reportProfile } from '../../cli/table.ts';
import { MODELS, type ModelName } from '../../training/config.ts';
import { profileTraining } from './profile.ts';

interface ProfileWords {
  readonly model: ModelName;
  readonly batchSize?: number;
  readonly out?: string;
  readonly adapter?: string;
  readonly json?: boolean;
}

/** `mien profile`. */
export const profile: Command = new Command('profile')
  .description('Tells where the time of a training step goes, kernel by kernel, on random images.')
  .addOption(new Option('--model <name>', 'the network').choices(MODELS).makeOptionMandatory())
  .option('--batch-size <n>', 'images of a step (default: as on FER2013)', wholeNumber)
  .option('--out <folder>', 'write profile.json, trace.json (for chrome://tracing) and profile.png there')
  .option('--adapter <name>', 'part of the name of the adapter to use, or swiftshader or lavapipe')
  .option('--json', 'standard output carries one JSON object and nothing else')
  .action((words: ProfileWords) => runCommand(() => run(words)));

async function run({ json, ...words }: ProfileWords): Promise<void> {
  const report = await profileTraining(words);
  if (json) printJson(report);
  else print(reportProfile(report));
}
