// Exponential moving averages of weights and statistics (Polyak and Juditsky, 1992), which often generalize better.

import followText from '@mien/shaders/optim/follow.wgsl';
import swapText from '@mien/shaders/optim/swap.wgsl';
import { assign, kernel, live, run, Tensor, unchanging, ValueError } from '@mien/tensor';
import { expectFunction, expectInteger, expectOptions, kindOf } from '@mien/tensor/internal';
import { StateError } from '../errors.ts';
import { Module } from '../module.ts';
import { differingTied, expectState, listed, type State } from '../state.ts';
import { expectWithin } from './optimizer.ts';
import { runSlots, zerosTogether } from './slots.ts';

const updateKernel = kernel(followText);
const swapKernel = kernel(swapText);

/** A tensor of the module and its average. */
interface Pair {
  readonly tensor: Tensor;
  readonly average: Tensor;
}

export interface EMAOptions {
  /** Factor on the previous average, in the long run. Default 0.999. */
  readonly decay?: number;
  /**
   * Updates so far, to continue with saved averages. Default 0. Update n uses min(decay, (1 + n) / (10 + n)), so that the
   * random initial values are soon forgotten (the rule of TensorFlow's ExponentialMovingAverage).
   */
  readonly updates?: number;
}

/** Averages of every float32 parameter and buffer of a module, which start at their values when it is constructed. */
export class EMA {
  readonly #decay: number;
  readonly #pairs: ReadonlyMap<string, Pair>;
  /** Each pair once: a tensor with two names (tied weights) has one average. */
  readonly #distinct: readonly Pair[];
  #updates: number;
  #applied = false;

  constructor(model: Module, options: EMAOptions = {}) {
    if (!(model instanceof Module)) throw new ValueError(`EMA: model must be a Module, got ${kindOf(model)}`);
    expectOptions('EMA', options, ['decay', 'updates']);
    this.#decay = options.decay ?? 0.999;
    this.#updates = options.updates ?? 0;
    expectWithin('EMA', 'decay', this.#decay, 0, 1);
    expectInteger('EMA', 'updates', this.#updates, 0);
    const floats = [...model.stateDict()].filter(([, tensor]) => tensor.dtype === 'float32');
    const distinct = [...new Set(floats.map(([, tensor]) => tensor))];
    const averages = zerosTogether(
      'averages',
      distinct.map(({ shape }) => shape),
    );
    this.#distinct = distinct.map((tensor, i) => ({ tensor, average: averages[i] as Tensor }));
    const pairs = new Map(this.#distinct.map((pair) => [pair.tensor, pair]));
    this.#pairs = new Map(floats.map(([name, tensor]) => [name, pairs.get(tensor) as Pair]));
    for (const { tensor, average } of this.#distinct) assign(average, tensor);
  }

  /** average += (1 - decay) (value - average), several tensors in one dispatch; call it after each step. */
  update(): void {
    this.#expectNotApplied('update');
    unchanging('whether the module holds the averages', () => this.#applied);
    const newPart = live(() => {
      const updates = this.#updates++;
      return 1 - Math.min(this.#decay, (1 + updates) / (10 + updates));
    });
    const slots = this.#distinct.map(({ tensor, average }) => {
      return { size: tensor.size, perSlot: { x: tensor }, shared: { average } };
    });
    runSlots(updateKernel, slots, {}, { newPart });
  }

  /** Runs `use` while the module holds the averages, then restores the module's values bit for bit. */
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

  /** The averages by the module's names: the tensors themselves, not copies. */
  stateDict(): Map<string, Tensor> {
    return new Map(Array.from(this.#pairs, ([name, { average }]) => [name, average]));
  }

  /** Copies saved averages. Throws StateError, before anything is written, for other names or shapes. */
  loadStateDict(state: State): void {
    expectState('EMA', state);
    const faults = [...state.keys()].filter((name) => !this.#pairs.has(name)).map((name) => `unexpected ${name}`);
    const given = new Set([...this.#pairs].flatMap(([name, pair]) => (state.has(name) ? [pair] : [])));
    for (const [name, pair] of this.#pairs) {
      const actual = state.get(name)?.shape.join(', ');
      const expected = pair.average.shape.join(', ');
      if (actual === undefined ? !given.has(pair) : actual !== expected) {
        faults.push(actual === undefined ? `missing ${name}` : `${name}: expected [${expected}], got [${actual}]`);
      }
    }
    const pairs = [...this.#pairs].flatMap(([name, { average }]) => {
      const source = state.get(name);
      return source ? [{ name, target: average, source }] : [];
    });
    faults.push(...differingTied(pairs));
    if (faults.length > 0)
      throw new StateError(`EMA: the saved averages do not fit: ${listed(faults)}; pass the module that was saved`);
    for (const { target, source } of pairs) assign(target, source instanceof Tensor ? source : source.data);
  }

  /** Frees the averages. */
  dispose(): void {
    for (const { average } of this.#distinct) average.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #swap(): void {
    const { LANES = 1, VECTORS = 1 } = swapKernel.consts;
    for (const { tensor, average } of this.#distinct) {
      // As vec4: the last one may reach into a buffer's padding, whose content is arbitrary.
      const vectors = Math.ceil(tensor.size / 4);
      run(swapKernel, { a: tensor, b: average }, { vectors }, Math.ceil(vectors / (LANES * VECTORS)));
    }
    this.#applied = !this.#applied;
  }

  #expectNotApplied(method: string): void {
    if (!this.#applied) return;
    throw new StateError(`EMA.${method}: the module holds the averages; wait for applied() to finish`);
  }
}
