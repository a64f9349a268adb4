// What optimizers share: groups of parameters, state by parameter name, the factor that schedules set.
import {
  assign,
  inspect,
  kindOf,
  type Live,
  live,
  scope,
  searching,
  Tensor,
  unchanging,
  ValueError,
  within,
} from '@mien/tensor';
import { StateError } from '../errors.ts';
import type { NamedTensor } from '../module.ts';
import { expectState, type HostTensor, listed, type State } from '../state.ts';
import { type Bounds, boundsOf, type Clip } from './clip.ts';
import { type Filling, zerosTogether } from './slots.ts';

/** Parameters that share options; what a group leaves out, the optimizer's own options say. */
export type GroupOptions<O> = Partial<O> & { readonly parameters: readonly NamedTensor[] | readonly Tensor[] };

/** A group with every option set. `options` may be replaced between steps. */
export interface ParameterGroup<O> {
  readonly parameters: readonly NamedTensor[];
  options: O;
}

/** `model.namedParameters()`, tensors without names, which are called 0, 1, 2, ... in states, or groups of either. */
export type Parameters<O> = readonly NamedTensor[] | readonly Tensor[] | readonly GroupOptions<O>[];

/** What an optimizer keeps for one parameter. */
interface Slots {
  readonly tensors: Map<string, Tensor>;
  /** Updates of this parameter so far, the one going on included; 0 where they are not counted. */
  step: number;
}

/**
 * Base of optimizers. `step()` updates in place every parameter that has a gradient, several in one dispatch, and reads
 * nothing back; state is made at a parameter's first step and saved by name as `<parameter>.<slot>`. Gradients of several
 * `backward()` add up until `zeroGrad()`: divide each loss by their number for the mean over micro-batches.
 */
export abstract class Optimizer<O extends { readonly lr: number }> {
  /** Multiplies every group's lr: what schedules set, `optimizer.lrFactor = schedule(epoch)`. */
  lrFactor = 1;
  readonly groups: readonly ParameterGroup<O>[];
  readonly #slots = new Map<string, Slots>();

  constructor(parameters: Parameters<O>, defaults: O) {
    this.groups = toGroups(this.constructor.name, parameters, defaults);
    expectDistinct(
      this.constructor.name,
      this.groups.flatMap((group) => group.parameters),
    );
    for (const { options } of this.groups) this.check(options);
  }

  /** Throws ValueError for options out of range. */
  protected abstract check(options: O): void;

  /** The names of the tensors kept for a parameter, each of its shape, by the kernel's names for them. */
  protected abstract slotNames(options: O): Readonly<Record<string, string>>;

  /** Whether the number of a parameter's updates is part of its state. */
  protected abstract readonly countsSteps: boolean;

  /** Dispatches the update of parameters that share everything but their tensors. */
  protected abstract update(updates: Updates<O>): void;

  /**
   * Updates every parameter that has a gradient. With `clip` the gradients are bounded on the way in, as clipGradValue
   * or clipGradNorm would bound them, but stay as they are. Throws ValueError for a bound that is not positive. A captured
   * step follows lrFactor and counts updates; it refuses options that were replaced.
   */
  step(clip: Clip | null = null): void {
    for (const group of this.groups) unchanging(`${this.constructor.name}'s options`, () => group.options);
    const moving = this.groups.map(({ parameters, options }) => ({
      options,
      parameters: parameters.filter(([, { grad }]) => grad !== null),
    }));
    const gradients = moving.flatMap(({ parameters }) => parameters.map(([, { grad }]) => grad as Tensor));
    scope(() => {
      const bounds = boundsOf(`${this.constructor.name}.step`, clip, gradients);
      for (const { parameters, options } of moving) {
        this.#make(parameters, options);
        const lr = live(() => options.lr * this.lrFactor);
        for (const { step, fillings } of this.#advance(parameters, options)) {
          this.update({ fillings, bounds, step, lr, options });
          if (searching()) this.#inspect(parameters);
        }
      }
    });
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
    expectState(this.constructor.name, state);
    const plan = new Set<string>();
    const known = new Set<string>();
    const faults: string[] = [];
    for (const { parameters, options } of this.groups) {
      for (const [name, parameter] of parameters) {
        const slots = Object.values(this.slotNames(options)).map((slot) => ({
          key: `${name}.${slot}`,
          shape: parameter.shape,
        }));
        if (this.countsSteps) slots.push({ key: `${name}.step`, shape: [] });
        const given = slots.filter(({ key }) => state.has(key));
        for (const { key } of slots) known.add(key);
        if (given.length === 0) continue;
        plan.add(name);
        for (const { key, shape } of slots) {
          const value = state.get(key);
          const expected = `float32 [${shape.join(', ')}]`;
          const actual = value ? `${value.dtype} [${value.shape.join(', ')}]` : 'nothing';
          if (actual !== expected) faults.push(`${key} expects ${expected}, got ${actual}`);
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
        `${this.constructor.name}: the saved state does not fit: ${listed(faults)}; use the optimizer and the network that were saved`,
      );
    }
    this.#clear();
    for (const { parameters, options } of this.groups) {
      const saved = parameters.filter(([name]) => plan.has(name));
      this.#make(saved, options);
      for (const [name] of saved) {
        const slots = this.#slots.get(name) as Slots;
        for (const [slot, target] of slots.tensors) {
          const source = state.get(`${name}.${slot}`) as Tensor | HostTensor;
          assign(target, source instanceof Tensor ? source : source.data);
        }
        if (this.countsSteps) slots.step = (state.get(`${name}.step`) as HostTensor).data[0] as number;
      }
    }
  }

  /** Gives back the state's memory; parameters and gradients stay. */
  dispose(): void {
    this.#clear();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Makes the state that parameters lack, side by side. */
  #make(parameters: readonly NamedTensor[], options: O): void {
    for (const slot of Object.values(this.slotNames(options))) {
      const lacking = parameters.filter(([name]) => !this.#slots.get(name)?.tensors.has(slot));
      const made = zerosTogether(
        'optimizer state',
        lacking.map(([, { shape }]) => shape),
      );
      for (const [i, [name]] of lacking.entries()) this.#slotsOf(name).tensors.set(slot, made[i] as Tensor);
    }
  }

  /** Counts one update more of each parameter; those of one count together. */
  #advance(parameters: readonly NamedTensor[], options: O): readonly Pick<Updates<O>, 'fillings' | 'step'>[] {
    const found = new Map<number, { readonly fillings: Filling[]; readonly counted: Slots[] }>();
    for (const [name, parameter] of parameters) {
      const slots = this.#slotsOf(name);
      const shared = Object.entries(this.slotNames(options)).map(([binding, slot]) => [
        binding,
        slots.tensors.get(slot) as Tensor,
      ]);
      const own = { gradient: parameter.grad as Tensor, parameter };
      const filling = { size: parameter.size, own, shared: Object.fromEntries(shared) };
      const same = found.get(slots.step) ?? { fillings: [], counted: [] };
      found.set(slots.step, same);
      same.fillings.push(filling);
      same.counted.push(slots);
    }
    return Array.from(found.values(), ({ fillings, counted }) => {
      unchanging('the number of parameters updated equally often', () => new Set(counted.map(({ step }) => step)).size);
      const count = (): number => {
        if (this.countsSteps) for (const slots of counted) slots.step++;
        return counted[0]?.step ?? 0;
      };
      return { fillings, step: live(count) };
    });
  }

  /** Has `detectAnomaly` look at parameters that were updated. */
  #inspect(parameters: readonly NamedTensor[]): void {
    for (const [name, parameter] of parameters) {
      within({ name }, () => inspect(`the step of ${this.constructor.name}`, parameter, { gradient: parameter.grad }));
    }
  }

