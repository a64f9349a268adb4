// What is found of one fault, in stages, each of which a process of its own can do.
import { checkThoroughly } from '@mien/fer/node';
import { device, init } from '@mien/tensor';
import { openDevice, withLimits } from '@mien/tensor/internal';
import { type Fault, withFault } from './inject.ts';
import { change, losses, type Setting, settings } from './losses.ts';

/** Losses that differ by less are those of the same training. */
export const same = 1e-6;

/** Losses of each setting without a fault. */
export type Clean = Readonly<Record<Setting, readonly number[]>>;

/** The seconds after which a stage is stopped. Without a fault each takes a fifth of it or less. */
export const limits = { startCheck: 30, change: 120, thorough: 400 } as const;
export type Stage = keyof typeof limits;

/** The largest relative change of a loss in twenty steps, and in which setting; an error that was thrown instead. */
export interface Change {
  readonly change: number;
  readonly setting: Setting;
  readonly thrown: string | null;
}

/** What a stage found: `report` is null where a check sees nothing. */
export type Found = { readonly change: Change } | { readonly report: string | null };

/** A device on which nothing was compiled yet. */
async function freshDevice(adapter: string): Promise<void> {
  device().destroy();
  await new Promise((turn) => setTimeout(turn, 30));
  await init({ adapter });
}

/** The losses that faults change. */
export async function cleanLosses(seed: number): Promise<Clean> {
  return {
    'as it is': await losses('as it is', seed),
    wide: await losses('wide', seed),
    half: await losses('half', seed),
  };
}

async function changeOf(fault: Fault | null, adapter: string, seed: number, clean: Clean): Promise<Change> {
  let last: Change = { change: 0, setting: settings[0], thrown: null };
  for (const setting of settings) {
    await freshDevice(adapter);
    try {
      const found = await withFault(fault, () => losses(setting, seed));
      last = { change: change(clean[setting], found), setting, thrown: null };
    } catch (reason) {
      last = { change: 0, setting, thrown: messageOf(reason) };
    }
    if (last.change > same) return last;
  }
  return last;
}

async function startCheckOf(fault: Fault | null, adapter: string): Promise<string | null> {
  try {
    const { gpu } = await withFault(fault, () => openDevice({ adapter }));
    gpu.destroy();
    return null;
  } catch (reason) {
    return messageOf(reason);
  }
}

/** On the adapter as it is, and, where that is right, as a GPU: faults may change a training in that setting only. */
async function thoroughOf(fault: Fault | null, adapter: string): Promise<string | null> {
  for (const limits of [{}, { subgroupSize: 32, processor: false }]) {
    await freshDevice(adapter);
    let problem: string | null = null;
    await withLimits(limits, async () => {
      problem = await withFault(fault, problemOf);
    });
    if (problem !== null) return problem;
  }
  return null;
}

async function problemOf(): Promise<string | null> {
  try {
    const { operations } = await checkThoroughly({ untilWrong: true });
    const wrong = operations.find(({ verdict }) => verdict === 'wrong');
    return wrong ? `${wrong.operation}: ${wrong.problem}` : null;
  } catch (reason) {
    return messageOf(reason);
  }
}

/** Does one stage on the default device. */
export async function found(stage: Stage, fault: Fault | null, seed: number, clean: Clean): Promise<Found> {
  const adapter = device().facts.name;
  if (stage === 'startCheck') return { report: await startCheckOf(fault, adapter) };
  if (stage === 'change') return { change: await changeOf(fault, adapter, seed, clean) };
  return { report: await thoroughOf(fault, adapter) };
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
