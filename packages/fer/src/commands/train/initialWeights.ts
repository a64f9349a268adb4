// Weights that a new run starts from instead of random ones: those of a run on other data, say.
import type { HostTensor } from '@mien/nn';
import { ValueError } from '@mien/tensor';
import { readWeights } from '../../runs/folder.ts';
import type { ModelName } from '../../training/config.ts';

/** What a new run takes from a checkpoint. */
export interface Initial {
  readonly file: string;
  readonly tensors: ReadonlyMap<string, HostTensor>;
  /** Tensors that stay at their random start: those of the classifier, where it tells other classes apart. */
  readonly left: readonly string[];
}

/**
 * The weights of a checkpoint (its averages, where it holds them) for a new run of `model` on `classes`. Throws
 * ValueError for another network's.
 */
export async function readInitial(weights: string, model: ModelName, classes: readonly string[]): Promise<Initial> {
  const { file, ...run } = await readWeights(weights);
  if (run.name !== model) throw new ValueError(`train: ${file} holds weights of ${run.name}, not of ${model}`);
  const tensors = new Map([...run.model, ...run.ema]);
  if (run.info.classes.join() === classes.join()) return { file, tensors, left: [] };
  // Every network ends with its classifier, and a state dict is in the network's order.
  const last = [...run.model.keys()].at(-1) ?? '';
  const classifier = last.slice(0, last.lastIndexOf('.') + 1);
  const left = [...run.model.keys()].filter((name) => name.startsWith(classifier));
  for (const name of left) tensors.delete(name);
  return { file, tensors, left };
}
