// What a command is: name, help, options, and one function from options to a report and its text. To add one: a file or
// folder in commands/ with its definition, and a line in commands/main.ts.
import { MienError } from '@mien/tensor';
import type { RunEvent } from '../runs/events.ts';
import type { Options, Values } from './options.ts';

/** What the function of a command is called with. */
export interface Call<O extends Options, Argument> {
  readonly argument: Argument;
  readonly options: Values<O>;
  /** Whether the report is printed as JSON instead of text. */
  readonly json: boolean;
  /** Set by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Shows progress on standard error. */
  readonly onEvent: (event: RunEvent) => void;
  /** Prints text on standard output before the command ends; nothing with `--json`. */
  readonly print: (text: string) => void;
  /** Prints a line on standard error. */
  readonly note: (line: string) => void;
}

/** What a command prints when it ends. */
export interface Output {
  /** The object of `--json`; absent where the events were all. */
  readonly report?: object;
  readonly text: string;
  /** Why the exit code is 1 although there is a report: lines on standard error. */
  readonly failures?: readonly string[];
}

/** A command, or a group of commands. */
export interface CommandDefinition {
  readonly name: string;
  /** The first sentences of its help. */
  readonly summary: string;
  readonly argument?: { readonly flags: string; readonly summary: string };
  readonly options: Options;
  /** The help of `--json`; null for commands without it. */
  readonly json: string | null;
  /** Events that `--json` prints, one per line. */
  readonly jsonEvents?: (event: RunEvent) => boolean;
  /** Example calls, each with an optional remark. */
  readonly examples?: readonly (readonly [call: string, remark?: string])[];
  /** Sentences at the end of the help. */
  readonly notes?: string;
  readonly commands?: readonly CommandDefinition[];
  readonly run: (call: Call<Options, never>) => Promise<Output>;
}

interface Definition<O extends Options, Argument> extends Omit<CommandDefinition, 'json' | 'options' | 'run'> {
  readonly options: O;
  /** Default: one JSON object. */
  readonly json?: string | null;
  readonly run: (call: Call<O, Argument>) => Promise<Output>;
}

/** A command whose `run` gets options of the right types. `Argument` is `string`, or `string[]` for several. */
export function defineCommand<const O extends Options, Argument = string>(
  definition: Definition<O, Argument>,
): CommandDefinition {
  const json = 'print one JSON object on standard output, and nothing else';
  return { json, ...definition } as unknown as CommandDefinition;
}

/** A command that only groups others. */
export function defineGroup(
  definition: Pick<CommandDefinition, 'name' | 'summary' | 'commands' | 'examples'>,
): CommandDefinition {
  const run = (): Promise<Output> => Promise.resolve({ text: '' });
  return { ...definition, options: {}, json: null, run };
}

/** Arguments that do not go together: printed with the command's usage. */
export class UsageError extends MienError {}
