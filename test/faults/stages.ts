// The stages that measure one fault. Each can run in a separate process.
import { checkThoroughly } from '@mien/fer/node';
import { device, init } from '@mien/tensor';
import { openDevice, withLimits } from '@mien/tensor/internal';
import { type Fault, withFault } from './inject.ts';
import { losses, relativeChange, type Setting, settings } from './losses.ts';

/** A fault counts if it changes a loss by more than this, relatively. */
export const tolerance = 1e-6;

/** Losses of each setting without a fault. */
export type Clean = Readonly<Record<Setting, readonly number[]>>;

/** Time limits of the stages in seconds. Without a fault each takes at most a fifth. */
export const limits = { startCheck: 30, change: 120, thorough: 400 } as const;
export type Stage = keyof typeof limits;

/** The largest relative change of a loss in twenty steps. */
export interface Change {
  readonly change: number;
  readonly setting: Setting;
  /** Message of an error that training threw, or null. */
  readonly thrown: string | null;
}

/** Result of a stage: `report` is the message of a check, null if it reports nothing. */
export type StageResult = { readonly change: Change } | { readonly report: string | null };

/** Replaces the default device by one without compiled pipelines. */
async function freshDevice(adapter: string): Promise<void> {
  device().destroy();
  await new Promise((resolve) => setTimeout(resolve, 30));
  await init({ adapter });
}

/** The losses without a fault. */
export async function cleanLosses(seed: number): Promise<Clean> {
  return {
    default: await losses('default', seed),
    wide: await losses('wide', seed),
    f16: await losses('f16', seed),
  };
}

async function changeOf(fault: Fault | null, adapter: string, seed: number, clean: Clean): Promise<Change> {
  let last: Change = { change: 0, setting: settings[0], thrown: null };
  for (const setting of settings) {
    await freshDevice(adapter);
    try {
      const faulty = await withFault(fault, () => losses(setting, seed));
      last = { change: relativeChange(clean[setting], faulty), setting, thrown: null };
    } catch (reason) {
      last = { change: 0, setting, thrown: messageOf(reason) };
    }
    if (last.change > tolerance) return last;
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

/** Checks with the adapter's limits and, if nothing is wrong, with a GPU's: some faults change only kernels for GPUs. */
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

/** Runs one stage on the default device. */
export async function runStage(stage: Stage, fault: Fault | null, seed: number, clean: Clean): Promise<StageResult> {
  const adapter = device().facts.name;
  if (stage === 'startCheck') return { report: await startCheckOf(fault, adapter) };
  if (stage === 'change') return { change: await changeOf(fault, adapter, seed, clean) };
  return { report: await thoroughOf(fault, adapter) };
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
