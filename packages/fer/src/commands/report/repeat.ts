// The command that repeats a run.

import type { Summary } from '../../runs/events.ts';
import { type DatasetName, PRESETS, type TrainingConfig, trainingConfig } from '../../training/config.ts';

/** Words of a shell, and what of the protocol no option of the command sets. */
export interface Repeat {
  readonly command: string;
  /** Names of settings that differ from the preset's and were given by a program. */
  readonly besides: readonly string[];
}

/** `mien train` with the words that give a run's protocol; `data` is where its images are, null for drawn ones. */
export function repeatOf(summary: Summary, data: string | null): Repeat {
  const { model, fold, folds, seed, init } = summary;
  const dataset = summary.dataset as DatasetName;
  const usual = trainingConfig(model, dataset);
  const [preset, differences] = PRESETS.map((name) => {
    const of = trainingConfig(model, dataset, {}, name);
    return [name, differing(of, summary.protocol)] as const;
  }).reduce((a, b) => (b[1].length < a[1].length ? b : a));
  const isUsual = differing(usual, trainingConfig(model, dataset, {}, preset)).length === 0;
  const words = ['mien train', `--model ${model}`];
  if (data !== null) words.push(`--data ${quoted(data)}`);
  if (!isUsual) words.push(`--preset ${preset}`);
  if (fold !== null) words.push(`--fold ${fold}`);
  if (folds !== null && folds !== 'reference') words.push(`--folds ${folds}`);
  if (init !== null) words.push(`--init ${quoted(init)}`);
  const besides: string[] = [];
  for (const name of differences) {
    const option = OPTIONS[name];
    if (option) words.push(`${option.name} ${option.words(summary.protocol)}`);
    else besides.push(name);
  }
  words.push(`--seed ${seed}`);
  return { command: words.join(' '), besides };
}

interface Named {
  readonly name: string;
  readonly words: (of: TrainingConfig) => string;
}

const OPTIONS: { readonly [Name in keyof TrainingConfig]?: Named } = {
  epochs: { name: '--epochs', words: (of) => String(of.epochs) },
  batchSize: { name: '--batch-size', words: (of) => String(of.batchSize) },
  microBatch: { name: '--micro-batch', words: (of) => String(of.microBatch) },
  learningRate: { name: '--lr', words: (of) => String(of.learningRate) },
  momentum: { name: '--momentum', words: (of) => String(of.momentum) },
  weightDecay: { name: '--weight-decay', words: (of) => String(of.weightDecay) },
  labelSmoothing: { name: '--label-smoothing', words: (of) => String(of.labelSmoothing) },
  softLabels: { name: '--soft-labels', words: (of) => String(of.softLabels ?? 0) },
  ema: { name: '--ema', words: (of) => String(of.ema ?? 0) },
  crops: { name: '--test-crops', words: (of) => String(of.crops) },
  select: { name: '--select', words: (of) => of.select },
  augmentation: {
    name: '--augment',
    words: ({ augmentation }) =>
      augmentation === null
        ? 'none'
        : Object.entries(augmentation)
            .filter(([, bound]) => bound !== 0)
            .map(([name, bound]) => `${name}=${bound}`)
            .join(','),
  },
};

function differing(a: TrainingConfig, b: TrainingConfig): (keyof TrainingConfig)[] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])] as (keyof TrainingConfig)[];
  return names.filter((name) => flat(a[name]) !== flat(b[name]));
}

/** A setting as text that does not depend on the order of its names. */
export function flat(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const parts = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return parts.map(([name, each]) => `${name} ${flat(each)}`).join(', ');
}

function quoted(path: string): string {
  return /^[\w./@%+=:-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
