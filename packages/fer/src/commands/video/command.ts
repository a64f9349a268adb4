// `mien video`.
import { basename, extname, relative } from 'node:path';
import { type CommandDefinition, defineCommand } from '../../cli/defineCommand.ts';
import { number, readerOptions, text } from '../../cli/options.ts';
import { share } from '../../runs/accuracy.ts';
import type { VideoFace, VideoReport } from './report.ts';
import { video } from './video.ts';

/** `mien video`. */
export const videoCommand: CommandDefinition = defineCommand({
  name: 'video',
  summary: 'Predicts the expressions of the faces in a video over time; writes a table and a timeline.',
  argument: {
    flags: '<path>',
    summary: 'an animated GIF or WebP, a folder of frames, or any video file if ffmpeg is installed',
  },
  options: {
    ...readerOptions('each frame'),
    rate: number('<n>', 'frames per second: of a folder (default: 25), or sampled from a video file (default: 10)'),
    smooth: number('<seconds>', 'standard deviation of the smoothing over time, 0 for none (default: 0.3)'),
    out: text(
      '<folder>',
      'for scores.csv, scores.json and timeline.png (default: <name>-expressions, none with --json)',
    ),
  },
  run: async ({ argument: path, options, json, signal, onEvent }) => {
    const { smooth: smoothing, ...rest } = options;
    const out = options.out ?? (json ? undefined : `${basename(path, extname(path))}-expressions`);
    const report = await video(path, {
      ...rest,
      ...(smoothing === undefined ? {} : { smoothing }),
      ...(out === undefined ? {} : { out }),
      signal,
      onFrame: (done, total) => onEvent({ event: 'frame', done, total }),
    });
    const text = `${videoText(report)}\nwritten to ${relative(process.cwd(), out ?? '.') || '.'}\n`;
    if (report.errors.length === 0) return { report, text };
    const failures = [...report.errors, `cannot read ${report.errors.length} of ${report.frames} frames`];
    return { report, text, failures };
  },
});

function videoText({ faces, frames, seconds }: VideoReport): string {
  const count = ['no face', '1 face'][faces.length] ?? `${faces.length} faces`;
  return [`${frames} frames, ${seconds.toFixed(2)} s, ${count}`, ...faces.map(faceText)].join('\n');
}

/** When a face is visible, and the share of its frames with each expression. */
function faceText({ face, moments }: VideoFace): string {
  const counts = new Map<string, number>();
  for (const { expression, unsure } of moments) {
    const name = unsure ? 'unsure' : expression;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const shares = [...counts].sort(([, a], [, b]) => b - a).map(([name, n]) => `${name} ${share(n / moments.length)}`);
  const [from, to] = [moments[0]?.seconds ?? 0, moments.at(-1)?.seconds ?? 0];
  return `face ${face}, ${from.toFixed(2)} to ${to.toFixed(2)} s: ${shares.join(', ')} of ${moments.length} frames`;
}
