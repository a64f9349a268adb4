// Command definitions as commander's commands: options, help, progress, JSON or text, errors.
import { Command, Option as CommanderOption } from 'commander';
import type { RunEvent } from '../runs/events.ts';
import { type Call, type CommandDefinition, type Output, UsageError } from './defineCommand.ts';
import type { Option, Options } from './options.ts';
import { print, printJson } from './output.ts';
import { Progress } from './progress.ts';
import { Incomplete, runCommand } from './runCommand.ts';

/** Commander's command of a definition, below `parent`. */
export function commandOf(definition: CommandDefinition, parent?: Command): Command {
  const { name, summary, argument, options, json, commands } = definition;
  const command = new Command(name).description(summary);
  if (parent) command.copyInheritedSettings(parent);
  command.showHelpAfterError(
    `(see ${[parent?.name(), parent?.parent?.name()].reverse().filter(Boolean).join(' ')} ${name} --help)`,
  );
  if (argument) command.argument(argument.flags, argument.summary);
  for (const [key, option] of Object.entries(options)) command.addOption(commanderOption(key, option));
  if (json !== null) command.option('--json', json);
  const help = helpAfter(definition);
  if (help !== '') command.addHelpText('after', help);
  if (commands) for (const each of commands) command.addCommand(commandOf(each, command));
  else command.action((...parameters: unknown[]) => act(definition, command, parameters));
  return command;
}

/** `--batch-size <n>` with what the definition says about it. */
function commanderOption(key: string, option: Option<unknown>): CommanderOption {
  const { value, summary, choices, parse, fallback, conflicts, always } = option;
  const name = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const flags = value === 'no' ? `--no-${name}` : value === null ? `--${name}` : `--${name} ${value}`;
  const result = new CommanderOption(flags, summary);
  if (choices) result.choices(choices);
  if (parse) result.argParser((text, before) => parse(text, before));
  if (fallback !== undefined) result.default(fallback);
  if (always && fallback === undefined && value !== 'no') result.makeOptionMandatory();
  if (conflicts) result.conflicts([...conflicts]);
  return result;
}

function helpAfter({ examples = [], notes }: CommandDefinition): string {
  const width = Math.max(0, ...examples.filter(([, remark]) => remark).map(([call]) => call.length));
  const lines = examples.map(([call, remark]) => `  ${remark ? `${call.padEnd(width)}   ${remark}` : call}`);
  return [...(lines.length > 0 ? ['', 'Examples:', ...lines] : []), ...(notes ? ['', notes] : [])].join('\n');
}

function act(definition: CommandDefinition, command: Command, parameters: readonly unknown[]): Promise<void> {
  const { json = false, ...options } = command.opts<{ json?: boolean }>();
  const argument = definition.argument ? parameters[0] : undefined;
  return runCommand(async (signal) => {
    const progress = new Progress();
    const call = {
      argument,
      options,
      json,
      signal,
      onEvent: (event: RunEvent) => {
        progress.show(event);
        if (json && definition.jsonEvents?.(event)) printJson(event);
      },
      print: (text: string) => {
        progress.close();
        if (!json) print(text);
      },
      note: (line: string) => progress.say(line),
    };
    let output: Output;
    try {
      output = await definition.run(call as unknown as Call<Options, never>);
    } catch (reason) {
      progress.close();
      if (reason instanceof UsageError) command.error(`error: ${reason.message}`);
      throw reason;
    } finally {
      progress.close();
    }
    if (!json) print(output.text);
    else if (output.report) printJson(output.report);
    if (output.failures && output.failures.length > 0) throw new Incomplete(output.failures);
  });
}
