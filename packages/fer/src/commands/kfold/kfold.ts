// All ten folds of CK+, each in a run folder of its own, resumable at any fold and step (Node only).
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { writeFile } from '@mien/nn/files';
import { ValueError } from '@mien/tensor';
import { CK_PLUS_FOLDS, type FoldKind, folds as foldsOf, type Leaks, leaksOf } from '../../datasets/ckplus.ts';
import type { Faces } from '../../datasets/faces.ts';
import { confusionMatrix } from '../../figures/confusionMatrix.ts';
import { ConfusionMatrix } from '../../metrics.ts';
import { range, share, whole } from '../../runs/accuracy.ts';
import { claim } from '../../runs/claim.ts';
import { obtain } from '../../runs/data.ts';
import type { RunEvent, Summary } from '../../runs/events.ts';
import { BEST, LAST, makeFolder, readSummary } from '../../runs/folder.ts';
import type { ModelName, Preset, TrainingConfig } from '../../training/config.ts';
import { type Confusions, readEvaluation, writePicture } from '../evaluate/confusions.ts';
import { evaluate } from '../evaluate/evaluate.ts';
import { train } from '../train/train.ts';
import { type Pooled, type PoolPart, poolFolds } from './pooling.ts';
import { SETTINGS, type Settings, settle } from './settings.ts';

/** What `kfold` is told. A folder that holds folds already knows all but what is asked for now. */
export interface KFoldOptions {
  readonly model?: ModelName;
  /** A CK+48 folder. */
  readonly data?: string;
  /** Faces that are read already; goes before `data`. */
  readonly faces?: Faces;
  /** How CK+ is cut into folds. Default `reference`. */
  readonly folds?: FoldKind;
  /** Ten folds for each. Default: those of the folder, or 1. */
  readonly seeds?: readonly number[];
  /** The first and the last fold to train; the report is of all that are finished. */
  readonly only?: readonly [first: number, last: number];
  /** A checkpoint or run folder whose weights each fold starts from. */
  readonly init?: string;
  readonly preset?: Preset;
  /** Changes to the protocol of the network on CK+. */
  readonly protocol?: Partial<TrainingConfig>;
  /** Default runs/kfold-<model>-<folds>. */
  readonly out?: string;
  readonly checkpointEvery?: number;
  readonly adapter?: string;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: RunEvent | FoldEvent) => void;
}

/** Which fold comes next, and whether it is new, gone on with, finished and so only read, or in another process's hands. */
export interface FoldEvent {
  readonly event: 'fold';
  readonly seed: number;
  readonly fold: number;
  readonly state: 'new' | 'resumed' | 'finished' | 'elsewhere';
}

/** One finished fold. */
export interface FoldResult {
  readonly seed: number;
  readonly fold: number;
  /** Test images. */
  readonly n: number;
  /** Accuracies, ten-crop, of the last epoch and of the one that did best on these same images. */
  readonly last: number;
  readonly best: number;
  readonly bestEpoch: number;
  readonly epochs: number;
  readonly trainSeconds: number;
}

/** The folds of one seed, pooled. */
export interface SeedResult {
  readonly seed: number;
  /** How many of the ten are finished. */
  readonly finished: number;
  readonly last: Pooled;
  readonly best: Pooled;
}

/** What `kfold` found. */
export interface KFoldReport {
  readonly adapter: string | null;
  readonly model: ModelName;
  readonly folds: FoldKind;
  readonly init: string | null;
  readonly out: string;
  readonly protocol: TrainingConfig;
  readonly results: readonly FoldResult[];
  /** Folds that are still to be trained. */
  readonly missing: readonly { readonly seed: number; readonly fold: number }[];
  readonly seeds: readonly SeedResult[];
  readonly leaks: Leaks;
  readonly classes: readonly string[];
}

const RESULT = 'result.json';

/**
 * Trains what is not finished of the ten folds of each seed, and reports all that is: the last epoch's figures and, as the
 * reference counts, those of the epoch that did best on the test images. Stopped by its signal, it goes on with the next
 * call. Throws ValueError where `out` holds folds of other settings.
 */
