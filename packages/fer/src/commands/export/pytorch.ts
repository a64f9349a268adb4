// From a checkpoint of ours to a PyTorch file in the reference's form (Node only).
import type { HostTensor } from '@mien/nn';
import { writeFile } from '@mien/nn/files';
import { type Writable, type WritableTensor, writePytorch } from '@mien/nn/pytorch';
import { type RunNote, readWeights } from '../../runs/folder.ts';
import type { ModelName } from '../../training/config.ts';
import { freeName } from '../import/import.ts';

/** What `exportPytorch` is told. */
export interface PytorchExportOptions {
  /** `small` or `nano`, a checkpoint file, or a run folder whose last checkpoint is meant. */
  readonly weights: string;
  /** Where the PyTorch file goes; by default beside the checkpoint, ending in .t7 as the reference's do. */
  readonly out?: string;
}

/** What was exported. */
export interface PytorchExportReport {
  readonly file: string;
  readonly model: ModelName;
  readonly tensors: number;
  /** Whether these are the averaged weights, which are those that `evaluate` takes. */
  readonly averaged: boolean;
  readonly values: Readonly<Record<string, number>>;
  readonly out: string;
}

/**
 * Writes the weights that `evaluate` takes as `{'net': state_dict, ...}`, with the best accuracies and epochs under the
 * reference's names where the checkpoint knows them: `torch.load(file, weights_only=True)['net']`.
 */
export async function exportPytorch(options: PytorchExportOptions): Promise<PytorchExportReport> {
  const { file, name, note, model, ema } = await readWeights(options.weights);
  const out = options.out ?? freeName(file, '.t7');
  const net = new Map(Array.from(model, ([key, value]) => [key, written(key, ema.get(key) ?? value)] as const));
  const values = bests(note);
  // Accuracies are tensors, as the reference's are; PyTorch 1.13's weights_only knows no other fractions.
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
  const test = dataset === 'ck+' ? 'Test' : 'PublicTest';
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
