// The thorough check: every public operation and its gradient on this adapter, against the float64 references.
import { device } from '@mien/tensor';
import { currentDevice, expectOptions, kernels, openScope, optionNames, takeWorstRatio } from '@mien/tensor/internal';
import type { Case } from './case.ts';
import { elementwise } from './elementwise.ts';
import { grids } from './grids.ts';
import { movement } from './movement.ts';
import { products } from './products.ts';
import { sums } from './sums.ts';
import { training } from './training.ts';

/** Result of one operation. */
export interface OperationReport {
  readonly operation: string;
  readonly cases: number;
  /** The largest ratio of error to bound among the correct cases. */
  readonly worst: number;
  /** Whether all cases are correct. */
  readonly verdict: 'right' | 'wrong';
  /** Message of the first wrong case, or null. */
  readonly problem: string | null;
}

/** Result of checkThoroughly. */
export interface ThoroughReport {
  readonly adapter: string;
  readonly seconds: number;
  readonly operations: readonly OperationReport[];
  /** Names of the kernels that were dispatched, and of those that this adapter does not use. */
  readonly kernels: { readonly dispatched: readonly string[]; readonly notChosen: readonly string[] };
}

/** Options of checkThoroughly. */
export interface ThoroughOptions {
  /** Whether to stop after the first wrong case. Default false. */
  readonly untilWrong?: boolean;
  /** Names of the operations to check. Default: all. */
  readonly operations?: readonly string[];
  /** Aborts the check after the current case. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

export const thoroughOptions = { untilWrong: true, operations: true, signal: true, onProgress: true } as const;
const checkThoroughlyOptions = optionNames<ThoroughOptions>(thoroughOptions);

/**
 * Runs every case on the default device and reports wrong results. Throws DeviceError if the device is lost.
 */
export async function checkThoroughly(options: ThoroughOptions = {}): Promise<ThoroughReport> {
  expectOptions('checkThoroughly', options, checkThoroughlyOptions);
  const { signal, onProgress = () => {} } = options;
  const start = performance.now();
  const all = [...elementwise(), ...movement(), ...sums(), ...products(), ...grids(), ...training()];
  const cases = all.filter(({ operation }) => options.operations?.includes(operation) ?? true);
  const reports = new Map<string, OperationReport>();
  for (const [done, each] of cases.entries()) {
    signal?.throwIfAborted();
    const { operation } = each;
    const previous = reports.get(operation) ?? { operation, cases: 0, worst: 0, verdict: 'right', problem: null };
    const problem = await problemOf(each);
    const worst = Math.max(previous.worst, takeWorstRatio());
    reports.set(operation, {
      ...{ operation, cases: previous.cases + 1, worst, problem: previous.problem ?? problem },
      verdict: problem === null ? previous.verdict : 'wrong',
    });
    onProgress(done + 1, cases.length);
    if (options.untilWrong && problem !== null) break;
  }
  return {
    adapter: device().facts.name,
    seconds: (performance.now() - start) / 1000,
    operations: [...reports.values()],
    kernels: coverage(),
  };
}

async function problemOf({ run }: Case): Promise<string | null> {
  const close = openScope();
  try {
    await run();
    return null;
  } catch (reason) {
    currentDevice().expectAlive();
    return reason instanceof Error ? reason.message : String(reason);
  } finally {
    close(undefined);
  }
}

function coverage(): ThoroughReport['kernels'] {
  const dispatched = new Set(currentDevice().kernels.map(({ name }) => name));
  const all = new Set(kernels().map(({ name }) => name));
  return { dispatched: [...dispatched], notChosen: [...all].filter((name) => !dispatched.has(name)) };
}
