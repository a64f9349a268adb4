// Learning-rate schedules: functions from an epoch or step, counted from 0, to a factor on every group's lr. They keep no
// state, so a resumed run needs only its epoch. `optimizer.lrFactor = schedule(epoch)` applies one; any function will do.
import {
  expectFunction,
  expectInteger,
  expectList,
  expectNumber,
  expectOptions,
  kindOf,
  ValueError,
} from '@mien/tensor';

/** The factor on the learning rate at an epoch or step from 0 on. Write your own as `(epoch) => ...`. */
export type Schedule = (step: number) => number;

/** `factor` once more every `every` steps: factor^floor(step / every). */
export function stepDecay(options: { readonly every: number; readonly factor: number }): Schedule {
  expectOptions('stepDecay', options);
  const { every, factor } = options;
  expectNumber('stepDecay', 'factor', factor);
  expectCount('stepDecay', 'every', every);
  return (step) => factor ** Math.floor(step / every);
}

/** `factor` once more at each of the steps `at`. */
export function multiStep(options: { readonly at: readonly number[]; readonly factor: number }): Schedule {
  expectOptions('multiStep', options);
  const { at, factor } = options;
  expectList('multiStep', 'at', at);
  expectNumber('multiStep', 'factor', factor);
  return (step) => factor ** at.filter((milestone) => step >= milestone).length;
}

/** factor^step */
export function exponential(factor: number): Schedule {
  expectNumber('exponential', 'factor', factor);
  return (step) => factor ** step;
}

/** Half a cosine from 1 at step 0 to `floor` at step `steps` and after it (Loshchilov and Hutter, 2017). */
export function cosine(steps: number, floor = 0): Schedule {
  expectCount('cosine', 'steps', steps);
  expectNumber('cosine', 'floor', floor);
  return (step) => floor + ((1 - floor) * (1 + Math.cos(Math.PI * Math.min(1, step / steps)))) / 2;
}

/**
 * PyTorch's CosineAnnealingLR: as `cosine` to step `steps`, then up to 1 again at 2 * steps, and so on with that period.
 * `cosine` stays at `floor`.
 */
export function cosineAnnealing(steps: number, floor = 0): Schedule {
  expectCount('cosineAnnealing', 'steps', steps);
  expectNumber('cosineAnnealing', 'floor', floor);
  return (step) => floor + ((1 - floor) * (1 + Math.cos((Math.PI * step) / steps))) / 2;
}

/**
 * PyTorch's CosineAnnealingWarmRestarts (SGDR, Loshchilov and Hutter, 2017): half a cosine from 1 towards `floor` over
 * `period` steps, then from 1 again, each period `factor` times as long as the one before. Defaults: factor 1, floor 0.
 */
export function cosineAnnealingWarmRestarts(options: {
  readonly period: number;
  readonly factor?: number;
  readonly floor?: number;
}): Schedule {
  expectOptions('cosineAnnealingWarmRestarts', options);
  const { period, factor = 1, floor = 0 } = options;
  expectInteger('cosineAnnealingWarmRestarts', 'period', period);
  expectInteger('cosineAnnealingWarmRestarts', 'factor', factor);
  const half = cosineAnnealing(1, floor);
  return (step) => {
    if (factor === 1) return half((step % period) / period);
    let [start, length] = [0, period];
    while (step >= start + length) [start, length] = [start + length, length * factor];
    return half((step - start) / length);
  };
}

/** Rises evenly over `steps` steps, 1 / steps at step 0 and 1 at steps - 1; then `after`, counted from 0 again. */
export function warmUp(steps: number, after: Schedule = () => 1): Schedule {
  expectCount('warmUp', 'steps', steps);
  expectFunction('warmUp', after);
  return (step) => (step < steps ? (step + 1) / steps : after(step - steps));
}

export interface PlateauOptions {
  /** Whether the metric should fall (a loss) or rise (an accuracy). Default `min`. */
  readonly mode?: 'min' | 'max';
  /** On the learning rate when the metric stands still. Default 0.1. */
  readonly factor?: number;
  /** Epochs without improvement that are let pass. Default 10. */
  readonly patience?: number;
  /** The smallest relative change that counts as improvement. Default 1e-4. */
  readonly threshold?: number;
  /** The smallest factor. Default 0. */
  readonly floor?: number;
}

/** What a plateau remembers; plain numbers, for checkpoints. */
export interface PlateauState {
  readonly lrFactor: number;
  /** Null before the first metric. */
  readonly best: number | null;
  readonly waited: number;
}

/** Lowers the factor when a metric stops improving: the one schedule that depends on what was measured. */
export class Plateau {
  readonly #options: Required<PlateauOptions>;
  #state: PlateauState = { lrFactor: 1, best: null, waited: 0 };

  constructor(options: PlateauOptions = {}) {
    expectOptions('Plateau', options);
    this.#options = { mode: 'min', factor: 0.1, patience: 10, threshold: 1e-4, floor: 0, ...options };
    const { factor } = this.#options;
    if (!(factor > 0 && factor < 1)) throw new ValueError(`Plateau: factor ${factor} is outside 0 < factor < 1`);
  }

  /** The factor after the newest metric. Throws ValueError for a metric that is NaN. */
  next(metric: number): number {
    expectNumber('Plateau', 'the metric', metric);
    const { factor, patience, floor } = this.#options;
    const { lrFactor, best, waited } = this.#state;
    if (best === null || this.#improves(metric, best)) this.#state = { lrFactor, best: metric, waited: 0 };
    else if (waited < patience) this.#state = { lrFactor, best, waited: waited + 1 };
    else this.#state = { lrFactor: Math.max(floor, lrFactor * factor), best, waited: 0 };
    return this.#state.lrFactor;
  }

  state(): PlateauState {
    return this.#state;
  }

  loadState(state: PlateauState): void {
    expectOptions('Plateau', state);
    expectNumber('Plateau', 'lrFactor', state.lrFactor);
    expectInteger('Plateau', 'waited', state.waited, 0);
    if (state.best !== null) expectNumber('Plateau', 'best', state.best);
    this.#state = state;
  }

  #improves(metric: number, best: number): boolean {
    const margin = this.#options.threshold * Math.abs(best);
    return this.#options.mode === 'min' ? metric < best - margin : metric > best + margin;
  }
}

function expectCount(name: string, option: string, value: number): void {
  if (!(typeof value === 'number' && value > 0))
    throw new ValueError(`${name}: ${option} ${kindOf(value)} is not positive`);
}
