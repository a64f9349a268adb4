// `npm start`: draws faces, trains the nano network on them and tells how well it does; --data trains on real ones.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { FormatError } from '@mien/nn';
import { writeFile } from '@mien/nn/files';
import { Command, Option } from 'commander';
import { print } from '../cli/output.ts';
import { Progress } from '../cli/progress.ts';
import { runCommand } from '../cli/runCommand.ts';
import { reportRun } from '../cli/table.ts';
import { type Faces, PIXELS, split } from '../datasets/faces.ts';
import { readFaces } from '../datasets/files.ts';
import { grayPng } from '../figures/images.ts';
import { share } from '../runs/accuracy.ts';
import { claimOrRefuse } from '../runs/claim.ts';
import { drawnFile } from '../runs/data.ts';
import { MODELS, type ModelName } from '../training/config.ts';
import { predict } from './predict/predict.ts';
import { train } from './train/train.ts';

interface Words {
  readonly data?: string;
  readonly model: ModelName;
  readonly seed: string;
  readonly epochs?: string;
  readonly out: string;
  readonly adapter?: string;
}

const command = new Command('npm start --')
  .description('Trains the nano network on drawn faces, or with --data on real ones, and writes a run folder.')
  .option('--data <path>', 'a fer2013.csv, an HDF5 file, a CK+48 folder, or a folder of training and test images')
  .addOption(new Option('--model <name>', 'the network').choices(MODELS).default('nano'))
  .option('--seed <n>', 'decides the faces, the weights and the order', '1')
  .option('--epochs <n>', 'epochs of the run')
  .option('--out <folder>', 'the run folder; an earlier run in it is replaced', join('runs', 'start'))
  .option('--adapter <name>', 'part of the name of the adapter to use, or swiftshader or lavapipe')
  .action((words: Words) => runCommand((signal) => start(words, signal)));

await command.parseAsync();

async function start(words: Words, signal: AbortSignal): Promise<void> {
  const seed = Number(words.seed);
  const target = words.out;
  // The run grows beside its folder and takes its place when it has ended.
  const beside = join(dirname(target), `.${basename(target)}`);
  const release = claimOrRefuse('start', beside);
  const growing = join(beside, 'run');
  rmSync(growing, { recursive: true, force: true });
  mkdirSync(growing, { recursive: true });
  const progress = new Progress();
  try {
    const faces = words.data === undefined ? await drawn(growing, seed, progress) : undefined;
    const { summary } = await train({
      model: words.model,
      seed,
      out: growing,
      claimed: true,
      signal,
      ...(faces ? { faces } : {}),
      ...(words.data === undefined ? {} : { data: words.data }),
      ...(words.adapter === undefined ? {} : { adapter: words.adapter }),
      ...(words.epochs === undefined ? {} : { protocol: { epochs: Number(words.epochs) } }),
      onEvent: (event) => progress.show(event),
    });
    progress.close();
    signal.throwIfAborted();
    takePlace(growing, target);
    print(reportRun(target, summary));
    if (faces) print(await readDrawn(faces, target));
    print('read the faces of a photo: npm run mien -- predict photo.jpg --out pictures\n');
  } finally {
    progress.close();
    release();
    rmSync(beside, { recursive: true, force: true });
  }
}

async function drawn(folder: string, seed: number, progress: Progress): Promise<Awaited<ReturnType<typeof readFaces>>> {
  const path = join(folder, 'fer2013.csv');
  await drawnFile(path, seed);
  const faces = await readFaces(path);
  progress.say(
    `drew ${faces.labels.length} synthetic faces with seven expressions (seed ${seed}); they stand in for FER2013`,
  );
  return { ...faces, dataset: 'drawn' };
}

/** Reads a drawn face of PrivateTest with the network that was just trained, into a picture; gives the line that tells it. */
async function readDrawn(faces: Faces, folder: string): Promise<string> {
  const image = split(faces, 'PrivateTest').indices[0] as number;
  const path = join(folder, 'face.png');
  writeFile(path, await grayPng(faces.images.subarray(image * PIXELS, (image + 1) * PIXELS)));
  const { photos } = await predict([path], { weights: folder, detect: false, out: join(folder, 'reading') });
  const [face] = photos[0]?.faces ?? [];
  if (!face) throw new FormatError(`${path}: ${photos[0]?.error ?? 'holds no face'}`);
  const drawn = faces.classes[faces.labels[image] as number];
  return `a face drawn as ${drawn} reads as ${face.expression}, ${share(face.probability)}: ${photos[0]?.figure}\n`;
}

function takePlace(folder: string, target: string): void {
  const old = `${target}.old-${process.pid}`;
  if (existsSync(target)) renameSync(target, old);
  renameSync(folder, target);
  rmSync(old, { recursive: true, force: true });
}
