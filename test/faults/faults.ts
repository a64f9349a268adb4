// The faults that the start check and the thorough check must detect. A new fault is a row in text.ts or commands.ts.
import { commandFaults } from './commands.ts';
import type { Fault } from './inject.ts';
import { textFaults } from './text.ts';

export const faults: readonly Fault[] = [...textFaults, ...commandFaults];
