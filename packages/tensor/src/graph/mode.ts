// Whether operations are recorded for backward.
import { expectFunction } from '../arguments.ts';
import { ValueError } from '../errors.ts';
import { slot, withValue } from '../session.ts';

const enabled = slot(() => true);

/** Whether operations record how to differentiate them. */
export function gradEnabled(): boolean {
  return enabled.value;
}

/** Runs `fn` with recording on or off. */
export function withGradEnabled<T>(on: boolean, fn: () => T): T {
  return withValue(enabled, on, fn);
}

/**
 * Runs `fn` without recording: its results do not require gradients. Throws ValueError when `fn` returns a promise, whose
 * later operations would be recorded.
 */
export function noGrad<T>(fn: () => T): T {
  expectFunction('noGrad', fn);
  const result = withGradEnabled(false, fn);
  if (result instanceof Promise) {
    result.catch(() => {});
    throw new ValueError(
      'noGrad: the function returned a promise; it is synchronous: put it around each synchronous part',
    );
  }
  return result;
}