  #slotsOf(name: string): Slots {
    const slots = this.#slots.get(name) ?? { tensors: new Map(), step: 0 };
    this.#slots.set(name, slots);
    return slots;
  }

  #clear(): void {
    for (const { tensors } of this.#slots.values()) for (const values of tensors.values()) values.dispose();
    this.#slots.clear();
  }
}

/** The update of parameters with one set of options and one count of updates. */
export interface Updates<O> {
  /** `gradient` and `parameter` of each, and its state, by the names of `slotNames`. */
  readonly fillings: readonly Filling[];
  readonly bounds: Bounds;
  /** From 1; 0 where updates are not counted. */
  readonly step: Live<number>;
  /** The group's lr times lrFactor. */
  readonly lr: Live<number>;
  readonly options: O;
}

function toGroups<O>(name: string, parameters: Parameters<O>, defaults: O): readonly ParameterGroup<O>[] {
  if (!Array.isArray(parameters)) {
    throw new ValueError(`${name}: parameters must be a list, got ${kindOf(parameters)}; pass model.namedParameters()`);
  }
  let unnamed = 0;
  const named = (each: unknown): NamedTensor => {
    const pair = each instanceof Tensor ? [String(unnamed++), each] : each;
    if (isNamed(pair)) return pair;
    throw new ValueError(`${name}: a parameter must be a [name, tensor] pair or a tensor, got ${kindOf(each)}`);
  };
  const isGroup = (each: unknown): each is GroupOptions<O> =>
    typeof each === 'object' && each !== null && Array.isArray((each as GroupOptions<O>).parameters);
  if (!parameters.every(isGroup)) return [{ parameters: parameters.map(named), options: defaults }];
  if (parameters.length === 0) return [];
  return parameters.map(({ parameters: own, ...options }) => ({
    parameters: own.map(named),
    options: { ...defaults, ...options },
  }));
}

function isNamed(each: unknown): each is NamedTensor {
  return Array.isArray(each) && typeof each[0] === 'string' && each[1] instanceof Tensor;
}

/** Throws ValueError where there are no parameters, or a name, a tensor or the result of an operation is among them twice or at all. */
function expectDistinct(name: string, parameters: readonly NamedTensor[]): void {
  if (parameters.length === 0) throw new ValueError(`${name}: there are no parameters`);
  const names = new Set<string>();
  const tensors = new Map<Tensor, string>();
  for (const [own, tensor] of parameters) {
    const other = tensors.get(tensor);
    if (names.has(own)) throw new ValueError(`${name}: more than once: ${own}; names must be distinct`);
    if (other !== undefined) {
      throw new ValueError(
        `${name}: ${other} and ${own} are one tensor; list it once, as model.namedParameters() does`,
      );
    }
    if (tensor.node) {
      throw new ValueError(
        `${name}: ${own} is the result of ${tensor.node.name}; an optimizer updates leaves: detach() it`,
      );
    }
    names.add(own);
    tensors.set(tensor, own);
  }
}

/** Throws ValueError unless `low <= value < high`. */
export function expectWithin(name: string, option: string, value: number, low: number, high: number): void {
  if (typeof value === 'number' && value >= low && value < high) return;
  throw new ValueError(`${name}: ${option} ${kindOf(value)} is outside ${low} <= ${option} < ${high}`);
}
