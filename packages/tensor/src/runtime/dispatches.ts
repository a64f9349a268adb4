// Reports each dispatch with its algorithm, so that tests know what ran.
import { slot, withValue, withValueUntilSettled } from '../session.ts';
import type { BoundRange, Grid } from './device.ts';
import type { Kernel } from './kernel.ts';

/** An algorithm that is dispatching kernels. */
export interface Running {
  readonly operation: string;
  readonly algorithm: string;
  readonly shape: unknown;
  /** The algorithm that called this one: a convolution calls products. */
  readonly caller: Running | null;
}

/** One dispatch. */
export interface Dispatch {
  readonly kernel: Kernel;
  readonly bound: readonly (BoundRange | null)[];
  readonly params: ArrayBuffer | null;
  readonly grid: Grid;
  readonly running: Running | null;
}

type OnDispatch = (dispatch: Dispatch) => void;

const running = slot<Running | null>(() => null);
const listener = slot<OnDispatch | null>(() => null);

/** Runs `fn`, whose dispatches belong to an algorithm. */
export function runAs<T>(operation: string, algorithm: string, shape: unknown, fn: () => T): T {
  return withValue(running, { operation, algorithm, shape, caller: running.value }, fn);
}

/** Reports a dispatch to the listener, if any. */
export function reportDispatch(dispatch: Omit<Dispatch, 'running'>): void {
  listener.value?.({ ...dispatch, running: running.value });
}

/** Runs `fn` and reports every dispatch until its promise settles. */
export async function withDispatches<T>(onDispatch: OnDispatch, fn: () => T | Promise<T>): Promise<T> {
  const before = listener.value;
  const both: OnDispatch = (dispatch) => {
    before?.(dispatch);
    onDispatch(dispatch);
  };
  return withValueUntilSettled(listener, both, fn);
}
