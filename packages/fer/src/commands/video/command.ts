// `mien video`: expressions over time.
import { basename, extname, relative } from 'node:path';
import { Command } from 'commander';
import { defined, number, type ReaderWords, withReaderWords } from '../../cli/options.ts';
import { print, printError, printJson } from '../../cli/output.ts';
import { Progress } from '../../cli/progress.ts';
import { runCommand } from '../../cli/runCommand.ts';
import { Unread } from '../predict/command.ts';
import { percentage } from '../predict/figure.ts';
import { video as readVideo, type VideoReport } from './video.ts';

interface VideoWords extends ReaderWords {
  readonly rate?: number;
  readonly smooth?: number;
  readonly out?: string;
  readonly json?: boolean;
}

/** `mien video`. */
export const video: Command = withReaderWords(new Command('video'), 'each frame')
  .description('Reads the expressions of the faces in a video over time, into a table and a timeline.')
  .argument('<path>', 'an animated GIF or WebP, a folder of frames, or with ffmpeg installed any video file')
  .option('--rate <n>', 'frames a second: of a folder (default: 25), or read of a video file (default: 10)', number)
  .option('--smooth <seconds>', 'how far probabilities are smoothed over time, 0 for not (default: 0.3)', number)
  .option('--out <folder>', 'for scores.csv, scores.json, timeline.png (default: <name>-expressions, none with --json)')
  .option('--json', 'standard output carries one JSON object and nothing else')
  .action((path: string, words: VideoWords) => runCommand((signal) => run(path, words, signal)));

async function run(path: string, words: VideoWords, signal: AbortSignal): Promise<void> {
  const { weights, rate, smooth: smoothing, detect, adapter, json } = words;
  const out = words.out ?? (json ? undefined : `${basename(path, extname(path))}-expressions`);
  const progress = new Progress();
  let spoke = performance.now();
  const onFrame = (done: number, count: number | null): void => {
    if (performance.now() - spoke < 5000) return;
    spoke = performance.now();
    progress.say(`frame ${done}${count === null ? '' : ` of ${count}`}`);
  };
  const report = await readVideo(path, {
    weights,
    detect,
    ...defined({ rate, smoothing, out, adapter }),
    signal,
    onFrame,
  });
  if (json) printJson(report);
  else print(`${lines(report).join('\n')}\nwritten to ${relative(process.cwd(), out ?? '.') || '.'}\n`);
  for (const error of report.errors) printError(`mien: ${error}`);
  if (report.errors.length > 0)
    throw new Unread(`${report.errors.length} of ${report.frames} frames could not be read`);
}

/** A line a face: when it is in sight, and what share of its frames each expression has. */
function lines({ faces, frames, seconds }: VideoReport): string[] {
  const found = faces.map(({ face, moments }) => {
    const counts = new Map<string, number>();
    for (const { expression, unsure } of moments) {
      const name = unsure ? 'unsure' : expression;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const shares = [...counts].sort(([, a], [, b]) => b - a);
    const words = shares.map(([name, n]) => `${name} ${percentage(n / moments.length)}`);
    const [from, to] = [moments[0]?.seconds ?? 0, moments.at(-1)?.seconds ?? 0];
    return `face ${face}, ${from.toFixed(2)} to ${to.toFixed(2)} s: ${words.join(', ')} of ${moments.length} frames`;
  });
  return [
    `${frames} frames, ${seconds.toFixed(2)} s, ${['no face', '1 face'][faces.length] ?? `${faces.length} faces`}`,
    ...found,
  ];
}
