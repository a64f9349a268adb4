// `npm start`: draws faces, trains the nano network on them and reads one; --data trains on a data set.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { FormatError } from '@mien/nn';
import { writeFile } from '@mien/nn/files';
import { defineCommand } from '../cli/defineCommand.ts';
import { ADAPTER, DATA_TO_TRAIN_ON, integer, MODEL, text, withDefault } from '../cli/options.ts';
import { commandOf } from '../cli/program.ts';
import { DRAWN } from '../datasets/drawn.ts';
import { type Faces, PIXELS, split } from '../datasets/faces.ts';
import { readFaces } from '../datasets/readers/readers.ts';
import { grayPng } from '../figures/images.ts';
import { share } from '../runs/accuracy.ts';
import { claimOrRefuse } from '../runs/claim.ts';
import { drawnFile } from '../runs/data.ts';
import { predict } from './predict/predict.ts';
import { trainText } from './train/command.ts';
import { train } from './train/train.ts';

const start = defineCommand({
  name: 'npm start --',
  summary: 'Trains the nano network on drawn faces, or with --data on a data set, and writes a run folder.',
  options: {
    data: DATA_TO_TRAIN_ON,
    model: withDefault(MODEL, 'nano'),
    seed: withDefault(integer('<n>', 'seed of faces, weights and order'), 1),
    epochs: integer('<n>', 'epochs of the run'),
    out: withDefault(text('<folder>', 'the run folder; replaces an earlier run'), join('runs', 'start')),
    adapter: ADAPTER,
  },
  json: null,
  run: async ({ options, signal, onEvent, note }) => {
    const { seed, out: target, epochs, ...rest } = options;
    // The run grows beside its folder and replaces it when it is complete.
    const beside = join(dirname(target), `.${basename(target)}`);
    const release = claimOrRefuse('start', beside);
    const growing = join(beside, 'run');
    rmSync(growing, { recursive: true, force: true });
    mkdirSync(growing, { recursive: true });
    try {
      const faces = options.data === undefined ? await drawn(growing, seed, note) : undefined;
      const { summary } = await train({
        ...rest,
        seed,
        out: growing,
        claimed: true,
        signal,
        ...(faces ? { faces } : {}),
        ...(epochs === undefined ? {} : { config: { epochs } }),
        onEvent,
      });
      signal.throwIfAborted();
      replaceFolder(target, growing);
      const reading = faces ? await readDrawn(faces, target) : '';
      return {
        text: `${trainText(target, summary)}${reading}read the faces in a photo: npm run mien -- predict photo.jpg --out pictures\n`,
      };
    } finally {
      release();
      rmSync(beside, { recursive: true, force: true });
    }
  },
});

await commandOf(start).parseAsync();

async function drawn(folder: string, seed: number, note: (line: string) => void): Promise<Faces> {
  const path = join(folder, 'fer2013.csv');
  await drawnFile(path, seed);
  const faces = await readFaces(path);
  note(`drew ${faces.labels.length} synthetic faces with seven expressions (seed ${seed}) in place of FER2013`);
  return { ...faces, dataset: DRAWN.name };
}

/** Reads a drawn face of PrivateTest with the trained network and writes a figure. Returns the line that describes it. */
async function readDrawn(faces: Faces, folder: string): Promise<string> {
  const image = split(faces, 'PrivateTest').indices[0] as number;
  const path = join(folder, 'face.png');
  writeFile(path, await grayPng(faces.images.subarray(image * PIXELS, (image + 1) * PIXELS)));
  const { photos } = await predict([path], { weights: folder, detect: false, out: join(folder, 'reading') });
  const [face] = photos[0]?.faces ?? [];
  if (!face) throw new FormatError(`${path}: ${photos[0]?.error ?? 'no face'}`);
  const label = faces.classes[faces.labels[image] as number];
  return `a face drawn as ${label} reads as ${face.expression}, ${share(face.probability)}: ${photos[0]?.figure}\n`;
}

function replaceFolder(target: string, folder: string): void {
  const old = `${target}.old-${process.pid}`;
  if (existsSync(target)) renameSync(target, old);
  renameSync(folder, target);
  rmSync(old, { recursive: true, force: true });
}
