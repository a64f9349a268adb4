// Trains on files (Node only): data in, a run folder out, resumable at any step.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { init, tuning, ValueError } from '@mien/tensor';
import type { FoldKind } from '../../datasets/ckplus.ts';
import type { Faces } from '../../datasets/faces.ts';
import { softTargets } from '../../datasets/ferplus.ts';
import { claim, claimOrRefuse, type Release } from '../../runs/claim.ts';
import { obtain, splitsOf } from '../../runs/data.ts';
import type { RunEvent, Summary } from '../../runs/events.ts';
import { freeFolder, LAST, type RunNote, readMetrics, readRun } from '../../runs/folder.ts';
import {
  type DatasetName,
  type ModelName,
  type Preset,
  type TrainingConfig,
  trainingConfig,
} from '../../training/config.ts';
import { Training } from '../../training/training.ts';
import { tuneStep } from '../tune/tune.ts';
import { readInitial } from './initialWeights.ts';
import { Course } from './trainingRun.ts';

/** What `train` is told. Only `model` has no default in a new run; a resumed run takes all from its checkpoint. */
export interface TrainOptions {
  readonly model?: ModelName;
  /** A fer2013.csv or a CK+48 folder, recognized by content; without it faces are drawn. */
  readonly data?: string;
  /** Faces that are read already; goes before `data`. */
  readonly faces?: Faces;
  /** What the data must turn out to be. */
  readonly dataset?: DatasetName;
  /** Which fold of CK+ is tested, 1 to 10. Default 1. */
  readonly fold?: number;
  /** How CK+ is cut into folds. Default `reference`. */
  readonly folds?: FoldKind;
  /** A checkpoint or run folder whose weights a new run starts from; a classifier of other classes is left out. */
  readonly init?: string;
  readonly seed?: number;
  /** The run folder. Default runs/<model>-<dataset>, with a number where that exists. */
  readonly out?: string;
  /** Whose recipe. Default: the reference's for VGG and ResNet, ours for small and nano. */
  readonly preset?: Preset;
  /** Changes to the protocol of model and data set. */
  readonly protocol?: Partial<TrainingConfig>;
  /** A run folder to go on with. */
  readonly resume?: string;
  /** Which of its checkpoints: `last` goes on exactly, `best` is the reference's way. Default `last`. */
  readonly from?: 'last' | 'best';
  /** Writes last.safetensors every so many steps, besides every epoch's end. */
  readonly checkpointEvery?: number;
  /** Ends this call after so many steps, with a checkpoint. */
  readonly stopAfter?: number;
  /** Where the run is stopped in an orderly way, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** Part of the adapter's name, as `init` takes it. */
  readonly adapter?: string;
  readonly onEvent?: (event: RunEvent) => void;
  /** Whether the caller has claimed the folder for this process already. */
  readonly claimed?: boolean;
}

/** Where a run is and what came of it. */
export interface TrainResult {
  readonly out: string;
  readonly summary: Summary;
}

