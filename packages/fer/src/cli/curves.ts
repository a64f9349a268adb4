// `mien curves`: learning curves of runs, as a picture.
import { Command } from 'commander';
import { curves as draw } from '../run/curves.ts';
import { checkPicture, writePicture } from '../run/figures.ts';
import { runCommand } from './ending.ts';
import { print } from './output.ts';

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
