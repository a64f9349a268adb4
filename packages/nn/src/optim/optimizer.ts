// The base of optimizers: parameter groups, state by parameter name, the learning-rate factor that schedules set.

import { assign, inspect, type Live, live, scope, Tensor, unchanging, ValueError } from '@mien/tensor';
import { expectOptions, gradOf, isLeaf, kindOf, producerOf, searching, within } from '@mien/tensor/internal';
import { StateError } from '../errors.ts';
import type { NamedTensor } from '../module.ts';
import { expectState, type HostTensor, listed, type State } from '../state.ts';
import { type Clip, type ClipArguments, clipArguments } from './clip.ts';
import { type SlotBindings, zerosTogether } from './slots.ts';

/** Parameters with options, which default to the optimizer's. */
export type ParamGroupOptions<O> = Partial<O> & { readonly params: readonly NamedTensor[] | readonly Tensor[] };

/** A parameter group with every option set. `options` may be replaced between steps. */
export interface ParamGroup<O> {
  readonly params: readonly NamedTensor[];
  options: O;
}

/** `model.namedParameters()`, tensors without names (named 0, 1, 2, ... in state dicts), or groups of either. */
export type OptimizerParameters<O> = readonly NamedTensor[] | readonly Tensor[] | readonly ParamGroupOptions<O>[];

/** The state of one parameter. */
interface ParameterState {
  /** By name in state dicts: `exp_avg`. */
  readonly tensors: Map<string, Tensor>;
  /** Updates so far, including the current one; 0 where they are not counted. */
  step: number;
}

/**
 * Base of optimizers. `step()` updates every parameter that has a gradient and is not frozen in place, several per dispatch,
 * without host reads. State is created at a parameter's first step and saved as `<parameter>.<state>`. Gradients accumulate until
 * `zeroGrad()`: for a mean over micro-batches, divide each loss by their number.
 */
export abstract class Optimizer<O extends { readonly lr: number }> {
  /** Multiplies every group's lr; schedules set it: `optimizer.lrFactor = schedule(epoch)`. */
  lrFactor = 1;
  readonly paramGroups: readonly ParamGroup<O>[];
  readonly #state = new Map<string, ParameterState>();

  constructor(parameters: OptimizerParameters<O>, defaults: O) {
    this.paramGroups = toGroups(this.constructor.name, parameters, defaults);
    expectDistinct(
      this.constructor.name,
      this.paramGroups.flatMap(({ params }) => params),
    );
    for (const { options } of this.paramGroups) this.check(options);
  }

  /** Throws ValueError for options out of range. */
  protected abstract check(options: O): void;

  /** The state tensors of a parameter, each of its shape: names in state dicts by names in the kernel. */
  protected abstract stateNames(options: O): Readonly<Record<string, string>>;

  /** Whether the number of updates is part of a parameter's state. */
  protected abstract readonly countsSteps: boolean;

  /** Dispatches the update of parameters that have the same options and number of updates. */
  protected abstract update(updates: Updates<O>): void;

  /**
   * Updates every parameter that has a gradient and is not frozen. `clip` clips gradients in the same pass, as clipGradValue or clipGradNorm
   * would, but leaves `grad` unchanged. Throws ValueError for a limit that is not positive. A captured step follows lrFactor
   * and counts updates; it refuses options that were replaced.
   */
  step(clip: Clip | null = null): void {
    for (const group of this.paramGroups) unchanging(`${this.constructor.name}'s options`, () => group.options);
    const groups = this.paramGroups.map(({ params, options }) => ({
      options,
      params: params.filter(([, parameter]) => gradOf(parameter) !== null && !isFrozen(parameter)),
    }));
    const gradients = groups.flatMap(({ params }) => params.map(([, parameter]) => gradOf(parameter) as Tensor));
    scope(() => {
      const clipping = clipArguments(`${this.constructor.name}.step`, clip, gradients);
      for (const { params, options } of groups) {
        this.#createState(params, options);
        const lr = live(() => options.lr * this.lrFactor);
        for (const { step, slots } of this.#advance(params, options)) {
          this.update({ slots, clip: clipping, step, lr, options });
          if (searching()) this.#inspect(params);
        }
      }
    });
  }

