// `mien explain`.
import { basename, extname } from 'node:path';
import { type CommandDefinition, defineCommand } from '../../cli/defineCommand.ts';
import { readerOptions, text } from '../../cli/options.ts';
import { share } from '../../runs/accuracy.ts';
import { type ExplainReport, explain } from './explain.ts';

/** `mien explain`. */
export const explainCommand: CommandDefinition = defineCommand({
  name: 'explain',
  summary: 'Shows which parts of the faces in a photo are evidence for an expression (Grad-CAM).',
  argument: { flags: '<photo>', summary: 'an image file' },
  options: {
    ...readerOptions('the photo'),
    class: text('<name>', "the expression to explain (default: each face's prediction)"),
    out: text('<file>', 'the PNG file of the figure (default: <photo>-explained.png here, none with --json)'),
  },
  json: 'print one JSON object with the maps on standard output, and nothing else',
  run: async ({ argument: photo, options, json }) => {
    const { class: expression, ...rest } = options;
    const out = options.out ?? (json ? undefined : `${basename(photo, extname(photo))}-explained.png`);
    const report = await explain(photo, {
      ...rest,
      ...(expression === undefined ? {} : { expression }),
      ...(out === undefined ? {} : { out }),
    });
    return { report, text: `${explainText(photo, report)}written to ${out}\n` };
  },
});

function explainText(photo: string, { faces }: ExplainReport): string {
  if (faces.length === 0) return `${photo}: no face\n`;
  const lines = faces.map(({ explained, probabilities, peak }) => {
    const probability = share(probabilities[explained] as number);
    return `${photo}: ${explained}, ${probability}${peak > 0 ? '' : '; no evidence for it'}\n`;
  });
  return lines.join('');
}
