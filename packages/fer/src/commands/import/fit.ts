// Which network the tensors of a PyTorch file fit, by names and shapes.

import { FormatError, StateError } from '@mien/nn';
import type { PytorchFile, PytorchTensor } from '@mien/nn/pytorch';
import { Generator } from '@mien/tensor';
import { FER2013 } from '../../datasets/fer2013.ts';
import { createNetwork, MODELS, type ModelName } from '../../models/catalog.ts';
import { trainingConfig } from '../../training/presets.ts';

/** Kinds and shapes by name. */
type Expected = ReadonlyMap<string, string>;

/** How a file compares with one network. */
export interface Fit {
  readonly model: ModelName;
  readonly expected: Expected;
  /** The prefix of the network's names in the file. */
  readonly prefix: string;
  /** The file's tensors by the network's names. */
  readonly tensors: ReadonlyMap<string, PytorchTensor>;
  readonly faults: readonly string[];
  /** Number of differing names and shapes. */
  readonly count: number;
}

const TRACKED = '.num_batches_tracked';
/** Parts of names that wrappers of PyTorch add anywhere: parallel, compiled, sharded and checkpointed modules. */
const WRAPPERS: readonly string[] = ['module', '_orig_mod', '_fsdp_wrapped_module', '_checkpoint_wrapped_module'];

/** The network that the file fits. Throws StateError, with the differences from the closest network, where none fits. */
export function bestFit(read: PytorchFile, wanted: ModelName | undefined, classes: number, file: string): Fit {
  if (read.tensors.size === 0) throw new FormatError(`${file}: no tensors`);
  const fits = (wanted ? [wanted] : MODELS).map((model) => fitOf(model, classes, read));
  const best = fits.reduce((a, b) => (b.count < a.count ? b : a));
  if (best.count === 0) return best;
  const closest = wanted ? `does not fit ${wanted}` : `fits none of ${MODELS.join(', ')}; closest is ${best.model}`;
  throw new StateError(`${file}: ${closest}: ${best.faults.join('; ')}; --list prints the tensors of the file`);
}

function fitOf(model: ModelName, classes: number, { tensors }: PytorchFile): Fit {
  const expected = expectedOf(model, classes);
  const prefix = prefixOf(expected, [...tensors.keys()]);
  const found = new Map<string, PytorchTensor>();
  for (const [path, value] of tensors) {
    if (!path.startsWith(prefix)) continue;
    const name = path.slice(prefix.length);
    const plain = unwrapped(name);
    found.set(found.has(plain) ? `${name} (a second ${plain})` : plain, value);
  }
  // PyTorch before 0.4.1 had no num_batches_tracked.
  const missing = [...expected.keys()].filter((name) => !found.has(name) && !name.endsWith(TRACKED));
  const unexpected = [...found.keys()]
    .filter((name) => !expected.has(name))
    .map((name) => JSON.stringify(name).slice(1, -1));
  const others = [...found].flatMap(([name, tensor]) => {
    const [is, shape] = [formOf(tensor), expected.get(name)];
    return shape === undefined || shape === is ? [] : [`${name}: expected ${shape}, got ${is}`];
  });
  const faults = [
    ...(missing.length > 0 ? [`missing ${few(missing, ', ')}`] : []),
    ...(unexpected.length > 0 ? [`unexpected ${few(unexpected, ', ')}`] : []),
    ...(others.length > 0 ? [few(others, '; ')] : []),
  ];
  return { model, expected, prefix, tensors: found, faults, count: missing.length + unexpected.length + others.length };
}

/** The most frequent prefix of the network's names in the file, with its dot; empty for the top level. */
function prefixOf(expected: Expected, names: readonly string[]): string {
  const hits = new Map([['', 0]]);
  for (const name of names) {
    for (let start = 0; start >= 0; start = afterDot(name, start)) {
      const prefix = name.slice(0, start);
      if (expected.has(unwrapped(name.slice(start)))) hits.set(prefix, (hits.get(prefix) ?? 0) + 1);
    }
  }
  const [[prefix]] = [...hits].sort(([a, n], [b, m]) => m - n || b.length - a.length) as [[string, number]];
  return prefix;
}

/** A name without the parts of wrappers. */
function unwrapped(name: string): string {
  const parts = name.split('.');
  return parts.filter((part) => !WRAPPERS.includes(part)).join('.');
}

/** The index after the next dot of `name`, or -1. */
function afterDot(name: string, from: number): number {
  const dot = name.indexOf('.', from);
  return dot < 0 ? -1 : dot + 1;
}

/** Names, kinds and shapes of a network's state dict. */
function expectedOf(model: ModelName, classes: number): Expected {
  const { channels } = trainingConfig(model, FER2013.name).input;
  using net = createNetwork(model, { classes, channels, generator: new Generator(0) });
  return new Map(
    Array.from(net.stateDict(), ([name, { dtype, shape }]) => [
      name,
      `${dtype === 'float32' ? 'float' : 'int'} [${shape.join(', ')}]`,
    ]),
  );
}

function formOf({ dtype, shape }: PytorchTensor): string {
  return `${dtype.includes('float') ? 'float' : dtype === 'bool' ? 'bool' : 'int'} [${shape.join(', ')}]`;
}

const FEW = 4;

function few(items: readonly string[], between: string): string {
  const more = items.length - FEW;
  return more > 0 ? `${items.slice(0, FEW).join(between)} and ${more} more` : items.join(between);
}
