// Initial weights of a new run from a checkpoint, for example of a run on other data.
import type { HostTensor } from '@mien/nn';
import { ValueError } from '@mien/tensor';
import type { ModelName } from '../../models/catalog.ts';
import { readWeights } from '../../runs/folder.ts';

/** The tensors that a new run takes from a checkpoint. */
export interface InitialWeights {
  readonly file: string;
  readonly tensors: ReadonlyMap<string, HostTensor>;
  /** Tensors that stay random: the classifier's, where the classes differ. */
  readonly random: readonly string[];
}

/** The weights of a checkpoint, averaged where it has averages. Throws ValueError for another network's checkpoint. */
export async function readInitialWeights(
  weights: string,
  model: ModelName,
  classes: readonly string[],
): Promise<InitialWeights> {
  const { file, ...run } = await readWeights(weights);
  if (run.name !== model) throw new ValueError(`train: expected weights of ${model}, got ${run.name} (${file})`);
  const tensors = new Map([...run.model, ...run.ema]);
  if (run.info.classes.join() === classes.join()) return { file, tensors, random: [] };
  // Every network ends with its classifier, and a state dict is in the network's order.
  const last = [...run.model.keys()].at(-1) ?? '';
  const classifier = last.slice(0, last.lastIndexOf('.') + 1);
  const random = [...run.model.keys()].filter((name) => name.startsWith(classifier));
  for (const name of random) tensors.delete(name);
  return { file, tensors, random };
}
