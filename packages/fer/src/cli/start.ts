// `npm start`: draws faces, trains the nano network on them and tells how well it does; --data trains on real ones.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { readFaces } from '../datasets/files.ts';
import { MODELS, type ModelName } from '../protocol.ts';
import { drawnFile } from '../run/data.ts';
import { train } from '../run/train.ts';
import { runCommand } from './ending.ts';
import { Progress } from './progress.ts';
import { reportRun } from './results.ts';

interface Words {
  readonly data?: string;
  readonly model: ModelName;
  readonly seed: string;
  readonly epochs?: string;
  readonly adapter?: string;
}

const command = new Command('npm start --')
  .description('Trains the nano network on drawn faces, or with --data on real ones, and writes runs/start.')
  .option('--data <path>', 'a fer2013.csv or a CK+48 folder, told apart by content')
  .addOption(new Option('--model <name>', 'the network').choices(MODELS).default('nano'))
  .option('--seed <n>', 'decides the faces, the weights and the order', '1')
  .option('--epochs <n>', 'epochs of the run')
  .option('--adapter <name>', 'part of the name of the adapter to use, or swiftshader or lavapipe')
  .action((words: Words) => runCommand((signal) => start(words, signal)));

await command.parseAsync();

async function start(words: Words, signal: AbortSignal): Promise<void> {
  const seed = Number(words.seed);
  const target = join('runs', 'start');
  // The run grows beside runs/start and takes its place when it has ended.
  const growing = join('runs', `.start-${process.pid}`);
  mkdirSync(growing, { recursive: true });
  const progress = new Progress();
  try {
    const faces = words.data === undefined ? await drawn(growing, seed, progress) : undefined;
    const { summary } = await train({
      model: words.model,
      seed,
      out: growing,
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
    process.stdout.write(reportRun(target, summary));
  } finally {
    progress.close();
    rmSync(growing, { recursive: true, force: true });
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

function takePlace(folder: string, target: string): void {
  const old = `${target}.old-${process.pid}`;
  if (existsSync(target)) renameSync(target, old);
  renameSync(folder, target);
  rmSync(old, { recursive: true, force: true });
}