  /** Clears every gradient, as PyTorch's set_to_none; gradients that were read stay valid. */
  zeroGrad(): void {
    for (const { params } of this.paramGroups) for (const [, parameter] of params) parameter.grad = null;
  }

  /** The state of every updated parameter: the tensors themselves, not copies, and step counts as float32. */
  stateDict(): Map<string, Tensor | HostTensor> {
    const state = new Map<string, Tensor | HostTensor>();
    for (const [name, { tensors, step }] of this.#state) {
      for (const [key, values] of tensors) state.set(`${name}.${key}`, values);
      if (this.countsSteps) state.set(`${name}.step`, { shape: [], dtype: 'float32', data: Float32Array.of(step) });
    }
    return state;
  }

  /**
   * Replaces the state by a saved one; groups, options and lrFactor stay. Throws StateError, before anything is written, for
   * unknown names, other shapes and incomplete state of a parameter.
   */
  loadStateDict(state: State): void {
    expectState(this.constructor.name, state);
    const saved = new Set<string>();
    const known = new Set<string>();
    const faults: string[] = [];
    for (const { params, options } of this.paramGroups) {
      for (const [name, parameter] of params) {
        const entries = Object.values(this.stateNames(options)).map((stateName) => ({
          key: `${name}.${stateName}`,
          shape: parameter.shape,
        }));
        if (this.countsSteps) entries.push({ key: `${name}.step`, shape: [] });
        for (const { key } of entries) known.add(key);
        if (!entries.some(({ key }) => state.has(key))) continue;
        saved.add(name);
        for (const { key, shape } of entries) {
          const value = state.get(key);
          const expected = `float32 [${shape.join(', ')}]`;
          const actual = value ? `${value.dtype} [${value.shape.join(', ')}]` : 'nothing';
          if (actual !== expected) faults.push(`${key}: expected ${expected}, got ${actual}`);
        }
        if (this.countsSteps && state.get(`${name}.step`) instanceof Tensor) {
          faults.push(`${name}.step: expected a host tensor, got a Tensor (use a state from a file or from toHost)`);
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
    for (const { params, options } of this.paramGroups) {
      const loaded = params.filter(([name]) => saved.has(name));
      this.#createState(loaded, options);
      for (const [name] of loaded) {
        const current = this.#stateOf(name);
        for (const [key, target] of current.tensors) {
          const source = state.get(`${name}.${key}`) as Tensor | HostTensor;
          assign(target, source instanceof Tensor ? source : source.data);
        }
        if (this.countsSteps) current.step = (state.get(`${name}.step`) as HostTensor).data[0] as number;
      }
    }
  }

  /** Frees the state; parameters and gradients stay. */
  dispose(): void {
    this.#clear();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Creates missing state tensors, side by side. */
  #createState(params: readonly NamedTensor[], options: O): void {
    for (const key of Object.values(this.stateNames(options))) {
      const missing = params.filter(([name]) => !this.#state.get(name)?.tensors.has(key));
      const tensors = zerosTogether(
        'optimizer state',
        missing.map(([, { shape }]) => shape),
      );
      for (const [i, [name]] of missing.entries()) this.#stateOf(name).tensors.set(key, tensors[i] as Tensor);
    }
  }

  /** Counts one more update of each parameter, and groups parameters by their number of updates. */
  #advance(params: readonly NamedTensor[], options: O): readonly Pick<Updates<O>, 'slots' | 'step'>[] {
    const byStep = new Map<number, { readonly slots: SlotBindings[]; readonly states: ParameterState[] }>();
    for (const [name, parameter] of params) {
      const state = this.#stateOf(name);
      const shared = Object.entries(this.stateNames(options)).map(([binding, key]) => [
        binding,
        state.tensors.get(key) as Tensor,
      ]);
      const perSlot = { gradient: gradOf(parameter) as Tensor, parameter };
      const group = byStep.get(state.step) ?? { slots: [], states: [] };
      byStep.set(state.step, group);
      group.slots.push({ size: parameter.size, perSlot, shared: Object.fromEntries(shared) });
      group.states.push(state);
    }
    return Array.from(byStep.values(), ({ slots, states }) => {
      unchanging('the number of parameters updated equally often', () => new Set(states.map(({ step }) => step)).size);
      const count = (): number => {
        if (this.countsSteps) for (const state of states) state.step++;
        return states[0]?.step ?? 0;
      };
      return { slots, step: live(count) };
    });
  }

  /** Reports updated parameters to `detectAnomaly`. */
  #inspect(params: readonly NamedTensor[]): void {
    for (const [name, parameter] of params) {
      within({ name }, () =>
        inspect(`the step of ${this.constructor.name}`, parameter, { gradient: gradOf(parameter) }),
      );
    }
  }

  #stateOf(name: string): ParameterState {
    const state = this.#state.get(name) ?? { tensors: new Map(), step: 0 };
    this.#state.set(name, state);
    return state;
  }

  #clear(): void {
    for (const { tensors } of this.#state.values()) for (const values of tensors.values()) values.dispose();
    this.#state.clear();
  }
}

/** The update of parameters with the same options and number of updates. */
export interface Updates<O> {
  /** `gradient` and `parameter` of each, and its state by the keys of `stateNames`. */
  readonly slots: readonly SlotBindings[];
  readonly clip: ClipArguments;
  /** The number of this update, from 1; 0 where updates are not counted. */
  readonly step: Live<number>;
  /** The group's lr times lrFactor. */
  readonly lr: Live<number>;
  readonly options: O;
}

/** Whether a parameter was frozen by `requiresGrad = false`: what remains of its gradient and weight decay change nothing. */
function isFrozen(parameter: Tensor): boolean {
  return isLeaf(parameter) && !parameter.requiresGrad;
}

function toGroups<O extends object>(
  name: string,
  parameters: OptimizerParameters<O>,
  defaults: O,
): readonly ParamGroup<O>[] {
  if (!Array.isArray(parameters)) {
    throw new ValueError(`${name}: parameters must be a list, got ${kindOf(parameters)}; pass model.namedParameters()`);
  }
  let unnamed = 0;
  const named = (each: unknown): NamedTensor => {
    const pair = each instanceof Tensor ? [String(unnamed++), each] : each;
    if (isNamed(pair)) return pair;
    throw new ValueError(`${name}: expected parameters as [name, tensor] pairs or tensors, got ${kindOf(each)}`);
  };
  const isGroup = (each: unknown): each is ParamGroupOptions<O> =>
    typeof each === 'object' && each !== null && Array.isArray((each as ParamGroupOptions<O>).params);
  if (!parameters.every(isGroup)) return [{ params: parameters.map(named), options: defaults }];
  if (parameters.length === 0) return [];
  return parameters.map(({ params, ...options }) => {
    expectOptions(`${name} with a parameter group`, options, Object.keys(defaults));
    return { params: params.map(named), options: { ...defaults, ...options } };
  });
}

function isNamed(each: unknown): each is NamedTensor {
  return Array.isArray(each) && typeof each[0] === 'string' && each[1] instanceof Tensor;
}

/** Throws ValueError for no parameters, for a name or tensor that is listed twice, and for results of operations. */
function expectDistinct(name: string, parameters: readonly NamedTensor[]): void {
  if (parameters.length === 0) throw new ValueError(`${name}: expected at least one parameter, got none`);
  const names = new Set<string>();
  const tensors = new Map<Tensor, string>();
  for (const [parameterName, tensor] of parameters) {
    const other = tensors.get(tensor);
    if (names.has(parameterName)) throw new ValueError(`${name}: names must be distinct, got ${parameterName} twice`);
    if (other !== undefined) {
      throw new ValueError(
        `${name}: ${other} and ${parameterName} are one tensor; list it once, as model.namedParameters() does`,
      );
    }
    const producer = producerOf(tensor);
    if (producer) {
      throw new ValueError(
        `${name}: ${parameterName} is the result of ${producer.name}; an optimizer updates leaves: detach() it`,
      );
    }
    names.add(parameterName);
    tensors.set(tensor, parameterName);
  }
}

/** Throws ValueError unless low <= value < high. */
export function expectWithin(name: string, option: string, value: number, low: number, high: number): void {
  if (typeof value === 'number' && value >= low && value < high) return;
  throw new ValueError(`${name}: expected ${low} <= ${option} < ${high}, got ${kindOf(value)}`);
}
