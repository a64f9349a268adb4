// Learning-rate schedules. PyTorch's are objects that hold the optimizer and count its steps; these are pure functions from
// an epoch or step, counted from 0, to a factor on every group's lr. A resumed run needs only its epoch, and any function
// is a schedule: `optimizer.lrFactor = schedule(epoch)`. Names and options are PyTorch's, except that `floor` is a factor
// where eta_min and min_lr are learning rates.

import { ValueError } from '@mien/tensor';
import {
  expectFunction,
  expectInteger,
  expectList,
  expectNumber,
  expectOneOf,
  expectOptions,
  kindOf,
  optionNames,
} from '@mien/tensor/internal';

/** Returns the factor on the learning rate at an epoch or step, counted from 0. */
export type Schedule = (step: number) => number;

/** gamma^floor(step / stepSize) */
export function stepLR(options: { readonly stepSize: number; readonly gamma: number }): Schedule {
  expectOptions('stepLR', options, ['stepSize', 'gamma']);
  const { stepSize, gamma } = options;
  expectNumber('stepLR', 'gamma', gamma);
  expectPositive('stepLR', 'stepSize', stepSize);
  return (step) => gamma ** Math.floor(step / stepSize);
}

/** gamma^n after n of the milestones. */
export function multiStepLR(options: { readonly milestones: readonly number[]; readonly gamma: number }): Schedule {
  expectOptions('multiStepLR', options, ['milestones', 'gamma']);
  const { milestones, gamma } = options;
  expectList('multiStepLR', 'milestones', milestones);
  expectNumber('multiStepLR', 'gamma', gamma);
  return (step) => gamma ** milestones.filter((milestone) => step >= milestone).length;
}

/** gamma^step */
export function exponentialLR(gamma: number): Schedule {
  expectNumber('exponentialLR', 'gamma', gamma);
  return (step) => gamma ** step;
}

/** Half a cosine from 1 at step 0 to `floor` at step `steps`, then constant (Loshchilov and Hutter, 2017). */
export function cosine(steps: number, floor = 0): Schedule {
  expectPositive('cosine', 'steps', steps);
  expectNumber('cosine', 'floor', floor);
  return (step) => floor + ((1 - floor) * (1 + Math.cos(Math.PI * Math.min(1, step / steps)))) / 2;
}

/**
 * A cosine with period 2 * steps: falls as `cosine` does until step `steps`, then rises to 1 again, where `cosine` stays at
 * `floor`.
 */
export function cosineAnnealingLR(steps: number, floor = 0): Schedule {
  expectPositive('cosineAnnealingLR', 'steps', steps);
  expectNumber('cosineAnnealingLR', 'floor', floor);
  return (step) => floor + ((1 - floor) * (1 + Math.cos((Math.PI * step) / steps))) / 2;
}

/**
 * Half a cosine from 1 to `floor` over `period` steps, then again from 1, each period `factor` times as long as the previous
 * one (SGDR, Loshchilov and Hutter, 2017). PyTorch calls them T_0 and T_mult. Defaults: factor 1, floor 0.
 */
export function cosineAnnealingWarmRestarts(options: {
  readonly period: number;
  readonly factor?: number;
  readonly floor?: number;
}): Schedule {
  expectOptions('cosineAnnealingWarmRestarts', options, ['period', 'factor', 'floor']);
  const { period, factor = 1, floor = 0 } = options;
  expectInteger('cosineAnnealingWarmRestarts', 'period', period);
  expectInteger('cosineAnnealingWarmRestarts', 'factor', factor);
  const half = cosineAnnealingLR(1, floor);
  return (step) => {
    if (factor === 1) return half((step % period) / period);
    let [start, length] = [0, period];
    while (step >= start + length) [start, length] = [start + length, length * factor];
    return half((step - start) / length);
  };
}

/** Rises linearly over `steps` steps, from 1 / steps at step 0 to 1 at steps - 1; then `after`, counted from 0. */
export function warmUp(steps: number, after: Schedule = () => 1): Schedule {
  expectPositive('warmUp', 'steps', steps);
  expectFunction('warmUp', after);
  return (step) => (step < steps ? (step + 1) / steps : after(step - steps));
}

export interface ReduceLROnPlateauOptions {
  /** `min` for a metric that should fall (a loss), `max` for one that should rise (an accuracy). Default `min`. */
  readonly mode?: 'min' | 'max';
  /** Multiplies the learning rate when the metric stops improving. Default 0.1. */
  readonly factor?: number;
  /** Epochs without improvement before that. Default 10. */
  readonly patience?: number;
  /** The smallest relative change that counts as improvement. Default 1e-4. */
  readonly threshold?: number;
  /** The smallest factor. Default 0. */
  readonly floor?: number;
}

const plateauOptions = optionNames<ReduceLROnPlateauOptions>({
  ...{ mode: true, factor: true, patience: true, threshold: true, floor: true },
});

/** The state of ReduceLROnPlateau; plain numbers, for checkpoints. */
export interface ReduceLROnPlateauState {
  readonly lrFactor: number;
  /** Null before the first metric. */
  readonly best: number | null;
  /** Epochs since the last improvement or reduction. */
  readonly waited: number;
}

/** Lowers the factor when a metric stops improving: the one schedule with state, as it depends on measurements. */
export class ReduceLROnPlateau {
  readonly #options: Required<ReduceLROnPlateauOptions>;
  #state: ReduceLROnPlateauState = { lrFactor: 1, best: null, waited: 0 };

  constructor(options: ReduceLROnPlateauOptions = {}) {
    expectOptions('ReduceLROnPlateau', options, plateauOptions);
    expectOneOf('ReduceLROnPlateau', 'mode', options.mode ?? 'min', ['min', 'max']);
    this.#options = { mode: 'min', factor: 0.1, patience: 10, threshold: 1e-4, floor: 0, ...options };
    const { factor } = this.#options;
    if (!(factor > 0 && factor < 1))
      throw new ValueError(`ReduceLROnPlateau: factor ${factor} is outside 0 < factor < 1`);
  }

  /** The factor after this metric. Throws ValueError for NaN. */
  step(metric: number): number {
    expectNumber('ReduceLROnPlateau', 'metric', metric);
    const { factor, patience, floor } = this.#options;
    const { lrFactor, best, waited } = this.#state;
    if (best === null || this.#improves(metric, best)) this.#state = { lrFactor, best: metric, waited: 0 };
    else if (waited < patience) this.#state = { lrFactor, best, waited: waited + 1 };
    else this.#state = { lrFactor: Math.max(floor, lrFactor * factor), best, waited: 0 };
    return this.#state.lrFactor;
  }

  /** Its state, for `loadState` of a resumed run. */
  state(): ReduceLROnPlateauState {
    return this.#state;
  }

  /** Continues from a saved state. */
  loadState(state: ReduceLROnPlateauState): void {
    expectOptions('ReduceLROnPlateau', state);
    expectNumber('ReduceLROnPlateau', 'lrFactor', state.lrFactor);
    expectInteger('ReduceLROnPlateau', 'waited', state.waited, 0);
    if (state.best !== null) expectNumber('ReduceLROnPlateau', 'best', state.best);
    this.#state = state;
  }

  #improves(metric: number, best: number): boolean {
    const margin = this.#options.threshold * Math.abs(best);
    return this.#options.mode === 'min' ? metric < best - margin : metric > best + margin;
  }
}

function expectPositive(name: string, option: string, value: number): void {
  if (!(typeof value === 'number' && value > 0))
    throw new ValueError(`${name}: ${option} must be positive, got ${kindOf(value)}`);
}
