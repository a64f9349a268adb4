// The thorough check: every public operation and its gradient on this adapter, against the definitions in float64.
import { device } from '@mien/tensor';
import { kernels, openScope, takeWorstRatio } from '@mien/tensor/compare';
import type { Case } from './case.ts';
import { elementwise } from './elementwise.ts';
import { grids } from './grids.ts';
import { places } from './places.ts';
import { products } from './products.ts';
import { sums } from './sums.ts';
import { training } from './training.ts';

/** What was found of one operation. */
export interface OperationReport {
  readonly operation: string;
  readonly cases: number;
  /** The largest error over its bound of the cases that are right. */
  readonly worst: number;
  /** Whether the operation can be trusted on this adapter. */
  readonly verdict: 'right' | 'wrong';
  /** The first case that is wrong, or null. */
  readonly problem: string | null;
}

/** What the thorough check found. */
export interface ThoroughReport {
  readonly adapter: string;
  readonly seconds: number;
  readonly operations: readonly OperationReport[];
  /** The kernels that were dispatched, by the names of their files, and those that this adapter does not choose. */
  readonly kernels: { readonly dispatched: readonly string[]; readonly notChosen: readonly string[] };
}

/** How `checkThoroughly` runs. */
export interface ThoroughOptions {
  /** Whether the check ends at the first case that is wrong. Default false. */
  readonly untilWrong?: boolean;
  /** Names of the operations to check. Default: every one. */
  readonly operations?: readonly string[];
  /** Ends the check after the case that runs. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Runs every case on the default device. Throws DeviceError where the device is lost meanwhile; what is wrong otherwise is
 * reported, and the rest still runs.
 */
export async function checkThoroughly(options: ThoroughOptions = {}): Promise<ThoroughReport> {
  const { signal, onProgress = () => {} } = options;
  const begun = performance.now();
  const all = [...elementwise(), ...places(), ...sums(), ...products(), ...grids(), ...training()];
  const cases = all.filter(({ operation }) => options.operations?.includes(operation) ?? true);
  const reports = new Map<string, OperationReport>();
  for (const [done, each] of cases.entries()) {
    signal?.throwIfAborted();
    const { operation } = each;
    const before = reports.get(operation) ?? { operation, cases: 0, worst: 0, verdict: 'right', problem: null };
    const problem = await problemOf(each);
    const worst = Math.max(before.worst, takeWorstRatio());
    reports.set(operation, {
      ...{ operation, cases: before.cases + 1, worst, problem: before.problem ?? problem },
      verdict: problem === null ? before.verdict : 'wrong',
    });
    onProgress(done + 1, cases.length);
    if (options.untilWrong && problem !== null) break;
  }
  return {
    adapter: device().facts.name,
    seconds: (performance.now() - begun) / 1000,
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
    device().expectAlive();
    return reason instanceof Error ? reason.message : String(reason);
  } finally {
    close(undefined);
  }
}

function coverage(): ThoroughReport['kernels'] {
  const dispatched = new Set(device().kernels.map(({ name }) => name));
  const all = new Set(kernels().map(({ name }) => name));
  return { dispatched: [...dispatched], notChosen: [...all].filter((name) => !dispatched.has(name)) };
}
