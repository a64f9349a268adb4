// `mien report`: a run as one HTML file.
import { relative } from 'node:path';
import { Command } from 'commander';
import { defined } from '../../cli/options.ts';
import { print } from '../../cli/output.ts';
import { Progress } from '../../cli/progress.ts';
import { runCommand } from '../../cli/runCommand.ts';
import { report as reportRun } from './report.ts';

interface Words {
  readonly data?: string;
  readonly out?: string;
  readonly adapter?: string;
}

/** `mien report`. */
export const report: Command = new Command('report')
  .description(
    'Writes one HTML file of a run that needs nothing else: figures with what they mean, curves, confusions, calibration, the hardest mistakes with their faces, settings, and the command that repeats it.',
  )
  .argument('<run>', 'a run folder')
  .option('--data <path>', 'where its data is now (default: where it was trained on)')
  .option('--out <file>', 'the HTML file (default: report.html in the run folder)')
  .option('--adapter <name>', 'part of the name of the adapter to use, or swiftshader or lavapipe')
  .action((run: string, { data, out, adapter }: Words) =>
    runCommand(async (signal) => {
      const progress = new Progress();
      try {
        const file = await reportRun({
          run,
          ...defined({ data, out, adapter }),
          signal,
          onEvent: (event) => progress.show(event),
        });
        progress.close();
        print(`written to ${relative(process.cwd(), file) || file}\n`);
      } finally {
        progress.close();
      }
    }),
  );
