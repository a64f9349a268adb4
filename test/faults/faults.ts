// Every fault that the campaign tries. A new one needs nothing but a row in text.ts or commands.ts.
import { commandFaults } from './commands.ts';
import type { Fault } from './inject.ts';
import { textFaults } from './text.ts';

export const faults: readonly Fault[] = [...textFaults, ...commandFaults];
