// Converts a checkpoint to a PyTorch file in the reference's layout (Node only).

import type { HostTensor } from '@mien/nn';
import { writeFile } from '@mien/nn/files';
import { type Writable, type WritableTensor, writePytorch } from '@mien/nn/pytorch';
import { expectOptions, optionNames } from '@mien/tensor/internal';
import { datasetOf } from '../../datasets/catalog.ts';
import { FER2013 } from '../../datasets/fer2013.ts';
import type { ModelName } from '../../models/catalog.ts';
import { type RunNote, readWeights } from '../../runs/folder.ts';
import { freeName } from '../../runs/outputFile.ts';

/** Options of `exportPytorch`. */
export interface PytorchExportOptions {
  /** `small` or `nano`, a checkpoint file, or a run folder (its last checkpoint). */
  readonly weights: string;
  /** The PyTorch file to write. Default: the checkpoint's name with the reference's extension .t7. */
  readonly out?: string;
}

const exportPytorchOptions = optionNames<PytorchExportOptions>({ weights: true, out: true });

/** The result of `exportPytorch`. */
export interface PytorchExportReport {
  readonly file: string;
  readonly model: ModelName;
  readonly tensors: number;
  /** Whether these are averaged weights, which `evaluate` prefers. */
  readonly averaged: boolean;
  readonly values: Readonly<Record<string, number>>;
  readonly out: string;
}

/**
 * Writes the weights that `evaluate` uses as `{'net': state_dict, ...}`, with the best accuracies and epochs under the
 * reference's names where the checkpoint has them. Read it with `torch.load(file, weights_only=True)['net']`.
 */
export async function exportPytorch(options: PytorchExportOptions): Promise<PytorchExportReport> {
  expectOptions('exportPytorch', options, exportPytorchOptions);
  const { file, name, note, model, ema } = await readWeights(options.weights);
  const out = options.out ?? freeName(file, '.t7');
  const net = new Map(Array.from(model, ([key, value]) => [key, written(key, ema.get(key) ?? value)] as const));
  const values = bests(note);
  // Accuracies are tensors, as in the reference's files; weights_only of PyTorch 1.13 refuses Python floats.
  const beside = Object.entries(values).map(([key, value]): [string, Writable] => [
    key,
    key.endsWith('_acc') ? { shape: [], dtype: 'float32', data: Float32Array.of(value) } : value,
  ]);
  writeFile(out, writePytorch({ net, ...Object.fromEntries(beside) }));
  return { file, model: name, tensors: net.size, averaged: ema.size > 0, values, out };
}

/** PyTorch counts batches in int64. */
function written(name: string, tensor: HostTensor): WritableTensor {
  if (!name.endsWith('.num_batches_tracked')) return tensor;
  return { shape: tensor.shape, dtype: 'int64', data: BigInt64Array.from(tensor.data, BigInt) };
}

function bests(note: Partial<RunNote>): Record<string, number> {
  const { dataset, bestEpoch, bestTestAccuracy, bestPrivateEpoch, bestPrivateTestAccuracy } = note;
  const test = datasetOf(dataset ?? FER2013.name).pytorchTest;
  const known = {
    [`best_${test}_acc`]: percent(bestTestAccuracy),
    best_PrivateTest_acc: percent(bestPrivateTestAccuracy),
    [`best_${test}_acc_epoch`]: bestEpoch ?? null,
    best_PrivateTest_acc_epoch: bestPrivateEpoch ?? null,
  };
  return Object.fromEntries(Object.entries(known).filter((pair): pair is [string, number] => pair[1] !== null));
}

function percent(accuracy: number | null | undefined): number | null {
  return accuracy === null || accuracy === undefined ? null : 100 * accuracy;
}
