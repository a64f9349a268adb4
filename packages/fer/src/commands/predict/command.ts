// `mien predict`: the expressions of the faces in photos.
import { MienError } from '@mien/tensor';
import { Command } from 'commander';
import { defined, type ReaderWords, withReaderWords } from '../../cli/options.ts';
import { print, printError, printJson } from '../../cli/output.ts';
import { runCommand } from '../../cli/runCommand.ts';
import { percentage } from './figure.ts';
import { type PhotoFace, type PhotoReport, predict as predictPhotos } from './predict.ts';

interface PredictWords extends ReaderWords {
  readonly out?: string;
  readonly json?: boolean;
}

/** `mien predict`. */
export const predict: Command = withReaderWords(new Command('predict'), 'each photo')
  .description('Reads the expressions of the faces in photos (JPEG, PNG, WebP, GIF, TIFF, AVIF).')
  .argument('<photo...>', 'files of photos')
  .option('--out <folder>', 'write a picture of each photo there: faces, what the network saw, scores')
  .option('--json', 'standard output carries one JSON object and nothing else')
  .action((photos: string[], words: PredictWords) => runCommand((signal) => run(photos, words, signal)));

async function run(photos: readonly string[], words: PredictWords, signal: AbortSignal): Promise<void> {
  const { weights, detect, out, adapter, json } = words;
  const onPhoto = (report: PhotoReport): void => {
    if (report.error !== undefined) {
      if (photos.length > 1) printError(`mien: ${report.error}`);
    } else if (!json) print(lines(report));
  };
  const report = await predictPhotos(photos, { weights, detect, ...defined({ out, adapter }), signal, onPhoto });
  if (json) printJson(report);
  const failed = report.photos.flatMap(({ error }) => error ?? []);
  if (failed.length === 0) return;
  throw new Unread(
    photos.length === 1 ? (failed[0] as string) : `${failed.length} of ${photos.length} photos could not be read`,
  );
}

/** Some of what was given could not be read; the rest was. */
export class Unread extends MienError {}

/** A line a face. */
function lines({ photo, faces = [] }: PhotoReport): string {
  if (faces.length === 0) return `${photo}: no face\n`;
  return faces.map((face) => `${photo}: ${describe(face)}\n`).join('');
}

function describe({ expression, probability, unsure, probabilities, box, score }: PhotoFace): string {
  const [, [second, next]] = Object.entries(probabilities).sort(([, a], [, b]) => b - a) as [unknown, [string, number]];
  const found = unsure
    ? `unsure, ${expression} ${percentage(probability)} or ${second} ${percentage(next)}`
    : `${expression}, ${percentage(probability)}`;
  if (score === null) return found;
  const [left, top, right, bottom] = [box.left, box.top, box.left + box.width, box.top + box.height].map(Math.round);
  return `${found} (face from ${left},${top} to ${right},${bottom})`;
}
