// What optimisers share: groups of parameters, state by parameter name, the factor that schedules set.
import { assign, keep, Tensor, ValueError, zeros } from '@mien/tensor';
import { StateError } from '../errors.ts';
import type { NamedTensor } from '../module.ts';
import { type HostTensor, listed, type State } from '../state.ts';

/** Parameters that share options; what a group leaves out, the optimiser's own options say. */
export type GroupOptions<O> = Partial<O> & { readonly parameters: readonly NamedTensor[] };

/** A group with every option set. `options` may be replaced between steps. */
export interface ParameterGroup<O> {
  readonly parameters: readonly NamedTensor[];
  options: O;
}

/** `model.namedParameters()`, or groups of them. */
export type Parameters<O> = readonly NamedTensor[] | readonly GroupOptions<O>[];

/** What an optimiser keeps for one parameter. */
interface Slots {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Updates of this parameter so far, the one going on included. */
  step: number;
}

/**
 * Base of optimisers. `step()` updates in place every parameter that has a gradient, one dispatch each, and reads nothing
 * back; state is made at a parameter's first step and saved by name as `<parameter>.<slot>`.
 */
export abstract class Optimizer<O extends { readonly lr: number }> {
  /** Multiplies every group's lr: what schedules set, `optimizer.lrFactor = schedule(epoch)`. */
  lrFactor = 1;
  readonly groups: readonly ParameterGroup<O>[];
  readonly #slots = new Map<string, Slots>();

  constructor(parameters: Parameters<O>, defaults: O) {
    this.groups = toGroups(parameters, defaults);
    const names = this.groups.flatMap((group) => group.parameters.map(([name]) => name));
    const repeated = names.filter((name, i) => names.indexOf(name) !== i);
    if (names.length === 0) throw new ValueError(`${this.constructor.name}: there are no parameters`);
    if (repeated.length > 0) throw new ValueError(`${this.constructor.name}: more than once: ${listed(repeated)}`);
    for (const { options } of this.groups) this.check(options);
  }

  /** Throws ValueError for options out of range. */
  protected abstract check(options: O): void;

  /** The names of the tensors kept for a parameter, each of its shape. */
  protected abstract slotNames(options: O): readonly string[];

  /** Whether the number of a parameter's updates is part of its state. */
  protected abstract readonly countsSteps: boolean;

  /** Dispatches the update of one parameter. */
  protected abstract update(update: Update<O>): void;

  /** Updates every parameter that has a gradient. */
  step(): void {
    for (const { parameters, options } of this.groups) {
      for (const [name, parameter] of parameters) {
        const gradient = parameter.grad;
        if (!gradient) continue;
        const slots = this.#slots.get(name) ?? this.#make(name, parameter, options);
        slots.step++;
        const lr = options.lr * this.lrFactor;
        this.update({ parameter, gradient, slots: slots.tensors, step: slots.step, lr, options });
      }
    }
  }

  /** Disposes of every gradient. */
  zeroGrad(): void {
    for (const { parameters } of this.groups) for (const [, parameter] of parameters) parameter.grad = null;
  }

  /** The state of every parameter that was updated: the tensors themselves, not copies, and step counts as float32. */
  stateDict(): Map<string, Tensor | HostTensor> {
    const state = new Map<string, Tensor | HostTensor>();
    for (const [name, { tensors, step }] of this.#slots) {
      for (const [slot, values] of tensors) state.set(`${name}.${slot}`, values);
      if (this.countsSteps) state.set(`${name}.step`, { shape: [], dtype: 'float32', data: Float32Array.of(step) });
    }
    return state;
  }

  /**
   * Replaces the state by a saved one, values exactly; groups, options and lrFactor stay. Throws StateError, before
   * anything is written, for unknown names, for other shapes and for a parameter's state that is not whole.
   */
  loadStateDict(state: State): void {
    const plan: (readonly [name: string, parameter: Tensor, options: O])[] = [];
    const known = new Set<string>();
    const faults: string[] = [];
    for (const { parameters, options } of this.groups) {
      for (const [name, parameter] of parameters) {
        const slots = this.slotNames(options).map((slot) => ({ key: `${name}.${slot}`, shape: parameter.shape }));
        if (this.countsSteps) slots.push({ key: `${name}.step`, shape: [] });
        const given = slots.filter(({ key }) => state.has(key));
        for (const { key } of slots) known.add(key);
        if (given.length > 0) plan.push([name, parameter, options]);
        if (given.length === 0) continue;
        for (const { key, shape } of slots) {
          const value = state.get(key);
          const expected = `float32 [${shape.join(', ')}]`;
          const came = value ? `${value.dtype} [${value.shape.join(', ')}]` : 'nothing';
          if (came !== expected) faults.push(`${key} expects ${expected}, came ${came}`);
        }
        if (this.countsSteps && state.get(`${name}.step`) instanceof Tensor) {
          faults.push(`${name}.step is read on the host; load a state from a file or from toHost`);
        }
      }
    }
    const unexpected = [...state.keys()].filter((key) => !known.has(key));
    if (unexpected.length > 0) faults.push(`unexpected ${listed(unexpected)}`);
    if (faults.length > 0) {
      throw new StateError(
        `${this.constructor.name}: the saved state does not fit: ${listed(faults)}; use the optimiser and the network that were saved`,
      );
    }
    this.#clear();
    for (const [name, parameter, options] of plan) {
      const slots = this.#make(name, parameter, options);
      for (const [slot, target] of slots.tensors) {
        const source = state.get(`${name}.${slot}`) as Tensor | HostTensor;
        assign(target, source instanceof Tensor ? source : source.data);
      }
      if (this.countsSteps) slots.step = (state.get(`${name}.step`) as HostTensor).data[0] as number;
    }
  }

  /** Gives back the state's memory; parameters and gradients stay. */
  dispose(): void {
    this.#clear();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #make(name: string, parameter: Tensor, options: O): Slots {
    const tensors = this.slotNames(options).map((slot) => [slot, keep(zeros(parameter.shape))] as const);
    const slots = { tensors: new Map(tensors), step: 0 };
    this.#slots.set(name, slots);
    return slots;
  }

  #clear(): void {
    for (const { tensors } of this.#slots.values()) for (const values of tensors.values()) values.dispose();
    this.#slots.clear();
  }
}

/** One parameter's update. */
export interface Update<O> {
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  readonly slots: ReadonlyMap<string, Tensor>;
  /** From 1. */
  readonly step: number;
  /** The group's lr times lrFactor. */
  readonly lr: number;
  readonly options: O;
}

function toGroups<O>(parameters: Parameters<O>, defaults: O): readonly ParameterGroup<O>[] {
  if (parameters.every(isNamed)) return [{ parameters, options: defaults }];
  return (parameters as readonly GroupOptions<O>[]).map(({ parameters: own, ...options }) => ({
    parameters: own,
    options: { ...defaults, ...options },
  }));
}

function isNamed(each: NamedTensor | object): each is NamedTensor {
  return Array.isArray(each);
}

/** Throws ValueError unless `low <= value < high`. */
export function expectWithin(name: string, option: string, value: number, low: number, high: number): void {
  if (value >= low && value < high) return;
  throw new ValueError(`${name}: ${option} ${value} is outside ${low} <= ${option} < ${high}`);
}
