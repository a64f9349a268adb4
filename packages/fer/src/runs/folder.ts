// A run's folder: names, reading back, refusing what does not belong.
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FormatError } from '@mien/nn';
import { FileError, readFile } from '@mien/nn/files';
import { type ReadCheckpoint, readTraining } from '../training/checkpoint.ts';
import { FOLD_KINDS, type FoldKind } from '../datasets/ckplus.ts';
import type { Note } from '../training/training.ts';
import { DATASETS, type DatasetName, faultOf, MODELS, type ModelName } from '../training/config.ts';
import { SHIPPED, type ShippedName, shippedWeights } from '../weights.ts';
import type { EpochMetrics, Summary } from './events.ts';

export const LAST = 'last.safetensors';
export const BEST = 'best.safetensors';
export const BEST_PRIVATE = 'best-private.safetensors';
export const METRICS = 'metrics.jsonl';
export const SUMMARY = 'summary.json';

/** What a run adds to its checkpoints. */
export interface RunNote extends Note {
  readonly dataset: DatasetName;
  readonly data: string | null;
  readonly fold: number | null;
  /** How CK+ was cut into folds. */
  readonly folds?: FoldKind | null;
  readonly drawnSeed: number;
  /** The checkpoint whose weights it started from. */
  readonly init?: string | null;
  readonly bestEpoch: number | null;
  readonly bestTestAccuracy: number | null;
  readonly bestPrivateEpoch: number | null;
  readonly bestPrivateTestAccuracy: number | null;
  /** Seconds of the whole run and of the epoch that it is in, before this checkpoint. */
  readonly trainSeconds: number;
  readonly epochSeconds: number;
  /** What `mien export` measured: see `Figures`. */
  readonly temperature?: number;
  readonly margin?: number;
  readonly privateImages?: number;
  readonly privateAccuracy?: number;
  readonly privateAccuracyWithoutDuplicates?: number;
  readonly privateEce?: number;
}

/** A checkpoint with what its run noted. */
export interface ReadRun extends ReadCheckpoint {
  readonly note: Partial<RunNote>;
}

/** A checkpoint with the name that it goes by: its path, or that of a network which comes with the package. */
export interface NamedRun extends ReadRun {
  readonly file: string;
}

/**
 * Reads what `weights` means: `small` or `nano` as they come with the package, a checkpoint file, or the last one of a run
 * folder. A file or folder of your own that is called so goes by `./small`.
 */
export async function readWeights(weights: string): Promise<NamedRun> {
  if (isShipped(weights)) return { file: weights, ...readRunBytes(await shippedWeights(weights), weights) };
  const file = checkpointOf(weights);
  return { file, ...readCheckpointFile(file) };
}

/** What stays the same name from another folder: a network of the package, or the whole path of a checkpoint. */
export function pathOf(weights: string): string {
  return isShipped(weights) ? weights : resolve(checkpointOf(weights));
}

function isShipped(weights: string): weights is ShippedName {
  return SHIPPED.some((name) => name === weights);
}

/** Reads a checkpoint file. Throws FileError or FormatError naming it. */
export function readCheckpointFile(file: string): ReadRun {
  return readRunBytes(readFile(file), file);
}

function readRunBytes(bytes: Uint8Array, file: string): ReadRun {
  const checkpoint = readTraining(bytes, file);
  const extra = checkpoint.info.extra as { readonly note: Partial<RunNote> } | undefined;
  const note = extra?.note ?? {};
  for (const [name, value] of Object.entries(note)) {
    const words = ['data', 'dataset', 'folds', 'init'].includes(name);
    const known =
      (name !== 'dataset' || DATASETS.includes(value as DatasetName)) &&
      (name !== 'folds' || value === null || FOLD_KINDS.includes(value as FoldKind));
    if (known && (value === null || typeof value === (words ? 'string' : 'number'))) continue;
    throw new FormatError(
      `${file}: metadata mien: note.${name} is ${JSON.stringify(value)}; it was edited, or another version wrote it`,
    );
  }
  return { ...checkpoint, note };
}

/** Reads the last or the best checkpoint of a run folder. */
export function readRun(folder: string, from: 'last' | 'best'): ReadRun {
  const file = join(folder, from === 'best' ? BEST : LAST);
  if (!existsSync(file)) throw new FileError(`${file}: does not exist; resume takes the folder of an earlier run`);
  return readCheckpointFile(file);
}

/** The lines of a run's metrics. */
export function readMetrics(folder: string): EpochMetrics[] {
  const file = join(folder, METRICS);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
  return lines.map((line, i) => {
    try {
      return JSON.parse(line) as EpochMetrics;
    } catch {
      throw new FormatError(`${file}, line ${i + 1}: not JSON`);
    }
  });
}

/** The summary of a run, or null where there is none. Throws FormatError for one that was edited. */
export function readSummary(folder: string): Summary | null {
  const file = join(folder, SUMMARY);
  if (!existsSync(file)) return null;
  const summary = readJson(file);
  const fault = faultOfSummary(Object(summary));
  if (fault) throw new FormatError(`${file}: ${fault}; it was edited, or another version wrote it`);
  return summary as Summary;
}

/** What a JSON file holds. Throws FormatError where it is not JSON. */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new FormatError(`${file}: not JSON (${cause instanceof Error ? cause.message : cause})`);
  }
}

/** What is wrong with a summary that comes from a file, or null. */
function faultOfSummary(summary: Partial<Record<keyof Summary, unknown>>): string | null {
  const numbers = ['epochs', 'steps', 'seed', 'parameters', 'trainImages', 'testImages', 'trainSeconds'] as const;
  const number = numbers.find((name) => !Number.isFinite(summary[name]));
  if (number) return `${number} is ${JSON.stringify(summary[number])}, expected a number`;
  const { model, dataset, folds, fold } = summary;
  if (!MODELS.includes(model as ModelName))
    return `model is ${JSON.stringify(model)}, expected one of ${MODELS.join(', ')}`;
  if (!DATASETS.includes(dataset as DatasetName))
    return `dataset is ${JSON.stringify(dataset)}, expected one of ${DATASETS.join(', ')}`;
  if (fold !== null && !(Number.isInteger(fold) && FOLD_KINDS.includes(folds as FoldKind)))
    return `fold is ${fold}, folds ${folds}`;
  return faultOf(summary.protocol);
}

/** runs/<name>, or the first of runs/<name>-2, -3, ... that does not exist. */
export function freeFolder(name: string): string {
  const path = (n: number): string => join('runs', n === 1 ? name : `${name}-${n}`);
  let n = 1;
  while (existsSync(path(n))) n++;
  return path(n);
}

/** Makes a folder and those above it. Throws FileError where that fails. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw new FileError(`${path}: cannot be made (${cause instanceof Error ? cause.message : cause})`, { cause });
  }
}

/** The checkpoint that `weights` means: a file itself, or the last one of a run folder. */
function checkpointOf(weights: string): string {
  const folder = statSync(weights, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return folder ? join(weights, LAST) : weights;
}
