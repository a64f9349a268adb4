// What the commands share: words into values, values into lines.
import { type Command, InvalidArgumentError } from 'commander';

/** The options that were given. */
export function defined<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

/** The words of these names that were given. */
export function picked<T extends object, K extends keyof T>(
  words: T,
  names: readonly K[],
): { [Name in K]?: Exclude<T[Name], undefined> } {
  return defined(Object.fromEntries(names.map((name) => [name, words[name]])) as Pick<T, K>);
}

/** What says how photos are read. */
export interface ReaderWords {
  readonly weights: string;
  readonly detect: boolean;
  readonly adapter?: string;
}

/** Gives a command the options of `ReaderWords`; `each` is what is taken as one face without a detector. */
export function withReaderWords(command: Command, each: string): Command {
  return command
    .option('--weights <which>', 'small or nano as they come with mien, a checkpoint, or a run folder', 'small')
    .option('--no-detect', `take ${each} as one face, whole`)
    .option('--adapter <name>', 'part of the name of the adapter to use, or swiftshader or lavapipe');
}

/** The number that an option's word means. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('A number is expected.');
  return value;
}

/** The integer from 0 on that an option's word means. */
export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('An integer is expected.');
  return Number(text);
}
