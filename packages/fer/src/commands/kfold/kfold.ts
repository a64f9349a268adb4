// Trains all ten folds of CK+, each in its own run folder, resumable at any fold and step (Node only).

import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeFile } from '@mien/nn/files';
import { ValueError } from '@mien/tensor';
import { expectOptions, optionNames } from '@mien/tensor/internal';
import { datasetOf, titleOf } from '../../datasets/catalog.ts';
import type { Fold, FoldKind, Folds, Leaks } from '../../datasets/dataset.ts';
import type { Faces } from '../../datasets/faces.ts';
import { confusionMatrix } from '../../figures/confusionMatrix.ts';
import { writePicture } from '../../figures/picture.ts';
import { ConfusionMatrix } from '../../metrics.ts';
import type { ModelName } from '../../models/catalog.ts';
import { grouped, range, share } from '../../runs/accuracy.ts';
import { claim } from '../../runs/claim.ts';
import { obtain } from '../../runs/data.ts';
import type { FoldEvent, RunEvent, Summary } from '../../runs/events.ts';
import { BEST, LAST, makeFolder, readSummary } from '../../runs/folder.ts';
import type { TrainingConfig } from '../../training/config.ts';
import { type Confusions, readEvaluation } from '../evaluate/confusions.ts';
import { evaluate } from '../evaluate/evaluate.ts';
import { train } from '../train/train.ts';
import { type Pooled, poolFolds } from './pooling.ts';
import { FOLDED, SETTINGS, type Settings, type SettingsOptions, settingsOf, settingsOptions } from './settings.ts';

/** Options of `kfold`. */
export interface KFoldOptions extends SettingsOptions {
  /** Faces in memory; takes precedence over `data`. */
  readonly faces?: Faces;
  /** Ten folds per seed. Default: the folder's seeds, or 1. */
  readonly seeds?: readonly number[];
  /** The first and last fold to train; the report covers all finished folds. */
  readonly only?: readonly [first: number, last: number];
  /** Default runs/kfold-<model>-<folds>. */
  readonly out?: string;
  readonly checkpointEvery?: number;
  readonly adapter?: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent) => void;
}

const kfoldOptions = optionNames<KFoldOptions>({
  ...settingsOptions,
  faces: true,
  seeds: true,
  only: true,
  out: true,
  checkpointEvery: true,
  adapter: true,
  signal: true,
  onEvent: true,
});

/** One finished fold. */
export interface FoldResult {
  readonly seed: number;
  readonly fold: number;
  /** Test images. */
  readonly n: number;
  /** Ten-crop accuracies of the last epoch, and of the best one, which these same images selected. */
  readonly last: number;
  readonly best: number;
  readonly bestEpoch: number;
  readonly epochs: number;
  readonly trainSeconds: number;
}

/** The pooled folds of one seed. */
export interface SeedResult {
  readonly seed: number;
  /** Number of finished folds. */
  readonly finished: number;
  readonly last: Pooled;
  readonly best: Pooled;
}

/** The result of `kfold`. */
export interface KFoldReport {
  readonly adapter: string | null;
  readonly model: ModelName;
  readonly folds: FoldKind;
  readonly init: string | null;
  readonly out: string;
  readonly protocol: TrainingConfig;
  readonly results: readonly FoldResult[];
  /** Folds that are not finished. */
  readonly missing: readonly { readonly seed: number; readonly fold: number }[];
  readonly seeds: readonly SeedResult[];
  readonly leaks: Leaks;
  readonly classes: readonly string[];
}

const RESULT = 'result.json';

/**
 * Trains the unfinished folds of each seed and reports all finished ones: the figures of the last epoch and, as the reference
 * does, those of the epoch that did best on the test images. After a stop, another call resumes. Throws ValueError where
 * `out` has folds with other settings.
 */
