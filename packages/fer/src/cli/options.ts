// Options of commands as values, from which their types and their help are derived.
import { InvalidArgumentError } from 'commander';
import { CATALOG } from '../datasets/catalog.ts';
import { DRAWN } from '../datasets/drawn.ts';
import { MODELS, type ModelName, NETWORKS } from '../models/catalog.ts';
import { PRESETS, type Preset } from '../training/config.ts';

/** One option; `Always` says whether it has a value in every call. */
export interface Option<T, Always extends boolean = boolean> {
  /** The placeholder of the value; null for a switch, `no` for a switch that turns something off. */
  readonly value: `<${string}>` | null | 'no';
  readonly summary: string;
  readonly always: Always;
  readonly choices?: readonly string[];
  /** Parses one value; `before` is the result for an earlier use of the same option. */
  parse?(text: string, before: T | undefined): T;
  readonly fallback?: T;
  /** Names of options that cannot be combined with this one. */
  readonly conflicts?: readonly string[];
}

/** Options by their names in code; `batchSize` is `--batch-size`. */
export type Options = Readonly<Record<string, Option<unknown>>>;

/** The values of options: a property for each option of the call. */
export type Values<O extends Options> = {
  readonly [K in keyof O as O[K] extends Option<unknown, true> ? K : never]: ValueOf<O[K]>;
} & {
  readonly [K in keyof O as O[K] extends Option<unknown, true> ? never : K]?: ValueOf<O[K]>;
};

type ValueOf<T> = T extends Option<infer V> ? V : never;

/** An option with a text. */
export function text(value: `<${string}>`, summary: string): Option<string, false> {
  return { value, summary, always: false };
}

/** An option whose text `parse` turns into a value, or refuses with InvalidArgumentError. */
export function parsed<T>(
  value: `<${string}>`,
  summary: string,
  parse: (text: string, before: T | undefined) => T,
): Option<T, false> {
  return { value, summary, always: false, parse };
}

/** An option with a number. */
export function number(value: `<${string}>`, summary: string): Option<number, false> {
  return parsed(value, summary, toNumber);
}

/** An option with an integer from 0. */
export function integer(value: `<${string}>`, summary: string): Option<number, false> {
  return parsed(value, summary, toInteger);
}

/** An option with one of several texts. */
export function choice<const T extends string>(
  value: `<${string}>`,
  choices: readonly T[],
  summary: string,
): Option<T, false> {
  return { value, summary, always: false, choices };
}

/** A switch. */
export function flag(summary: string): Option<true, false> {
  return { value: null, summary, always: false };
}

/** A switch `--no-name` that turns off what is on by default. */
export function switchOff(summary: string): Option<boolean, true> {
  return { value: 'no', summary, always: true };
}

/** The option with a default. */
export function withDefault<T>(option: Option<T, false>, fallback: T): Option<T, true> {
  return { ...option, always: true, fallback };
}

/** The option, which every call must have. */
export function required<T>(option: Option<T, false>): Option<T, true> {
  return { ...option, always: true };
}

/** The option, which cannot be combined with those of `names`. */
export function conflicting<T>(option: Option<T, false>, names: readonly string[]): Option<T, false> {
  return { ...option, conflicts: names };
}

/** Parses a number. */
export function toNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('Expected a number.');
  return value;
}

/** Parses an integer from 0. */
export function toInteger(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Expected an integer.');
  return Number(text);
}

/** `object` without the properties that are undefined. */
export function defined<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

const OWN_PRESET = MODELS.filter((name) => NETWORKS[name].preset === 'best').join(' and ');

/** `--adapter`. */
export const ADAPTER: Option<string, false> = text(
  '<name>',
  'the adapter to use: part of its name, swiftshader or lavapipe',
);

/** `--model`. */
export const MODEL: Option<ModelName, false> = choice('<name>', MODELS, 'the network');

/** `--preset`. */
export const PRESET: Option<Preset, false> = choice(
  '<name>',
  PRESETS,
  `the recipe (default: best for ${OWN_PRESET}, reference for the other networks)`,
);

const FOLDERS = CATALOG.filter((each) => each !== DRAWN).map(({ title }) => title);

/** The files of a data set, in help texts. */
export const DATA: string = `a fer2013.csv, an HDF5 file, or a folder of ${FOLDERS.slice(0, -1).join(', ')} or ${FOLDERS.at(-1)}`;

/** `--data` of commands that train. */
export const DATA_TO_TRAIN_ON: Option<string, false> = text('<path>', `${DATA} (default: drawn faces)`);

/** The options of commands that read faces in photos; `each` is what `--no-detect` takes as one face. */
export function readerOptions(each: string): {
  readonly weights: Option<string, true>;
  readonly detect: Option<boolean, true>;
  readonly adapter: Option<string, false>;
} {
  return {
    weights: withDefault(text('<which>', 'small or nano (shipped with mien), a checkpoint, or a run folder'), 'small'),
    detect: switchOff(`skip face detection and take ${each} as one face`),
    adapter: ADAPTER,
  };
}
