// Which of our networks the tensors of a PyTorch file are those of, by names and shapes.
import { FormatError, StateError } from '@mien/nn';
import type { PytorchFile, PytorchTensor } from '@mien/nn/pytorch';
import { Generator } from '@mien/tensor';
import { FER2013_CLASSES } from '../datasets/fer2013.ts';
import { network } from '../models/network.ts';
import { MODELS, type ModelName, protocol } from '../protocol.ts';

/** Kinds and shapes by name. */
type Expected = ReadonlyMap<string, string>;

/** How a file compares with one of our networks. */
export interface Fit {
  readonly model: ModelName;
  readonly expected: Expected;
  /** What stands before the network's names in the file. */
  readonly prefix: string;
  readonly faults: readonly string[];
  /** How many names and shapes differ. */
  readonly count: number;
}

const TRACKED = '.num_batches_tracked';

/** The network that the file fits. Throws StateError, with the faults of the nearest, where there is none. */
export function bestFit(read: PytorchFile, wanted: ModelName | undefined, file: string): Fit {
  if (read.tensors.size === 0) throw new FormatError(`${file}: holds no tensors`);
  const fits = (wanted ? [wanted] : MODELS).map((model) => fitOf(model, read));
  const best = fits.reduce((a, b) => (b.count < a.count ? b : a));
  if (best.count === 0) return best;
  const nearest = wanted ? `does not fit ${wanted}` : `fits none of ${MODELS.join(', ')}; nearest is ${best.model}`;
  throw new StateError(`${file}: ${nearest}: ${best.faults.join('; ')}; --list shows what the file holds`);
}

function fitOf(model: ModelName, { tensors }: PytorchFile): Fit {
  const expected = expectedOf(model);
  const prefix = prefixOf(expected, [...tensors.keys()]);
  const found = new Map(
    [...tensors].filter(([name]) => name.startsWith(prefix)).map(([name, value]) => [name.slice(prefix.length), value]),
  );
  // PyTorch before 0.4.1 counted no batches.
  const missing = [...expected.keys()].filter((name) => !found.has(name) && !name.endsWith(TRACKED));
  const unexpected = [...found.keys()]
    .filter((name) => !expected.has(name))
    .map((name) => JSON.stringify(name).slice(1, -1));
  const others = [...found].flatMap(([name, tensor]) => {
    const [is, shape] = [formOf(tensor), expected.get(name)];
    return shape === undefined || shape === is ? [] : [`${name} expects ${shape}, has ${is}`];
  });
  const faults = [
    ...(missing.length > 0 ? [`missing ${few(missing, ', ')}`] : []),
    ...(unexpected.length > 0 ? [`unexpected ${few(unexpected, ', ')}`] : []),
    ...(others.length > 0 ? [few(others, '; ')] : []),
  ];
  return { model, expected, prefix, faults, count: missing.length + unexpected.length + others.length };
}

/** The path before the network's names that most of them are found under, with its dot; empty for the whole file. */
function prefixOf(expected: Expected, names: readonly string[]): string {
  const hits = new Map([['', 0]]);
  for (const name of names) {
    for (let start = 0; start >= 0; start = afterDot(name, start)) {
      const prefix = name.slice(0, start);
      if (expected.has(name.slice(start))) hits.set(prefix, (hits.get(prefix) ?? 0) + 1);
    }
  }
  const [[prefix]] = [...hits].sort(([, a], [, b]) => b - a) as [[string, number]];
  return prefix;
}

/** Where the part of `name` after the next dot starts, or -1. */
function afterDot(name: string, from: number): number {
  const dot = name.indexOf('.', from);
  return dot < 0 ? -1 : dot + 1;
}

/** Names, kinds and shapes of a network's state, told by the network itself. */
function expectedOf(model: ModelName): Expected {
  const { channels } = protocol(model, 'fer2013').input;
  using net = network(model, { classes: FER2013_CLASSES.length, channels, generator: new Generator(0) });
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
