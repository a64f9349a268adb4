// Checkpoints: one safetensors file with a model, its optimizer, its averages, and where training stands.

import { type GeneratorState, ValueError } from '@mien/tensor';
import { expectOptions, kindOf } from '@mien/tensor/internal';
import type { DataLoaderState } from '../data/loader.ts';
import { FormatError } from '../errors.ts';
import { expectState, type HostTensor, prefixed, type State, toHost, under } from '../state.ts';
import { readSafetensors, type WriteOptions, writeSafetensors } from './safetensors.ts';

/** A value that JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What a checkpoint says about itself and the run. */
export interface CheckpointInfo {
  /** The network's name. */
  readonly model: string;
  readonly classes: readonly string[];
  /** What the network takes: shape, scaling. */
  readonly input: Json;
  /** The settings of the run. */
  readonly preset: Json;
  /** The epoch that training is in, from 0. */
  readonly epoch: number;
  /** Optimizer steps so far. */
  readonly step: number;
  readonly seed: number;
  /** The default generator. */
  readonly generator: GeneratorState;
  /** The training loader. */
  readonly shuffle: DataLoaderState;
  /** Whatever else the run needs to go on exactly. */
  readonly extra?: Json;
}

/** A model and, to go on training it exactly, its optimizer, its averages and the state of the run. */
export interface Checkpoint<Tensors = State> {
  readonly info: CheckpointInfo;
  readonly model: Tensors;
  readonly optimizer?: Tensors;
  readonly ema?: Tensors;
}

const format = 1;
const prefixes = { optimizer: 'optimizer.', ema: 'ema.' } as const;

/**
 * The bytes of a checkpoint: the model's tensors under their own names, the optimizer's as `optimizer.<parameter>.<slot>`,
 * the averages as `ema.<name>`, and the rest as JSON in the metadata `mien`. Throws ValueError for a model with a
 * tensor in one of these name spaces, for NaN among its values (an earlier file is better than that one), and for information
 * that `readCheckpoint` would refuse or that JSON does not hold: whatever is written can be read, bit for bit. Infinities
 * are values, as masks have them.
 */
export async function writeCheckpoint(
  checkpoint: Checkpoint,
  options: WriteOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  expectOptions('writeCheckpoint', checkpoint, ['info', 'model', 'optimizer', 'ema']);
  expectOptions('writeCheckpoint', options, ['float32As']);
  const { info, model, optimizer = new Map(), ema = new Map() } = checkpoint;
  for (const state of [model, optimizer, ema]) expectState('writeCheckpoint', state);
  const taken = [...model.keys()].find((name) => Object.values(prefixes).some((prefix) => name.startsWith(prefix)));
  if (taken) throw new ValueError(`writeCheckpoint: ${taken} reads as optimizer state; rename the module's field`);
  const tensors = await toHost(
    new Map([...model, ...prefixed(optimizer, prefixes.optimizer), ...prefixed(ema, prefixes.ema)]),
  );
  for (const [name, { data }] of tensors) {
    const at = data.findIndex(Number.isNaN);
    if (at < 0) continue;
    throw new ValueError(
      `writeCheckpoint: element ${at} of ${name} is NaN, which readCheckpoint refuses; lower the learning rate or check the data`,
    );
  }
  expectJson('info', info);
  const fault = infoFault({ format, ...info });
  if (fault) throw new ValueError(`writeCheckpoint: info${fault.place}: ${fault.what}`);
  return writeSafetensors(tensors, new Map([['mien', JSON.stringify({ format, ...info })]]), options);
}

/**
 * Reads a checkpoint. Throws FormatError, naming the file and the place, where it is not one, is cut short or edited, or
 * holds a NaN.
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
  const refuse = (place: string, what: string): FormatError => {
    return new FormatError(`${file}: metadata mien${place}: ${what}; it is not a checkpoint, or it was edited`);
  };
  if (text === undefined) throw refuse('', 'missing');
  let info: Readonly<Record<string, unknown>>;
  try {
    info = JSON.parse(text);
  } catch (reason) {
    throw refuse('', `not JSON (${reason instanceof Error ? reason.message : reason})`);
  }
  const fault = infoFault(info);
  if (fault) throw refuse(fault.place, fault.what);
  const { format: _, ...rest } = info;
  return rest as unknown as CheckpointInfo;
}

/** What is wrong with a checkpoint's information, if anything. */
function infoFault(info: unknown): { readonly place: string; readonly what: string } | null {
  if (!isObject(info)) return { place: '', what: 'an object is expected' };
  if (info.format !== format) {
    const what = `this version reads format ${format}, the file has ${JSON.stringify(info.format)}`;
    return { place: '.format', what };
  }
  for (const [name, [what, fits]] of Object.entries(expectations)) {
    const value = info[name];
    if (!fits(value)) return { place: `.${name}`, what: `expects ${what}, has ${JSON.stringify(value)}` };
  }
  return null;
}

/** Throws ValueError where JSON would give something else back: NaN, undefined, functions, dates. */
function expectJson(place: string, value: unknown, depth = 0): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)) return;
  const plain = isObject(value) && [Object.prototype, null].includes(Object.getPrototypeOf(value));
  if ((!Array.isArray(value) && !plain) || depth > 100) {
    throw new ValueError(`writeCheckpoint: ${place} must be a value that JSON holds, got ${kindOf(value)}`);
  }
  for (const [key, item] of Object.entries(value as object)) {
    if (item !== undefined || Array.isArray(value)) expectJson(`${place}.${key}`, item, depth + 1);
  }
}

type Expectation = readonly [what: string, fits: (value: unknown) => boolean];

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
