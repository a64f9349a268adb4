// Checkpoints: one safetensors file with a model, its optimizer, its averages and the state of the run.
import { type GeneratorState, ValueError } from '@mien/tensor';
import { expectOptions, kindOf } from '@mien/tensor/internal';
import type { DataLoaderState } from '../data/loader.ts';
import { FormatError } from '../errors.ts';
import { expectState, type HostTensor, prefixed, type State, toHost, under } from '../state.ts';
import { readSafetensors, type WriteOptions, writeSafetensors } from './safetensors.ts';

/** A value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What a checkpoint holds besides tensors. */
export interface CheckpointInfo {
  /** The network's name. */
  readonly model: string;
  readonly classes: readonly string[];
  /** The network's input: shape, scaling. */
  readonly input: Json;
  /** The settings of the run. */
  readonly preset: Json;
  /** The current epoch, from 0. */
  readonly epoch: number;
  /** Optimizer steps so far. */
  readonly step: number;
  readonly seed: number;
  /** The default generator. */
  readonly generator: GeneratorState;
  /** The training loader. */
  readonly shuffle: DataLoaderState;
  /** Anything else that the run needs to resume exactly. */
  readonly extra?: Json;
}

/** A model and, to resume its training exactly, its optimizer, its averages and the state of the run. */
export interface Checkpoint<Tensors = State> {
  readonly info: CheckpointInfo;
  readonly model: Tensors;
  readonly optimizer?: Tensors;
  readonly ema?: Tensors;
}

const format = 1;
const prefixes = { optimizer: 'optimizer.', ema: 'ema.' } as const;

/**
 * The bytes of a checkpoint: the model's tensors by name, the optimizer's as `optimizer.<parameter>.<state>`, the averages
 * as `ema.<name>`, and `info` as JSON in the metadata `mien`. Everything that is written can be read, bit for bit: throws
 * ValueError for model tensors named `optimizer.` or `ema.`, for NaN (an earlier file is worth more; infinities are allowed,
 * as in masks), and for info that JSON does not represent or `readCheckpoint` refuses.
 */
export async function writeCheckpoint(
  checkpoint: Checkpoint,
  options: WriteOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  expectOptions('writeCheckpoint', checkpoint, ['info', 'model', 'optimizer', 'ema']);
  expectOptions('writeCheckpoint', options, ['float32As']);
  const { info, model, optimizer = new Map(), ema = new Map() } = checkpoint;
  for (const state of [model, optimizer, ema]) expectState('writeCheckpoint', state);
  const reserved = [...model.keys()].find((name) => Object.values(prefixes).some((prefix) => name.startsWith(prefix)));
  if (reserved) {
    throw new ValueError(`writeCheckpoint: ${reserved} has a reserved prefix; rename the module's field`);
  }
  const tensors = await toHost(
    new Map([...model, ...prefixed(optimizer, prefixes.optimizer), ...prefixed(ema, prefixes.ema)]),
  );
  for (const [name, { data }] of tensors) {
    const at = data.findIndex(Number.isNaN);
    if (at < 0) continue;
    throw new ValueError(
      `writeCheckpoint: element ${at} of ${name} is NaN, which no checkpoint may hold; lower the learning rate or check the data`,
    );
  }
  expectJson('info', info);
  const fault = infoFault({ format, ...info });
  if (fault) throw new ValueError(`writeCheckpoint: info${fault.place}: ${fault.problem}`);
  return writeSafetensors(tensors, new Map([['mien', JSON.stringify({ format, ...info })]]), options);
}

/**
 * Reads a checkpoint. Throws FormatError, naming the file and the place, for other files, truncated or edited ones, and NaN.
 */
export function readCheckpoint(
  bytes: Uint8Array,
  options: { readonly file?: string } = {},
): Required<Checkpoint<ReadonlyMap<string, HostTensor>>> {
  expectOptions('readCheckpoint', options, ['file']);
  const { file = 'checkpoint' } = options;
  const { tensors, metadata } = readSafetensors(bytes, { file, refuseNaN: true });
  const info = readInfo(metadata.get('mien'), file);
  const model = [...tensors].filter(([name]) => Object.values(prefixes).every((prefix) => !name.startsWith(prefix)));
  return {
    info,
    model: new Map(model),
    optimizer: under(tensors, prefixes.optimizer),
    ema: under(tensors, prefixes.ema),
  };
}

function readInfo(text: string | undefined, file: string): CheckpointInfo {
  const refuse = (place: string, problem: string): FormatError => {
    return new FormatError(`${file}: metadata mien${place}: ${problem}; it is not a checkpoint, or it was edited`);
  };
  if (text === undefined) throw refuse('', 'missing');
  let info: Readonly<Record<string, unknown>>;
  try {
    info = JSON.parse(text);
  } catch (reason) {
    throw refuse('', `not JSON (${reason instanceof Error ? reason.message : reason})`);
  }
  const fault = infoFault(info);
  if (fault) throw refuse(fault.place, fault.problem);
  const { format: _, ...rest } = info;
  return rest as unknown as CheckpointInfo;
}

/** The first problem of a checkpoint's info, or null. */
function infoFault(info: unknown): { readonly place: string; readonly problem: string } | null {
  if (!isObject(info)) return { place: '', problem: `expected an object, got ${kindOf(info)}` };
  if (info.format !== format) {
    const problem = `expected format ${format}, got ${JSON.stringify(info.format)}; use the version of Mien that wrote it`;
    return { place: '.format', problem };
  }
  for (const [name, [expected, fits]] of Object.entries(expectations)) {
    const value = info[name];
    if (!fits(value)) return { place: `.${name}`, problem: `expected ${expected}, got ${JSON.stringify(value)}` };
  }
  return null;
}

/** Throws ValueError for values that JSON does not preserve: NaN, undefined, functions, dates. */
function expectJson(place: string, value: unknown, depth = 0): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return;
  const plain = isObject(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value));
  if ((!Array.isArray(value) && !plain) || depth > 100) {
    throw new ValueError(`writeCheckpoint: ${place} must be a value that JSON represents, got ${kindOf(value)}`);
  }
  for (const [key, item] of Object.entries(value as object)) {
    if (item !== undefined || Array.isArray(value)) expectJson(`${place}.${key}`, item, depth + 1);
  }
}

type Expectation = readonly [expected: string, fits: (value: unknown) => boolean];

const count: Expectation = ['a non-negative integer', isCount];

const expectations = {
  model: ['a name', (value) => typeof value === 'string'],
  classes: ['names', (value) => Array.isArray(value) && value.every((each) => typeof each === 'string')],
  input: ['a value', (value) => value !== undefined],
  preset: ['a value', (value) => value !== undefined],
  epoch: count,
  step: count,
  seed: ['a number', Number.isFinite],
  generator: ['seed and offset', (value) => isObject(value) && Number.isFinite(value.seed) && isCount(value.offset)],
  shuffle: [
    'seed, epoch and batch',
    (value) => isObject(value) && Number.isFinite(value.seed) && isCount(value.epoch) && isCount(value.batch),
  ],
} as const satisfies Record<Exclude<keyof CheckpointInfo, 'extra'>, Expectation>;

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