export async function kfold(options: KFoldOptions): Promise<KFoldReport> {
  expectOptions('kfold', options, kfoldOptions);
  const plan = await planOf(options);
  const { out, settings, seeds, first, last } = plan;
  makeFolder(out);
  writeFile(join(out, SETTINGS), `${JSON.stringify(settings, null, 2)}\n`);
  for (const seed of seeds) {
    for (let fold = first; fold <= last; fold++) {
      if (options.signal?.aborted) break;
      await trainFold(plan, seed, fold, options);
    }
  }
  const report = reportOf(plan);
  if (report.results.length > 0) writeReport(report);
  return report;
}

interface Plan {
  readonly out: string;
  readonly settings: Settings;
  readonly seeds: readonly number[];
  readonly first: number;
  readonly last: number;
  readonly faces: Faces;
  readonly folds: readonly Fold[];
}

async function planOf(options: KFoldOptions): Promise<Plan> {
  const { onEvent = () => {} } = options;
  const out = resolve(options.out ?? join('runs', `kfold-${options.model}-${options.folds ?? 'reference'}`));
  const settings = settingsOf(out, options);
  const seeds = options.seeds ?? seedsOf(out);
  for (const seed of seeds) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new ValueError(`kfold: a seed must be an integer from 0, got ${seed}`);
    }
  }
  const { title, folds: division } = FOLDED;
  const { count, divide } = division as Folds;
  const [first, last] = options.only ?? [1, count];
  if (![first, last].every((fold) => Number.isInteger(fold) && fold >= 1 && fold <= count) || first > last) {
    throw new ValueError(`kfold: only must be folds from 1 to ${count}, got ${first} to ${last}`);
  }
  if (settings.data === null && !options.faces) {
    throw new ValueError('kfold: data is required (--data with a CK+48 folder)');
  }
  const faces = options.faces ?? (await obtain(settings.data, 1, onEvent));
  if (faces.dataset !== FOLDED.name) {
    throw new ValueError(`kfold: expected ${title}, got ${titleOf(faces.dataset)} (${settings.data})`);
  }
  return { out, settings, seeds, first, last, faces, folds: divide(faces, settings.folds) };
}

function reportOf({ out, settings, seeds, faces, folds }: Plan): KFoldReport {
  const finished = seeds.flatMap((seed) => folds.flatMap((_, i) => readFold(out, seed, i + 1) ?? []));
  const isFinished = (seed: number, fold: number): boolean => finished.some((f) => f.seed === seed && f.fold === fold);
  const { unit, folds: division } = datasetOf(faces.dataset);
  return {
    adapter: finished[0]?.summary.adapter ?? null,
    model: settings.model,
    folds: settings.folds,
    init: settings.init,
    out,
    protocol: settings.protocol,
    results: finished.map(({ seed, fold, summary, last, best }) => ({
      seed,
      fold,
      n: last.n,
      last: last.accuracy,
      best: best.accuracy,
      bestEpoch: summary.bestEpoch ?? 0,
      epochs: summary.epochs,
      trainSeconds: summary.trainSeconds,
    })),
    missing: seeds.flatMap((seed) => folds.flatMap((_, i) => (isFinished(seed, i + 1) ? [] : [{ seed, fold: i + 1 }]))),
    seeds: seeds.flatMap((seed) => {
      const ofSeed = finished.filter((f) => f.seed === seed);
      if (ofSeed.length === 0) return [];
      const pool = (which: 'last' | 'best'): Pooled => {
        const parts = ofSeed.map((f) => ({
          tested: folds[f.fold - 1]?.test.indices ?? [],
          confusion: f[which].confusion,
        }));
        return poolFolds(parts, faces.classes, unit.images);
      };
      return [{ seed, finished: ofSeed.length, last: pool('last'), best: pool('best') }];
    }),
    leaks: (division as Folds).leaks(folds),
    classes: faces.classes,
  };
}

