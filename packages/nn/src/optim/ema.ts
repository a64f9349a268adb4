// Exponential moving averages of weights and statistics (Polyak and Juditsky, 1992), which often evaluate better.
import follow from '@mien/shaders/optim/follow.wgsl';
import swapped from '@mien/shaders/optim/swap.wgsl';
import {
  assign,
  expectFunction,
  expectInteger,
  expectOptions,
  kernel,
  kindOf,
  live,
  Tensor,
  unchanging,
  ValueError,
} from '@mien/tensor';
import { StateError } from '../errors.ts';
import { Module } from '../module.ts';
import { differingTied, expectState, listed, type State } from '../state.ts';
import { runFlat } from './flat.ts';
import { expectWithin } from './optimizer.ts';
import { runSlots, zerosTogether } from './slots.ts';

const following = kernel(follow);
const swapping = kernel(swapped);

/** A tensor of the module and its average. */
interface Pair {
  readonly own: Tensor;
  readonly average: Tensor;
}

export interface EMAOptions {
  /** Part of the average that each update keeps, in the long run. Default 0.999. */
  readonly decay?: number;
  /**
   * Updates made so far, when going on with saved averages. Default 0. Update n keeps min(decay, (1 + n) / (10 + n)), so
   * that the first values, which are random, are soon forgotten (the rule of TensorFlow's ExponentialMovingAverage).
   */
  readonly updates?: number;
}

/** Averages of every float32 parameter and buffer of a module, started at their values when it was made. */
export class EMA {
  readonly #decay: number;
  readonly #pairs: ReadonlyMap<string, Pair>;
  /** Each pair once: a tensor with two names has one average. */
  readonly #distinct: readonly Pair[];
  #updates: number;
  #applied = false;

  constructor(model: Module, options: EMAOptions = {}) {
    if (!(model instanceof Module)) throw new ValueError(`EMA: model must be a Module, got ${kindOf(model)}`);
    expectOptions('EMA', options);
    this.#decay = options.decay ?? 0.999;
    this.#updates = options.updates ?? 0;
    expectWithin('EMA', 'decay', this.#decay, 0, 1);
    expectInteger('EMA', 'updates', this.#updates, 0);
    const floats = [...model.stateDict()].filter(([, own]) => own.dtype === 'float32');
    const owns = [...new Set(floats.map(([, own]) => own))];
    const averages = zerosTogether(
      'averages',
      owns.map(({ shape }) => shape),
    );
    this.#distinct = owns.map((own, i) => ({ own, average: averages[i] as Tensor }));
    const pairs = new Map(this.#distinct.map((pair) => [pair.own, pair]));
    this.#pairs = new Map(floats.map(([name, own]) => [name, pairs.get(own) as Pair]));
    for (const { own, average } of this.#distinct) assign(average, own);
  }

  /** average += (1 - kept part) (value - average), several tensors in one dispatch; call it after each step. */
  update(): void {
    this.#expectNotApplied('update');
    unchanging('whether the module holds the averages', () => this.#applied);
    const newPart = live(() => {
      const updates = this.#updates++;
      return 1 - Math.min(this.#decay, (1 + updates) / (10 + updates));
    });
    const fillings = this.#distinct.map(({ own, average }) => {
      return { size: own.size, own: { x: own }, shared: { average } };
    });
    runSlots(following, fillings, {}, { newPart });
  }

  /** Runs `use` while the module holds the averages, then gives its own values back, bit for bit. */
  async applied<T>(use: () => T | Promise<T>): Promise<T> {
    expectFunction('EMA.applied', use);
    this.#expectNotApplied('applied');
    this.#swap();
    try {
      return await use();
    } finally {
      this.#swap();
    }
  }

  /** The averages under the module's names: the tensors themselves, not copies. */
  stateDict(): Map<string, Tensor> {
    return new Map(Array.from(this.#pairs, ([name, { average }]) => [name, average]));
  }

  /** Replaces the averages by saved ones. Throws StateError for other names or shapes. */
  loadStateDict(state: State): void {
    expectState('EMA', state);
    const faults = [...state.keys()].filter((name) => !this.#pairs.has(name)).map((name) => `unexpected ${name}`);
    const given = new Set([...this.#pairs].flatMap(([name, pair]) => (state.has(name) ? [pair] : [])));
    for (const [name, pair] of this.#pairs) {
      const actual = state.get(name)?.shape.join(', ');
      const expected = pair.average.shape.join(', ');
      if (actual === undefined ? !given.has(pair) : actual !== expected) {
        faults.push(actual === undefined ? `missing ${name}` : `${name} expects [${expected}], got [${actual}]`);
      }
    }
    const pairs = [...this.#pairs].flatMap(([name, { average }]) => {
      const source = state.get(name);
      return source ? [{ name, target: average, source }] : [];
    });
    faults.push(...differingTied(pairs));
    if (faults.length > 0) throw new StateError(`EMA: the saved averages do not fit: ${listed(faults)}`);
    for (const { target, source } of pairs) assign(target, source instanceof Tensor ? source : source.data);
  }

  /** Gives back the averages' memory. */
  dispose(): void {
    for (const { average } of this.#distinct) average.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #swap(): void {
    for (const { own, average } of this.#distinct) runFlat(swapping, { a: own, b: average }, {});
    this.#applied = !this.#applied;
  }

  #expectNotApplied(what: string): void {
    if (this.#applied)
      throw new StateError(`EMA: ${what} while the module holds the averages; wait for applied() to end`);
  }
}
