// `mien curves`: learning curves of runs, as a picture.
import { Command } from 'commander';
import { print } from '../../cli/output.ts';
import { runCommand } from '../../cli/runCommand.ts';
import { checkPicture, writePicture } from '../evaluate/confusions.ts';
import { curves as draw } from './curves.ts';

/** `mien curves`. */
export const curves: Command = new Command('curves')
  .description('Draws the learning curve of a run, or compares the test curves of several.')
  .argument('<runs...>', 'run folders')
  .option('--out <file>', 'an SVG or PNG file', 'learning-curve.png')
  .action((runs: string[], { out }: { readonly out: string }) =>
    runCommand(async () => {
      checkPicture(out);
      writePicture(out, draw(runs));
      print(`written to ${out}\n`);
    }),
  );