/** Trains or resumes an unfinished fold, then evaluates its last and best checkpoints. */
async function trainFold(plan: Plan, seed: number, fold: number, options: KFoldOptions): Promise<void> {
  const { out, settings } = plan;
  const folder = folderOf(out, seed, fold);
  const emit = (state: FoldEvent['state']): void =>
    options.onEvent?.({ event: 'fold', seed, fold, of: plan.folds.length, state });
  if (readFold(out, seed, fold)) {
    emit('finished');
    return;
  }
  const release = claim(folder);
  if (!release) {
    emit('elsewhere');
    return;
  }
  const common = {
    faces: plan.faces,
    fold,
    folds: settings.folds,
    ...(options.onEvent ? { onEvent: options.onEvent } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
    ...(options.adapter === undefined ? {} : { adapter: options.adapter }),
  };
  try {
    if (!readSummary(folder)?.complete) {
      const started = existsSync(join(folder, LAST));
      emit(started ? 'resumed' : 'new');
      const { model, data, init, protocol } = settings;
      const { checkpointEvery } = options;
      const every = checkpointEvery === undefined ? {} : { checkpointEvery };
      const { summary } = started
        ? await train({ ...common, ...every, claimed: true, resume: folder })
        : await train({
            ...common,
            ...every,
            claimed: true,
            model,
            seed,
            out: folder,
            config: protocol,
            ...(data === null ? {} : { data }),
            ...(init === null ? {} : { init }),
          });
      if (!summary.complete) return;
    }
    for (const name of [LAST, BEST]) {
      const report = await evaluate({ ...common, weights: join(folder, name) });
      writeFile(evaluationOf(folder, name), `${JSON.stringify(report)}\n`);
    }
  } finally {
    release();
  }
}

/** The seeds of the folds in a folder; 1 where there are none. */
function seedsOf(out: string): number[] {
  const names = existsSync(out) ? readdirSync(out) : [];
  const seeds = names.flatMap((name) => /^seed-(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  return seeds.length > 0 ? seeds.sort((a, b) => a - b) : [1];
}

interface FinishedFold {
  readonly seed: number;
  readonly fold: number;
  readonly summary: Summary;
  readonly last: Confusions;
  readonly best: Confusions;
}

/** A trained and evaluated fold, or null. Throws FormatError naming an edited file. */
function readFold(out: string, seed: number, fold: number): FinishedFold | null {
  const folder = folderOf(out, seed, fold);
  const [last, best] = [evaluationOf(folder, LAST), evaluationOf(folder, BEST)];
  const summary = readSummary(folder);
  if (!summary?.complete || !existsSync(last) || !existsSync(best)) return null;
  return { seed, fold, summary, last: readEvaluation(last), best: readEvaluation(best) };
}

function folderOf(out: string, seed: number, fold: number): string {
  return join(out, `seed-${seed}`, `fold-${String(fold).padStart(2, '0')}`);
}

function evaluationOf(folder: string, checkpoint: string): string {
  return join(folder, checkpoint.replace('.safetensors', '-evaluation.json'));
}

/** Writes the report and the pooled confusion matrices beside the folds. */
function writeReport(report: KFoldReport): void {
  const { out, seeds, model, folds, classes } = report;
  writeFile(join(out, RESULT), `${JSON.stringify(report, null, 2)}\n`);
  for (const { seed, finished, last, best } of seeds) {
    for (const [name, epoch, pooled] of [
      ['last', 'last epoch', last],
      ['best', 'best epoch (selected on these images)', best],
    ] as const) {
      const title = `${model} on ${FOLDED.title}, ${finished} ${folds} folds: ${share(pooled.accuracy)}`;
      const note = `${epoch}, 95 % interval ${range(pooled.interval)}, ${grouped(pooled.n)} images, seed ${seed}`;
      const picture = confusionMatrix(ConfusionMatrix.from(classes, pooled.confusion), title, note);
      writePicture(join(out, `confusion-${name}${seeds.length > 1 ? `-seed-${seed}` : ''}.png`), picture);
    }
  }
}
