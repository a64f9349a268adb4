// From a PyTorch file to a checkpoint of ours, by the networks' own names (Node only).
import { existsSync } from 'node:fs';
import { FormatError, type HostTensor } from '@mien/nn';
import { writeCheckpoint } from '@mien/nn/checkpoint';
import { FileError, readFile, writeFile } from '@mien/nn/files';
import { type PytorchFile, readPytorch } from '@mien/nn/pytorch';
import { Generator, init } from '@mien/tensor';
import { CK_PLUS_CLASSES } from '../../datasets/ckplus.ts';
import { FER2013_CLASSES } from '../../datasets/fer2013.ts';
import type { RunNote } from '../../runs/folder.ts';
import { type DatasetName, type ModelName, trainingConfig } from '../../training/config.ts';
import { bestFit, type Fit } from './fit.ts';
import { type Values, valuesOf } from './listing.ts';

/** What `importWeights` is told. */
export interface ImportOptions {
  /** A file of torch.save that holds a state dict. */
  readonly file: string;
  /** The network that it must fit; by default the one of ours that it does fit. */
  readonly model?: ModelName;
  /** Whose classes the outputs stand for; by default CK+'s where the file tells of the reference's CK+ test, else FER2013's. */
  readonly dataset?: 'fer2013' | 'ck+';
  /** Where the checkpoint goes; by default beside the file, ending in .safetensors. */
  readonly out?: string;
  readonly adapter?: string;
}

/** What was imported. */
export interface ImportReport {
  readonly file: string;
  readonly format: PytorchFile['format'];
  readonly model: ModelName;
  readonly dataset: DatasetName;
  readonly classes: readonly string[];
  /** The dict of the file that holds the weights, by its path; empty for the whole file. */
  readonly from: string;
  readonly tensors: number;
  readonly parameters: number;
  /** From 0, where the file tells. */
  readonly epoch: number | null;
  /** Numbers and words beside the weights. */
  readonly values: Values;
  readonly out: string;
}

/**
 * Converts the reference's released checkpoints, and any state dict with the names and shapes of one of our networks, into
 * a checkpoint that `evaluate` takes. Throws FormatError for what is no file of weights, StateError, naming missing and
 * unexpected names and shapes, for weights of another network.
 */
export async function importWeights(options: ImportOptions): Promise<ImportReport> {
  const { file } = options;
  const read = readPytorch(readFile(file), { file });
  const out = options.out ?? freeName(file, '.safetensors');
  await init(options.adapter === undefined ? {} : { adapter: options.adapter });
  const values = valuesOf(read.value);
  const dataset = options.dataset ?? ('best_Test_acc' in values ? 'ck+' : 'fer2013');
  const { model, expected, prefix, tensors: found } = bestFit(read, options.model, file);
  const tensors = new Map([...expected.keys()].map((name) => [name, hostOf(found, prefix, name, file)]));
  const classes = dataset === 'ck+' ? CK_PLUS_CLASSES : FER2013_CLASSES;
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
  const learnt = [...tensors].filter(([name]) => !/\.(running_mean|running_var|num_batches_tracked)$/.test(name));
  return {
    file,
    format: read.format,
    model,
    dataset,
    classes,
    from: prefix.slice(0, -1),
    tensors: tensors.size,
    parameters: learnt.reduce((sum, [, { data }]) => sum + data.length, 0),
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
    throw new FormatError(`${file}: ${prefix}${name}: a ${tensor.dtype} value is beyond what Mien computes in`);
  if (host.dtype === 'uint32') return { ...host, dtype: 'int32', data: Int32Array.from(host.data) };
  return host;
}

/** The epoch of the weights, by the reference's names: those kept by PrivateTest hold both epochs, and are of the later. */
function epochOf(values: Values): number | null {
  const names = ['best_PrivateTest_acc_epoch', 'best_Test_acc_epoch', 'best_PublicTest_acc_epoch', 'epoch'];
  const found = names.map((name) => values[name]).find((epoch) => Number.isSafeInteger(epoch) && Number(epoch) >= 0);
  return found === undefined ? null : Number(found);
}

/** The reference's bests under our names: accuracies are fractions here, percentages there. */
function bestsOf(values: Values): Partial<RunNote> {
  const number = (name: string, scale: number): number | null => {
    const value = values[name];
    return typeof value === 'number' && Number.isFinite(value) ? value / scale : null;
  };
  const test = 'best_Test_acc' in values ? 'best_Test_acc' : 'best_PublicTest_acc';
  return {
    bestTestAccuracy: number(test, 100),
    bestEpoch: number(`${test}_epoch`, 1),
    bestPrivateTestAccuracy: number('best_PrivateTest_acc', 100),
    bestPrivateEpoch: number('best_PrivateTest_acc_epoch', 1),
  };
}

/** `file` with another ending. Throws FileError where such a file exists: it may be somebody's only checkpoint. */
export function freeName(file: string, ending: string): string {
  const out = file.replace(/(\.pth\.tar|\.[^./\\]*)?$/, ending);
  if (existsSync(out)) throw new FileError(`${out}: exists; name the file to write with --out`);
  return out;
}
