// Every fault that the start check and the thorough check must see. A new one is a row in text.ts or commands.ts; unseen.ts has others.
import { commandFaults } from './commands.ts';
import type { Fault } from './inject.ts';
import { textFaults } from './text.ts';

export const faults: readonly Fault[] = [...textFaults, ...commandFaults];
