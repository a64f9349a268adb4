// From a PyTorch file to a checkpoint of ours, by the networks' own names (Node only).
import { existsSync } from 'node:fs';
import { FormatError, type HostTensor, StateError } from '@mien/nn';
import { writeCheckpoint } from '@mien/nn/checkpoint';
import { FileError, readFile, writeFile } from '@mien/nn/files';
import { type PickleValue, type PytorchFile, PytorchTensor, readPytorch } from '@mien/nn/pytorch';
import { Generator, init } from '@mien/tensor';
import { CK_PLUS_CLASSES } from '../datasets/ckplus.ts';
import { FER2013_CLASSES } from '../datasets/fer2013.ts';
import { network } from '../models/network.ts';
import { type DatasetName, MODELS, type ModelName, protocol } from '../protocol.ts';
import { round } from './report.ts';

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
  readonly values: Readonly<Record<string, string | number | boolean>>;
  readonly out: string;
}

type Expected = ReadonlyMap<string, string>;

/** How a file compares with one of our networks. */
interface Fit {
  readonly model: ModelName;
  readonly prefix: string;
  readonly faults: readonly string[];
  readonly count: number;
}

const TRACKED = '.num_batches_tracked';

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
  const { model, prefix } = bestFit(read, options.model, file);
  const names = expectedOf(model);
  const tensors = new Map([...names.keys()].map((name) => [name, hostOf(read, prefix, name, file)]));
  const classes = dataset === 'ck+' ? CK_PLUS_CLASSES : FER2013_CLASSES;
  const preset = protocol(model, dataset);
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
      extra: { note: { dataset }, sums: { loss: 0, correct: 0, images: 0, learningRate: 0 } },
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

/** A tensor of a PyTorch file, with the finite part of its values in short. */
export interface ListedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly min: number | null;
  readonly mean: number | null;
  readonly max: number | null;
  /** How many are NaN or infinite. */
  readonly notFinite: number;
}

/** What a PyTorch file holds. */
export interface PytorchListing {
  readonly file: string;
  readonly format: PytorchFile['format'];
  readonly values: ImportReport['values'];
  readonly tensors: readonly ListedTensor[];
}

/** Lists the tensors of a PyTorch file. Throws FormatError. */
export function listPytorch(file: string): PytorchListing {
  const { format, value, tensors } = readPytorch(readFile(file), { file });
  return { file, format, values: valuesOf(value), tensors: Array.from(tensors, listed) };
}

function listed([name, tensor]: readonly [string, PytorchTensor]): ListedTensor {
  const { shape, dtype } = tensor;
  const data = tensor.toHost()?.data ?? new Float32Array();
  let [min, sum, max, count] = [Infinity, 0, -Infinity, 0];
  for (const value of data) {
    if (!Number.isFinite(value)) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
    count++;
  }
  const known = count > 0;
  return {
    name,
    shape,
    dtype,
    min: known ? min : null,
    mean: known ? sum / count : null,
    max: known ? max : null,
    notFinite: data.length - count,
  };
}

/** The network that the file fits. Throws StateError, with the faults of the nearest, where there is none. */
function bestFit(read: PytorchFile, wanted: ModelName | undefined, file: string): Fit {
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
  return { model, prefix, faults, count: missing.length + unexpected.length + others.length };
}

/** The path before the network's names that most of them are found under. */
function prefixOf(expected: Expected, names: readonly string[]): string {
  const [first = ''] = expected.keys();
  const prefixes = names.filter((name) => name === first || name.endsWith(`.${first}`));
  const hits = (prefix: string): number =>
    names.filter((name) => name.startsWith(prefix) && expected.has(name.slice(prefix.length))).length;
  return prefixes.map((name) => name.slice(0, -first.length)).reduce((a, b) => (hits(b) > hits(a) ? b : a), '');
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

function hostOf({ tensors }: PytorchFile, prefix: string, name: string, file: string): HostTensor {
  const tensor = tensors.get(prefix + name);
  if (!tensor) return { shape: [], dtype: 'int32', data: Int32Array.of(0) };
  const host = tensor.toHost();
  if (!host)
    throw new FormatError(`${file}: ${prefix}${name}: a ${tensor.dtype} value is beyond what Mien computes in`);
  if (host.dtype === 'uint32') return { ...host, dtype: 'int32', data: Int32Array.from(host.data) };
  return host;
}

/** Numbers and words at the top of the file; the reference's accuracies are tensors of one element. */
function valuesOf(value: PickleValue): ImportReport['values'] {
  if (!(value instanceof Map)) return {};
  const found: [string, string | number | boolean][] = [];
  for (const [key, each] of value) {
    const plain = each instanceof PytorchTensor && each.size === 1 ? each.toHost()?.data[0] : each;
    if (typeof key !== 'string') continue;
    if (typeof plain === 'number') found.push([key, Number.isInteger(plain) ? plain : round(plain, 4)]);
    else if (typeof plain === 'string' || typeof plain === 'boolean') found.push([key, plain]);
  }
  return Object.fromEntries(found);
}

/** The epoch of the weights, by the reference's names: those kept by PrivateTest hold both epochs, and are of the later. */
function epochOf(values: ImportReport['values']): number | null {
  const names = ['best_PrivateTest_acc_epoch', 'best_Test_acc_epoch', 'best_PublicTest_acc_epoch', 'epoch'];
  const found = names.map((name) => values[name]).find((epoch) => Number.isSafeInteger(epoch) && Number(epoch) >= 0);
  return found === undefined ? null : Number(found);
}

/** `file` with another ending. Throws FileError where such a file exists: it may be somebody's only checkpoint. */
export function freeName(file: string, ending: string): string {
  const out = file.replace(/(\.pth\.tar|\.[^./\\]*)?$/, ending);
  if (existsSync(out)) throw new FileError(`${out}: exists; name the file to write with --out`);
  return out;
}

const FEW = 4;

function few(items: readonly string[], between: string): string {
  const more = items.length - FEW;
  return more > 0 ? `${items.slice(0, FEW).join(between)} and ${more} more` : items.join(between);
}
