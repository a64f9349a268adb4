// The configuration of a training run by preset, network and data set.

import { ValueError } from '@mien/tensor';
import { expectOneOf, expectOptions } from '@mien/tensor/internal';
import { DATASETS, type DatasetName, datasetOf } from '../datasets/catalog.ts';
import { MODELS, type ModelName, NETWORKS } from '../models/catalog.ts';
import type { InputForm } from '../transforms.ts';
import { configNames, faultOf, PRESETS, type Preset, type TrainingConfig } from './config.ts';

const COLOR: InputForm = { channels: 3, size: 44, mean: 0, std: 1 };
const GRAY: InputForm = { channels: 1, size: 44, mean: 0.5, std: 0.25 };

const REFERENCE = {
  learningRate: 0.01,
  momentum: 0.9,
  nesterov: false,
  weightDecay: 5e-4,
  decayNorm: true,
  clip: { kind: 'value', limit: 0.1 },
  labelSmoothing: 0,
  ema: null,
  crops: 10,
  privateTest: 'each-epoch',
  select: 'public',
  augmentation: null,
} as const;

const BEST = {
  momentum: 0.9,
  nesterov: true,
  weightDecay: 5e-4,
  decayNorm: false,
  clip: { kind: 'norm', limit: 5 },
  labelSmoothing: 0.1,
  privateTest: 'at-end',
  select: 'public',
} as const;

/**
 * The configuration of `model` on `dataset`, with `changes` applied. The default preset is the network's. Throws ValueError
 * for an unknown name or a value out of range.
 */
export function trainingConfig(
  model: ModelName,
  dataset: DatasetName,
  changes: Partial<TrainingConfig> = {},
  preset?: Preset,
): TrainingConfig {
  expectOneOf('trainingConfig', 'model', model, MODELS);
  expectOneOf('trainingConfig', 'dataset', dataset, DATASETS);
  const chosen = preset ?? NETWORKS[model].preset;
  expectOneOf('trainingConfig', 'preset', chosen, PRESETS);
  expectOptions('trainingConfig', changes, configNames());
  const config: TrainingConfig = { ...presetOf(chosen, model, dataset), ...changes };
  const fault = faultOf(config);
  if (fault) throw new ValueError(`trainingConfig: ${fault}`);
  return config;
}

function presetOf(preset: Preset, model: ModelName, dataset: DatasetName): TrainingConfig {
  const { input, recipe } = NETWORKS[model];
  const { reference, best, networks } = datasetOf(dataset).recipes;
  if (preset === 'reference') {
    return { ...REFERENCE, ...reference, input: input === 'gray' ? { ...COLOR, channels: 1 } : COLOR };
  }
  return { ...BEST, ...best, ...recipe, ...networks[model], input: input === 'gray' ? GRAY : COLOR };
}
