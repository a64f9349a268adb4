// Trains on files (Node only): data in, a run folder out, resumable at any step.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { init, tuning, ValueError } from '@mien/tensor';
import { expectOptions, optionNames } from '@mien/tensor/internal';
import { type DatasetName, datasetOf } from '../../datasets/catalog.ts';
import type { FoldKind } from '../../datasets/dataset.ts';
import { DRAWN } from '../../datasets/drawn.ts';
import type { Faces } from '../../datasets/faces.ts';
import { softTargets } from '../../datasets/ferplus.ts';
import { type Splits, splitsOf } from '../../datasets/splits.ts';
import type { ModelName } from '../../models/catalog.ts';
import { claim, claimOrRefuse, type Release } from '../../runs/claim.ts';
import { obtain } from '../../runs/data.ts';
import type { RunEvent, Summary } from '../../runs/events.ts';
import { freeFolder, LAST, type ReadRun, readMetrics, readRun } from '../../runs/folder.ts';
import { tuneStep } from '../../runs/tuneStep.ts';
import type { Preset, TrainingConfig } from '../../training/config.ts';
import { trainingConfig } from '../../training/presets.ts';
import { Training } from '../../training/training.ts';
import { type InitialWeights, readInitialWeights } from './initialWeights.ts';
import { TrainingRun } from './trainingRun.ts';

/** Options of `train`. A new run requires `model`; a resumed run takes everything from its checkpoint. */
export interface TrainOptions {
  readonly model?: ModelName;
  /** A file or folder of a data set, recognized by its content. Default: drawn faces. */
  readonly data?: string;
  /** Faces in memory; takes precedence over `data`. */
  readonly faces?: Faces;
  /** Requires this data set. */
  readonly dataset?: DatasetName;
  /** The fold that is tested, from 1, of data sets with folds. Default 1. */
  readonly fold?: number;
  /** Kind of folds. Default `reference`. */
  readonly folds?: FoldKind;
  /** A checkpoint or run folder with the initial weights of a new run; a classifier of other classes stays random. */
  readonly init?: string;
  readonly seed?: number;
  /** The run folder. Default runs/<model>-<dataset>, with a number where that exists. */
  readonly out?: string;
  /** Default: the network's preset. */
  readonly preset?: Preset;
  /** Changes to the preset's configuration. */
  readonly config?: Partial<TrainingConfig>;
  /** A run folder to resume. */
  readonly resume?: string;
  /** The checkpoint to resume from. `last` (the default) continues exactly; `best` is what the reference does. */
  readonly from?: 'last' | 'best';
  /** Writes last.safetensors every so many steps, besides the end of every epoch. */
  readonly checkpointEvery?: number;
  /** Ends this call after so many steps, with a checkpoint. */
  readonly stopAfter?: number;
  /** Stops the run after the current step, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** Part of the adapter's name, as for `init`. */
  readonly adapter?: string;
  readonly onEvent?: (event: RunEvent) => void;
  /** Whether the caller has claimed the folder for this process already. */
  readonly claimed?: boolean;
}

const trainOptions = optionNames<TrainOptions>({
  model: true,
  data: true,
  faces: true,
  dataset: true,
  fold: true,
  folds: true,
  init: true,
  seed: true,
  out: true,
  preset: true,
  config: true,
  resume: true,
  from: true,
  checkpointEvery: true,
  stopAfter: true,
  signal: true,
  adapter: true,
  onEvent: true,
  claimed: true,
});

/** The folder of a run and its summary. */
export interface TrainResult {
  readonly out: string;
  readonly summary: Summary;
}

/** Trains a network, or resumes a run. Throws ValueError where another process uses the folder. */
export async function train(options: TrainOptions): Promise<TrainResult> {
  expectOptions('train', options, trainOptions);
  const { out = options.resume, resume, claimed } = options;
  if (resume === undefined || out === undefined || claimed || !existsSync(join(resume, LAST))) return trainIn(options);
  // Claimed before it is read: another process might write to it meanwhile.
  const release = claimOrRefuse('train', resolve(out));
  try {
    return await trainIn({ ...options, claimed: true });
  } finally {
    release();
  }
}