export async function kfold(options: KFoldOptions): Promise<KFoldReport> {
  const { onEvent = () => {}, signal } = options;
  const out = resolve(options.out ?? join('runs', `kfold-${options.model}-${options.folds ?? 'reference'}`));
  const settings = settle(out, options);
  const seeds = options.seeds ?? seedsOf(out);
  for (const seed of seeds) {
    if (!Number.isSafeInteger(seed) || seed < 0) throw new ValueError(`kfold: seed ${seed}, expected an integer`);
  }
  const [first, last] = options.only ?? [1, CK_PLUS_FOLDS];
  if (![first, last].every((fold) => Number.isInteger(fold) && fold >= 1 && fold <= CK_PLUS_FOLDS) || first > last) {
    throw new ValueError(`kfold: only ${first} to ${last}, expected folds from 1 to ${CK_PLUS_FOLDS}`);
  }
  if (settings.data === null && !options.faces) {
    throw new ValueError('kfold: which CK+48 folder? (data is missing)');
  }
  const faces = options.faces ?? (await obtain(settings.data, 1, onEvent));
  if (faces.dataset !== 'ck+') throw new ValueError(`kfold: ${settings.data} is ${faces.dataset}; folds are CK+'s`);
  const all = foldsOf(faces, settings.folds);
  makeFolder(out);
  writeFile(join(out, SETTINGS), `${JSON.stringify(settings, null, 2)}\n`);
  for (const seed of seeds) {
    for (let fold = first; fold <= last; fold++) {
      if (signal?.aborted) break;
      await bring(out, settings, faces, seed, fold, options);
    }
  }
  const finished = seeds.flatMap((seed) => all.flatMap((_, i) => readFold(out, seed, i + 1) ?? []));
  const report: KFoldReport = {
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
    missing: seeds.flatMap((seed) =>
      all.flatMap((_, i) => (finished.some((f) => f.seed === seed && f.fold === i + 1) ? [] : [{ seed, fold: i + 1 }])),
    ),
    seeds: seeds.flatMap((seed) => {
      const own = finished.filter((f) => f.seed === seed);
      const part = (of: 'last' | 'best'): PoolPart[] =>
        own.map((f) => ({ tested: all[f.fold - 1]?.test.indices ?? [], confusion: f[of].confusion }));
      if (own.length === 0) return [];
      const pool = (of: 'last' | 'best'): Pooled => poolFolds(part(of), faces.classes);
      return [{ seed, finished: own.length, last: pool('last'), best: pool('best') }];
    }),
    leaks: leaksOf(all),
    classes: faces.classes,
  };
  if (report.results.length > 0) write(report);
  return report;
}

/** Trains or resumes a fold that is not finished, and evaluates its last and best checkpoints where that is not done. */
async function bring(
  out: string,
  settings: Settings,
  faces: Faces,
  seed: number,
  fold: number,
  { onEvent = () => {}, signal, adapter, checkpointEvery }: KFoldOptions,
): Promise<void> {
  const folder = folderOf(out, seed, fold);
  const common = {
    faces,
    onEvent,
    claimed: true,
    ...(signal ? { signal } : {}),
    ...(adapter === undefined ? {} : { adapter }),
  };
  const { model, folds, data, init } = settings;
  if (readFold(out, seed, fold)) {
    onEvent({ event: 'fold', seed, fold, state: 'finished' });
    return;
  }
  const release = claim(folder);
  if (!release) {
    onEvent({ event: 'fold', seed, fold, state: 'elsewhere' });
    return;
  }
  try {
    if (!readSummary(folder)?.complete) {
      const going = existsSync(join(folder, LAST));
      onEvent({ event: 'fold', seed, fold, state: going ? 'resumed' : 'new' });
      const every = checkpointEvery === undefined ? {} : { checkpointEvery };
      const { summary } = going
        ? await train({ ...common, ...every, resume: folder, fold, folds })
        : await train({
            ...common,
            ...every,
            model,
            fold,
            folds,
            seed,
            out: folder,
            protocol: settings.protocol,
            ...(data === null ? {} : { data }),
            ...(init === null ? {} : { init }),
          });
      if (!summary.complete) return;
    }
    for (const name of [LAST, BEST]) {
      const report = await evaluate({ ...common, weights: join(folder, name), fold, folds });
      writeFile(evaluationOf(folder, name), `${JSON.stringify(report)}\n`);
    }
  } finally {
    release();
  }
}

/** Seeds that the folder has folds of; 1 where there are none. */
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

/** A fold that is trained and evaluated, or null. Throws FormatError naming a file that was edited. */
function readFold(out: string, seed: number, fold: number): FinishedFold | null {
  const folder = folderOf(out, seed, fold);
  const [last, best] = [LAST, BEST].map((name) => evaluationOf(folder, name)) as [string, string];
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

/** The report and the pooled confusion matrices, beside the folds. */
function write(report: KFoldReport): void {
  const { out, seeds, model, folds, classes } = report;
  writeFile(join(out, RESULT), `${JSON.stringify(report, null, 2)}\n`);
  for (const { seed, finished, last, best } of seeds) {
    for (const [name, epoch, pooled] of [
      ['last', 'last epoch', last],
      ['best', 'best epoch (chosen on these images)', best],
    ] as const) {
      const title = `${model} on CK+, ${finished} ${folds} folds: ${share(pooled.accuracy)}`;
      const note = `${epoch}, 95 % interval ${range(pooled.interval)}, ${whole(pooled.n)} images, seed ${seed}`;
      const picture = confusionMatrix(ConfusionMatrix.from(classes, pooled.confusion), title, note);
      writePicture(join(out, `confusion-${name}${seeds.length > 1 ? `-seed-${seed}` : ''}.png`), picture);
    }
  }
}
