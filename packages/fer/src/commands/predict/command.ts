// `mien predict`.
import { type Call, type CommandDefinition, defineCommand, type Output } from '../../cli/defineCommand.ts';
import { readerOptions, text, type Values } from '../../cli/options.ts';
import { share } from '../../runs/accuracy.ts';
import { type PhotoFace, type PhotoReport, predict } from './predict.ts';

const OPTIONS = {
  ...readerOptions('each photo'),
  out: text('<folder>', 'write a figure per photo: faces, the network input, scores'),
};

/** `mien predict`. */
export const predictCommand: CommandDefinition = defineCommand<typeof OPTIONS, readonly string[]>({
  name: 'predict',
  summary: 'Predicts the expressions of the faces in photos (JPEG, PNG, WebP, GIF, TIFF, AVIF).',
  argument: { flags: '<photo...>', summary: 'image files' },
  options: OPTIONS,
  run,
});

async function run({
  argument: photos,
  options,
  signal,
  print,
  note,
}: Call<typeof OPTIONS, readonly string[]> & { readonly options: Values<typeof OPTIONS> }): Promise<Output> {
  const onPhoto = (report: PhotoReport): void => {
    if (report.error === undefined) print(photoText(report));
    else if (photos.length > 1) note(`mien: ${report.error}`);
  };
  const report = await predict(photos, { ...options, signal, onPhoto });
  const errors = report.photos.flatMap(({ error }) => error ?? []);
  if (errors.length === 0) return { report, text: '' };
  const failure =
    photos.length === 1 ? (errors[0] as string) : `cannot read ${errors.length} of ${photos.length} photos`;
  return { report, text: '', failures: [failure] };
}

/** A line per face. */
function photoText({ photo, faces = [] }: PhotoReport): string {
  if (faces.length === 0) return `${photo}: no face\n`;
  return faces.map((face) => `${photo}: ${faceText(face)}\n`).join('');
}

function faceText({ expression, probability, unsure, probabilities, box, score }: PhotoFace): string {
  const [, [second, next]] = Object.entries(probabilities).sort(([, a], [, b]) => b - a) as [unknown, [string, number]];
  const reading = unsure
    ? `unsure, ${expression} ${share(probability)} or ${second} ${share(next)}`
    : `${expression}, ${share(probability)}`;
  if (score === null) return reading;
  const [left, top, right, bottom] = [box.left, box.top, box.left + box.width, box.top + box.height].map(Math.round);
  return `${reading} (face from ${left},${top} to ${right},${bottom})`;
}