async function trainIn(options: TrainOptions): Promise<TrainResult> {
  checkSteps(options);
  const plan = await planOf(options);
  const named = options.out ?? options.resume;
  const freeName = (): string => resolve(freeFolder(`${plan.model}-${plan.dataset.replace('+', '')}`));
  let out = named === undefined ? freeName() : resolve(named);
  if (!plan.resumed) refuseRun(out);
  if (tuning()) await tuneFirst(plan, options);
  let release: Release | null = null;
  const training = trainingOf(plan, options, () => out);
  try {
    // Claimed only now, when nothing can be refused any more.
    while (!options.claimed && !release) {
      release = named === undefined ? claim(out) : claimOrRefuse('train', out);
      if (!release) out = freeName();
    }
    if (!plan.resumed) refuseRun(out);
    return { out, summary: await runIn(out, training, plan, options) };
  } finally {
    training.dispose();
    release?.();
  }
}

function checkSteps(options: TrainOptions): void {
  for (const name of ['checkpointEvery', 'stopAfter'] as const) {
    const steps = options[name];
    if (steps !== undefined && !(Number.isInteger(steps) && steps > 0)) {
      throw new ValueError(`train: ${name} must be a positive number of steps, got ${steps}`);
    }
  }
}

/** What a run is made of, once everything that can be refused has been checked. */
interface Plan {
  readonly model: ModelName;
  readonly resumed: ReadRun | null;
  readonly adapter: string;
  readonly data: string | null;
  readonly dataset: DatasetName;
  readonly faces: Faces;
  readonly fold: number;
  readonly folds: FoldKind;
  readonly splits: Splits;
  readonly config: TrainingConfig;
  readonly initial: InitialWeights | null;
}

async function planOf(options: TrainOptions): Promise<Plan> {
  const { onEvent = () => {} } = options;
  const resumed = options.resume === undefined ? null : readRun(options.resume, options.from ?? 'last');
  const model = resumed?.name ?? options.model;
  if (!model) throw new ValueError('train: model is required (--model small)');
  const before: ReadRun['note'] = resumed?.note ?? {};
  if (resumed) checkResumed(options, resumed);
  const adapter = (await init(options.adapter === undefined ? {} : { adapter: options.adapter })).facts.name;
  const data = options.data ?? before.data ?? null;
  const wanted = options.dataset ?? before.dataset;
  if (data === null && !options.faces && options.dataset && options.dataset !== DRAWN.name) {
    throw new ValueError(`train: ${options.dataset} needs the path of its files; pass --data (data in code)`);
  }
  const faces = options.faces ?? (await obtain(data, before.drawnSeed ?? options.seed ?? 1, onEvent, wanted));
  const dataset = datasetOf(faces.dataset).name;
  if (wanted !== undefined && wanted !== dataset) {
    throw new ValueError(
      `train: expected ${wanted}, got ${dataset} (${data ?? 'the default data'}); pass another --data or leave out --dataset`,
    );
  }
  if (resumed && resumed.info.classes.join() !== faces.classes.join()) {
    throw new ValueError(
      `train: ${options.resume} has the classes ${resumed.info.classes.join(', ')}, ${data ?? 'the drawn set'} has ${faces.classes.join(', ')}; expected the same`,
    );
  }
  const fold = options.fold ?? before.fold ?? 1;
  const folds = options.folds ?? before.folds ?? 'reference';
  const initial = options.init === undefined ? null : await readInitialWeights(options.init, model, faces.classes);
  const splits = splitsOf(faces, fold, folds);
  const config = resumed
    ? trainingConfig(model, dataset, { ...resumed.config, ...options.config })
    : trainingConfig(model, dataset, options.config, options.preset);
  if (resumed) checkOnlyEpochsChange(resumed.config, config);
  if (config.select === 'private' && !splits.heldOut) {
    const name = datasetOf(dataset).splits?.heldOut?.name;
    throw new ValueError(
      `train: ${name ? `the ${name} split of ${dataset} has no images here` : `${dataset} has no held-out split`}; use --select public`,
    );
  }
  return { model, resumed, adapter, data, dataset, faces, fold, folds, splits, config, initial };
}

