// Run folders: file names, and reading their files (Node only).

import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FormatError } from '@mien/nn';
import { FileError, readFile } from '@mien/nn/files';
import { DATASETS, type DatasetName, isDatasetName } from '../datasets/catalog.ts';
import { FOLD_KINDS, type FoldKind } from '../datasets/dataset.ts';
import { isModelName, MODELS } from '../models/catalog.ts';
import { type ReadCheckpoint, readTraining } from '../training/checkpoint.ts';
import { faultOf } from '../training/config.ts';
import type { Note } from '../training/options.ts';
import { SHIPPED, type ShippedName, shippedWeights } from '../weights.ts';
import type { EpochMetrics, Summary } from './events.ts';

export const LAST = 'last.safetensors';
export const BEST = 'best.safetensors';
export const BEST_PRIVATE = 'best-private.safetensors';
export const METRICS = 'metrics.jsonl';
export const SUMMARY = 'summary.json';

/** The facts that a run adds to its checkpoints. */
export interface RunNote extends Note {
  readonly dataset: DatasetName;
  readonly data: string | null;
  readonly fold: number | null;
  /** The kind of folds. */
  readonly folds?: FoldKind | null;
  readonly drawnSeed: number;
  /** The checkpoint with the initial weights. */
  readonly init?: string | null;
  readonly bestEpoch: number | null;
  readonly bestTestAccuracy: number | null;
  readonly bestPrivateEpoch: number | null;
  readonly bestPrivateTestAccuracy: number | null;
  /** Seconds of the run, and of the current epoch, before this checkpoint. */
  readonly trainSeconds: number;
  readonly epochSeconds: number;
  /** The figures of `mien export`. */
  readonly temperature?: number;
  readonly margin?: number;
  readonly privateImages?: number;
  readonly privateAccuracy?: number;
  readonly privateAccuracyWithoutDuplicates?: number;
  readonly privateEce?: number;
}

/** A checkpoint with the facts of its run. */
export interface ReadRun extends ReadCheckpoint {
  readonly note: Partial<RunNote>;
}

/** A checkpoint with its path, or the name of a shipped network. */
export interface NamedRun extends ReadRun {
  readonly file: string;
}

/**
 * Reads `weights`: `small` or `nano` as shipped with the package, a checkpoint file, or the last checkpoint of a run folder.
 * A file or folder with the name of a network is `./small`.
 */
export async function readWeights(weights: string): Promise<NamedRun> {
  if (isShipped(weights)) return { file: weights, ...readRunBytes(await shippedWeights(weights), weights) };
  const file = checkpointOf(weights);
  return { file, ...readCheckpointFile(file) };
}

/** A name that does not depend on the working directory: a shipped network, or the absolute path of a checkpoint. */
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
    const isText = ['data', 'dataset', 'folds', 'init'].includes(name);
    const known =
      (name !== 'dataset' || isDatasetName(value)) &&
      (name !== 'folds' || value === null || FOLD_KINDS.includes(value as FoldKind));
    if (known && (value === null || typeof value === (isText ? 'string' : 'number'))) continue;
    throw new FormatError(
      `${file}: metadata mien: note.${name} is ${JSON.stringify(value)}; the file was edited, or written by another version`,
    );
  }
  return { ...checkpoint, note };
}

/** Reads the last or the best checkpoint of a run folder. */
export function readRun(folder: string, from: 'last' | 'best'): ReadRun {
  const file = join(folder, from === 'best' ? BEST : LAST);
  if (!existsSync(file)) throw new FileError(`${file}: does not exist; --resume expects a run folder`);
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

/** The summary of a run, or null where there is none. Throws FormatError for an edited file. */
export function readSummary(folder: string): Summary | null {
  const file = join(folder, SUMMARY);
  if (!existsSync(file)) return null;
  const summary = readJson(file);
  const fault = faultOfSummary(Object(summary));
  if (fault) throw new FormatError(`${file}: ${fault}; the file was edited, or written by another version`);
  return summary as Summary;
}

/** Reads a JSON file. Throws FormatError where it is not JSON. */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new FormatError(`${file}: not JSON (${cause instanceof Error ? cause.message : cause})`);
  }
}

/** The problem of a summary from a file, or null. */
function faultOfSummary(summary: Partial<Record<keyof Summary, unknown>>): string | null {
  const numbers = ['epochs', 'steps', 'seed', 'parameters', 'trainImages', 'testImages', 'trainSeconds'] as const;
  const number = numbers.find((name) => !Number.isFinite(summary[name]));
  if (number) return `${number} must be a number, got ${JSON.stringify(summary[number])}`;
  const { model, dataset, folds, fold } = summary;
  if (!isModelName(model)) return `model must be one of ${MODELS.join(', ')}, got ${JSON.stringify(model)}`;
  if (!isDatasetName(dataset)) return `dataset must be one of ${DATASETS.join(', ')}, got ${JSON.stringify(dataset)}`;
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

/** Creates a folder and its parents. Throws FileError where that fails. */
export function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (cause) {
    throw new FileError(`${path}: cannot be created (${cause instanceof Error ? cause.message : cause})`, { cause });
  }
}

/** The checkpoint file of `weights`: itself, or the last checkpoint of a run folder. */
function checkpointOf(weights: string): string {
  const folder = statSync(weights, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return folder ? join(weights, LAST) : weights;
}
