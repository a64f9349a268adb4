// The command that repeats a run.

import type { DatasetName } from '../../datasets/catalog.ts';
import type { Summary } from '../../runs/events.ts';
import { settingText } from '../../runs/settingText.ts';
import { PRESETS, type TrainingConfig } from '../../training/config.ts';
import { trainingConfig } from '../../training/presets.ts';

/** A shell command, and the settings that it cannot set. */
export interface Repeat {
  readonly command: string;
  /** Settings that differ from the preset's and have no option. */
  readonly besides: readonly string[];
}

/** `mien train` with the options of a run; `data` is the path of its data set, null for drawn faces. */
export function repeatOf(summary: Summary, data: string | null): Repeat {
  const { model, fold, folds, seed, init } = summary;
  const dataset = summary.dataset as DatasetName;
  const byDefault = trainingConfig(model, dataset);
  const [preset, differences] = PRESETS.map((name) => {
    const config = trainingConfig(model, dataset, {}, name);
    return [name, differing(config, summary.protocol)] as const;
  }).reduce((a, b) => (b[1].length < a[1].length ? b : a));
  const isDefault = differing(byDefault, trainingConfig(model, dataset, {}, preset)).length === 0;
  const args = ['mien train', `--model ${model}`];
  if (data !== null) args.push(`--data ${quoted(data)}`);
  if (!isDefault) args.push(`--preset ${preset}`);
  if (fold !== null) args.push(`--fold ${fold}`);
  if (folds !== null && folds !== 'reference') args.push(`--folds ${folds}`);
  if (init !== null) args.push(`--init ${quoted(init)}`);
  const besides: string[] = [];
  for (const name of differences) {
    const option = OPTIONS[name];
    if (option) args.push(`${option.name} ${option.value(summary.protocol)}`);
    else besides.push(name);
  }
  args.push(`--seed ${seed}`);
  return { command: args.join(' '), besides };
}

interface SettingOption {
  readonly name: string;
  readonly value: (config: TrainingConfig) => string;
}

const OPTIONS: { readonly [Name in keyof TrainingConfig]?: SettingOption } = {
  epochs: { name: '--epochs', value: (config) => String(config.epochs) },
  batchSize: { name: '--batch-size', value: (config) => String(config.batchSize) },
  microBatch: { name: '--micro-batch', value: (config) => String(config.microBatch) },
  learningRate: { name: '--lr', value: (config) => String(config.learningRate) },
  momentum: { name: '--momentum', value: (config) => String(config.momentum) },
  weightDecay: { name: '--weight-decay', value: (config) => String(config.weightDecay) },
  labelSmoothing: { name: '--label-smoothing', value: (config) => String(config.labelSmoothing) },
  softLabels: { name: '--soft-labels', value: (config) => String(config.softLabels ?? 0) },
  ema: { name: '--ema', value: (config) => String(config.ema ?? 0) },
  crops: { name: '--test-crops', value: (config) => String(config.crops) },
  select: { name: '--select', value: (config) => config.select },
  augmentation: {
    name: '--augment',
    value: ({ augmentation }) =>
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
  return names.filter((name) => settingText(a[name]) !== settingText(b[name]));
}

function quoted(path: string): string {
  return /^[\w./@%+=:-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