/**
 * Trains by the protocol of model and data set, or resumes a run: the run folder and its summary. Throws ValueError where
 * another process works in the folder.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { out = options.resume, resume, claimed } = options;
  if (resume === undefined || out === undefined || claimed || !existsSync(join(resume, LAST))) return trainIn(options);
  // Claimed before it is read: what another process writes meanwhile would be lost.
  const release = claimOrRefuse('train', resolve(out));
  try {
    return await trainIn({ ...options, claimed: true });
  } finally {
    release();
  }
}

async function trainIn(options: TrainOptions): Promise<TrainResult> {
  const { onEvent = () => {}, signal } = options;
  for (const name of ['checkpointEvery', 'stopAfter'] as const) {
    const steps = options[name];
    if (steps !== undefined && !(Number.isInteger(steps) && steps > 0)) {
      throw new ValueError(`train: ${name} is ${steps}, expected a positive number of steps`);
    }
  }
  const resumed = options.resume === undefined ? null : readRun(options.resume, options.from ?? 'last');
  const model = resumed?.name ?? options.model;
  if (!model) throw new ValueError('train: which model? (model is missing)');
  if (resumed && options.model && options.model !== resumed.name) {
    throw new ValueError(`train: ${options.resume} trains ${resumed.name}, not ${options.model}; leave the model out`);
  }
  const before = (resumed?.note ?? {}) as RunNote;
  const adapter = (await init(options.adapter === undefined ? {} : { adapter: options.adapter })).facts.name;

  const data = options.data ?? before.data ?? null;
  const fold = options.fold ?? before.fold ?? 1;
  if (data === null && !options.faces && options.dataset && options.dataset !== 'drawn') {
    throw new ValueError(`train: ${options.dataset} needs the path of its data (data is missing)`);
  }
  if (resumed && options.fold !== undefined && options.fold !== before.fold) {
    throw new ValueError(`train: ${options.resume} tests fold ${before.fold}, not ${options.fold}; start a new run`);
  }
  const folds = options.folds ?? before.folds ?? 'reference';
  if (resumed && folds !== (before.folds ?? 'reference')) {
    throw new ValueError(
      `train: ${options.resume} has ${before.folds ?? 'reference'} folds, not ${folds}; start a new run`,
    );
  }
  const faces = options.faces ?? (await obtain(data, before.drawnSeed ?? options.seed ?? 1, onEvent));
  const dataset = faces.dataset as DatasetName;
  const wanted = options.dataset ?? before.dataset;
  if (wanted !== undefined && wanted !== dataset) {
    throw new ValueError(`train: ${data ?? 'the default data'} is ${dataset}, not ${wanted}`);
  }
  if (resumed && resumed.info.classes.join() !== faces.classes.join()) {
    throw new ValueError(
      `train: ${options.resume} tells ${resumed.info.classes.join(', ')} apart, ${data ?? 'the drawn set'} holds ${faces.classes.join(', ')}`,
    );
  }
  if (resumed && options.init !== undefined) {
    throw new ValueError('train: a resumed run has its own weights; leave init out, or start a new run');
  }
  const initial = options.init === undefined ? null : await readInitial(options.init, model, faces.classes);
  const splits = splitsOf(faces, fold, folds);
  const of = resumed
    ? trainingConfig(model, dataset, { ...resumed.protocol, ...options.protocol })
    : trainingConfig(model, dataset, options.protocol, options.preset);
  if (resumed) onlyEpochsChange(resumed.protocol, of);
  if (of.select === 'private' && !splits.private) {
    throw new ValueError(`train: the best epoch is to be chosen on PrivateTest, which ${dataset} has not here`);
  }

  const freeName = (): string => resolve(freeFolder(`${model}-${dataset.replace('+', '')}`));
  const named = options.out ?? options.resume;
  let out = named === undefined ? freeName() : resolve(named);
  if (!resumed) refuseRun(out);
  if (tuning()) {
    const batchSize = Math.min(of.batchSize, splits.train.indices.length);
    const onProgress = (done: number, total: number): void => onEvent({ event: 'tuning', done, total });
    const { classes } = faces;
    await tuneStep(model, { ...of, batchSize }, { classes, onProgress, ...(signal ? { signal } : {}) });
  }
  let release: Release | null = null;
  const training = new Training(
    {
      model,
      train: splits.train,
      protocol: of,
      ...(of.softLabels ? { targets: softened(faces, of.softLabels) } : {}),
      ...(initial ? { init: initial.tensors } : {}),
      seed: resumed?.info.seed ?? options.seed ?? 1,
      restart: () => readRun(out, 'last'),
      onSearch: (steps) => onEvent({ event: 'searching', steps }),
      note: {
        dataset,
        data: data && resolve(data),
        fold: dataset === 'ck+' ? fold : null,
        folds: dataset === 'ck+' ? folds : null,
        drawnSeed: options.seed ?? 1,
        init: initial && resolve(initial.file),
      },
    },
    resumed ?? undefined,
  );
  try {
    // Only now, when nothing that was asked for is refused any more.
    while (!options.claimed && !release) {
      release = named === undefined ? claim(out) : claimOrRefuse('train', out);
      if (!release) out = freeName();
    }
    if (!resumed) refuseRun(out);
    if (initial) {
      onEvent({ event: 'initialized', file: initial.file, taken: initial.tensors.size, left: initial.left });
    }
    const run = new Course(training, splits, out, adapter, options);
    if (resumed && options.data !== undefined) training.note = { ...training.note, data: resolve(options.data) };
    if (resumed) run.takeUp(readMetrics(resolve(options.resume as string)));
    const summary = await run.go(signal);
    return { out, summary };
  } finally {
    training.dispose();
    release?.();
  }
}

/** Throws ValueError where a folder holds a run. */
function refuseRun(out: string): void {
  if (!existsSync(join(out, LAST))) return;
  throw new ValueError(
    `train: ${out} holds a run already; continue it with --resume, or name another folder with --out`,
  );
}

/** The labels as probabilities, mixed with what FER+ voters said: [images, classes]. Throws ValueError without votes. */
function softened(faces: Faces, share: number): Float32Array {
  if (!faces.votes) {
    throw new ValueError(
      'train: these faces have no FER+ votes; mien prepare fer2013 CSV --ferplus fer2013new.csv writes an HDF5 file that has',
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

/** A resumed run keeps its protocol: another would be another run. More epochs are fine where the rate does not depend on their number. */
function onlyEpochsChange(before: TrainingConfig, now: TrainingConfig): void {
  const { epochs: a, ...rest } = before;
  const { epochs: b, ...restNow } = now;
  const changed = Object.keys(restNow).filter(
    (name) => JSON.stringify(rest[name as keyof typeof rest]) !== JSON.stringify(restNow[name as keyof typeof restNow]),
  );
  if (changed.length > 0)
    throw new ValueError(`train: a resumed run cannot change ${changed.join(', ')}; start a new one`);
  if (a !== b && now.schedule.kind === 'cosine') {
    throw new ValueError(
      'train: a resumed run cannot change epochs, on which its learning rate depends; start a new one',
    );
  }
}