/** Throws ValueError for options that a resumed run cannot change. */
function checkResumed(options: TrainOptions, { name, note }: ReadRun): void {
  const { resume } = options;
  if (options.model && options.model !== name) {
    throw new ValueError(`train: ${resume} is a run of ${name}, got --model ${options.model}; leave out --model`);
  }
  if (options.fold !== undefined && options.fold !== note.fold) {
    throw new ValueError(`train: ${resume} tests fold ${note.fold}, got ${options.fold}; start a new run`);
  }
  const folds = note.folds ?? 'reference';
  if (options.folds !== undefined && options.folds !== folds) {
    throw new ValueError(`train: ${resume} has ${folds} folds, got ${options.folds}; start a new run`);
  }
  if (options.init !== undefined) {
    throw new ValueError('train: a resumed run has weights already; leave out init, or start a new run');
  }
}

/** Throws ValueError for changed settings. More epochs are allowed where the learning rate does not depend on their number. */
function checkOnlyEpochsChange(before: TrainingConfig, now: TrainingConfig): void {
  const { epochs: a, ...rest } = before;
  const { epochs: b, ...restNow } = now;
  const changed = Object.keys(restNow).filter(
    (name) => JSON.stringify(rest[name as keyof typeof rest]) !== JSON.stringify(restNow[name as keyof typeof restNow]),
  );
  if (changed.length > 0) {
    throw new ValueError(`train: a resumed run cannot change ${changed.join(', ')}; start a new run`);
  }
  if (a !== b && now.schedule.kind === 'cosine') {
    throw new ValueError(
      'train: a resumed run cannot change epochs, because its cosine schedule depends on them; start a new run',
    );
  }
}

/** Throws ValueError where a folder contains a run. */
function refuseRun(out: string): void {
  if (!existsSync(join(out, LAST))) return;
  throw new ValueError(`train: ${out} already contains a run; resume it with --resume, or pass another --out`);
}

async function tuneFirst({ model, config, faces, splits }: Plan, { onEvent, signal }: TrainOptions): Promise<void> {
  const batchSize = Math.min(config.batchSize, splits.train.indices.length);
  const onProgress = (done: number, total: number): void => onEvent?.({ event: 'tuning', done, total });
  const { classes } = faces;
  await tuneStep(model, { ...config, batchSize }, { classes, onProgress, ...(signal ? { signal } : {}) });
}

function trainingOf(
  { model, resumed, data, dataset, faces, fold, folds, splits, config, initial }: Plan,
  { seed = 1, onEvent }: TrainOptions,
  folder: () => string,
): Training {
  const folded = datasetOf(dataset).folds !== null;
  return new Training(
    {
      model,
      train: splits.train,
      config,
      ...(config.softLabels ? { targets: softLabels(faces, config.softLabels) } : {}),
      ...(initial ? { init: initial.tensors } : {}),
      seed: resumed?.info.seed ?? seed,
      restart: () => readRun(folder(), 'last'),
      onSearch: (steps) => onEvent?.({ event: 'searching', steps }),
      note: {
        dataset,
        data: data && resolve(data),
        fold: folded ? fold : null,
        folds: folded ? folds : null,
        drawnSeed: seed,
        init: initial && resolve(initial.file),
      },
    },
    resumed ?? undefined,
  );
}

async function runIn(
  out: string,
  training: Training,
  { resumed, initial, splits, adapter }: Plan,
  options: TrainOptions,
): Promise<Summary> {
  if (initial) {
    const { file, tensors, random } = initial;
    options.onEvent?.({ event: 'initialized', file, taken: tensors.size, left: random });
  }
  const run = new TrainingRun(training, splits, out, adapter, options);
  if (resumed && options.data !== undefined) training.note = { ...training.note, data: resolve(options.data) };
  if (resumed) run.resumeAfter(readMetrics(resolve(options.resume as string)));
  return run.start(options.signal);
}

/** Labels as probabilities, mixed with `share` of the FER+ votes: [images, classes]. Throws ValueError without votes. */
function softLabels(faces: Faces, share: number): Float32Array {
  if (!faces.votes) {
    throw new ValueError(
      'train: soft labels need FER+ votes; create a file with them: mien prepare fer2013 CSV --ferplus fer2013new.csv',
    );
  }
  const indices = Int32Array.from(faces.labels.keys());
  const targets = softTargets({ faces, indices }).map((votes) => share * votes);
  const classes = faces.classes.length;
  for (const [image, label] of faces.labels.entries()) {
    targets[image * classes + label] = (targets[image * classes + label] as number) + 1 - share;
  }
  return targets;
}
