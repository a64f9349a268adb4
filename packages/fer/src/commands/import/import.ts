// Converts a PyTorch file to a checkpoint, by the names of the networks' tensors (Node only).

import { FormatError, type HostTensor } from '@mien/nn';
import { writeCheckpoint } from '@mien/nn/checkpoint';
import { readFile, writeFile } from '@mien/nn/files';
import { type PytorchFile, readPytorch } from '@mien/nn/pytorch';
import { Generator, init } from '@mien/tensor';
import { expectOptions, optionNames } from '@mien/tensor/internal';
import type { DatasetName } from '../../datasets/catalog.ts';
import { CATALOG, datasetOf } from '../../datasets/catalog.ts';
import { FER2013 } from '../../datasets/fer2013.ts';
import type { ModelName } from '../../models/catalog.ts';
import type { RunNote } from '../../runs/folder.ts';
import { freeName } from '../../runs/outputFile.ts';
import { isStatistic } from '../../training/checkpoint.ts';
import { trainingConfig } from '../../training/presets.ts';
import { bestFit, type Fit } from './fit.ts';
import { type Values, valuesOf } from './listing.ts';

/** Options of `importWeights`. */
export interface ImportOptions {
  /** A file of torch.save with a state dict. */
  readonly file: string;
  /** Requires this network. Default: the one that fits. */
  readonly model?: ModelName;
  /** The data set of the output classes. Default: CK+ where the file has the accuracy of the reference's CK+ test, else FER2013. */
  readonly dataset?: DatasetName;
  /** The checkpoint to write. Default: the file's name with the extension .safetensors. */
  readonly out?: string;
  readonly adapter?: string;
}

const importWeightsOptions = optionNames<ImportOptions>({
  file: true,
  model: true,
  dataset: true,
  out: true,
  adapter: true,
});

/** The result of `importWeights`. */
export interface ImportReport {
  readonly file: string;
  readonly format: PytorchFile['format'];
  readonly model: ModelName;
  readonly dataset: DatasetName;
  readonly classes: readonly string[];
  /** The path, in the file, of the dict with the weights; empty for the top level. */
  readonly from: string;
  readonly tensors: number;
  readonly parameters: number;
  /** From 0; null where the file has none. */
  readonly epoch: number | null;
  /** Numbers and texts beside the weights. */
  readonly values: Values;
  readonly out: string;
}

/**
 * Converts the reference's released checkpoints, and any state dict with the names and shapes of one of this package's
 * networks, to a checkpoint for `evaluate`. Throws FormatError for a file without weights, and StateError, naming missing and
 * unexpected tensors, for weights of another network.
 */
export async function importWeights(options: ImportOptions): Promise<ImportReport> {
  expectOptions('importWeights', options, importWeightsOptions);
  const { file } = options;
  const read = readPytorch(readFile(file), { file });
  const out = options.out ?? freeName(file, '.safetensors');
  await init(options.adapter === undefined ? {} : { adapter: options.adapter });
  const values = valuesOf(read.value);
  const dataset = options.dataset ?? testedOn(values) ?? FER2013.name;
  const { classes } = datasetOf(dataset);
  const { model, expected, prefix, tensors: found } = bestFit(read, options.model, classes.length, file);
  const tensors = new Map([...expected.keys()].map((name) => [name, hostOf(found, prefix, name, file)]));
  const preset = trainingConfig(model, dataset);
  const epoch = epochOf(values);
  const epochs = epoch === null ? 0 : epoch + 1;
  const bytes = await writeCheckpoint({
    info: {
      model,
      classes,
      input: { ...preset.input },
      preset: JSON.parse(JSON.stringify(preset)),
      epoch: epochs,
      step: 0,
      seed: 0,
      generator: new Generator(0).state(),
      shuffle: { seed: 0, epoch: epochs, batch: 0 },
      extra: { note: { dataset, ...bestsOf(values) }, sums: { loss: 0, correct: 0, images: 0, learningRate: 0 } },
    },
    model: tensors,
  });
  writeFile(out, bytes);
  const parameters = [...tensors].filter(([name]) => !isStatistic(name));
  return {
    file,
    format: read.format,
    model,
    dataset,
    classes,
    from: prefix.slice(0, -1),
    tensors: tensors.size,
    parameters: parameters.reduce((sum, [, { data }]) => sum + data.length, 0),
    epoch,
    values,
    out,
  };
}

function hostOf(tensors: Fit['tensors'], prefix: string, name: string, file: string): HostTensor {
  const tensor = tensors.get(name);
  if (!tensor) return { shape: [], dtype: 'int32', data: Int32Array.of(0) };
  const host = tensor.toHost();
  if (!host)
    throw new FormatError(`${file}: ${prefix}${name}: a ${tensor.dtype} value is out of range for int32 and float32`);
  if (host.dtype === 'uint32') return { ...host, dtype: 'int32', data: Int32Array.from(host.data) };
  return host;
}

/** The data set whose test the file has the accuracy of, under the reference's names. */
function testedOn(values: Values): DatasetName | undefined {
  return CATALOG.find(({ pytorchTest, folds }) => folds && `best_${pytorchTest}_acc` in values)?.name;
}

/** The reference's names of the test accuracies of any data set. */
const TESTS: readonly string[] = [...new Set(CATALOG.map(({ pytorchTest }) => `best_${pytorchTest}_acc`))];

/** The epoch of the weights. Files selected on PrivateTest have both epochs; its epoch is the one of the weights. */
function epochOf(values: Values): number | null {
  const names = ['best_PrivateTest_acc_epoch', ...[...TESTS].reverse().map((test) => `${test}_epoch`), 'epoch'];
  const found = names.map((name) => values[name]).find((epoch) => Number.isSafeInteger(epoch) && Number(epoch) >= 0);
  return found === undefined ? null : Number(found);
}

/** The reference's best accuracies, which are percentages there and fractions here. */
function bestsOf(values: Values): Partial<RunNote> {
  const number = (name: string, scale: number): number | null => {
    const value = values[name];
    return typeof value === 'number' && Number.isFinite(value) ? value / scale : null;
  };
  const test = [...TESTS].reverse().find((name) => name in values) ?? (TESTS[0] as string);
  return {
    bestTestAccuracy: number(test, 100),
    bestEpoch: number(`${test}_epoch`, 1),
    bestPrivateTestAccuracy: number('best_PrivateTest_acc', 100),
    bestPrivateEpoch: number('best_PrivateTest_acc_epoch', 1),
  };
}
