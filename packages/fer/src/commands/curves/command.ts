// `mien curves`.
import { type CommandDefinition, defineCommand } from '../../cli/defineCommand.ts';
import { text, withDefault } from '../../cli/options.ts';
import { checkPicture, writePicture } from '../../figures/picture.ts';
import { curves } from './curves.ts';

/** `mien curves`. */
export const curvesCommand: CommandDefinition = defineCommand({
  name: 'curves',
  summary: 'Draws the learning curve of a run, or compares the test curves of several runs.',
  argument: { flags: '<runs...>', summary: 'run folders' },
  options: { out: withDefault(text('<file>', 'an SVG or PNG file'), 'learning-curve.png') },
  json: null,
  run: async ({ argument, options: { out } }: { argument: readonly string[]; options: { readonly out: string } }) => {
    checkPicture(out);
    writePicture(out, curves(argument));
    return { text: `written to ${out}\n` };
  },
});
