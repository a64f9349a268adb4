// Names of options, which JavaScript callers misspell.
import { expectOptions } from '@mien/tensor/internal';

/** The names of the options type `O`, in a record that does not compile without all of them. */
export function optionNames<O>(names: Readonly<Record<keyof Required<O>, true>>): readonly string[] {
  return Object.keys(names);
}

/** `options`. Throws ValueError unless they are an object with keys among `names`. */
export function checkedOptions<O>(operation: string, options: O, names: readonly string[]): O {
  expectOptions(operation, options, names);
  return options;
}
