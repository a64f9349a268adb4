// A tree of modules: parameters, buffers and children are found among a module's own fields.
import { assign, keep, Tensor, unchanging } from '@mien/tensor';
import {
  currentPlace,
  expectOptions,
  expectTensor,
  type Place,
  producerOf,
  storageOf,
  within,
} from '@mien/tensor/internal';
import { StateError } from './errors.ts';
import { fieldsOf, hiddenIn } from './moduleWalk.ts';
import { differingTied, expectState, listed, type State } from './state.ts';

/** A tensor with its dotted name in a module tree. */
export type NamedTensor = readonly [name: string, tensor: Tensor];

/** Makes `values` a parameter: a leaf that requires gradients and outlives every scope. Takes `values` over. */
export function parameter(values: Tensor): Tensor {
  expectTensor('parameter', 'values', values);
  return taken(values, true);
}

/** Makes `values` a buffer: saved with its module and outliving every scope, but not trained. Takes `values` over. */
export function buffer(values: Tensor): Tensor {
  expectTensor('buffer', 'values', values);
  return taken(values, false);
}

function taken(values: Tensor, requiresGrad: boolean): Tensor {
  const leaf = keep(values.detach({ requiresGrad }));
  storageOf(leaf).label(requiresGrad ? 'parameters' : 'buffers');
  values.dispose();
  return leaf;
}

/** Whether a module's forward is that of its class, not one assigned to the object. */
let hasOriginalForward: (module: Module) => boolean;

/** Whether `method` belongs to the forward that runs: no subclass or field overrides forward without `method`. */
export function describesForward(module: Module, method: string): boolean {
  if (!hasOriginalForward(module)) return false;
  for (let type = Object.getPrototypeOf(module); type !== null; type = Object.getPrototypeOf(type)) {
    if (Object.hasOwn(type, method)) return true;
    if (Object.hasOwn(type, 'forward')) return false;
  }
  return false;
}

/**
 * Base of all layers and networks.
 *
 * Fields that hold a Tensor that requires gradients are parameters, fields that hold another Tensor are buffers, fields
 * that hold a Module are children. Lists, plain objects, Maps and Sets of them count to any depth, by index or key;
 * `#private` fields, functions and results of operations are ignored. Objects of other classes that hold a Module or a
 * parameter found nowhere else are refused with StateError. A module that refers back to one around it is entered once.
 * Names in state dicts are PyTorch's: `runningMean` of the first of `features` is `features.0.running_mean`. One tensor in
 * two places (tied weights) is one parameter with two names in state dicts.
 */
export abstract class Module {
  #training = true;
  readonly #forward: unknown;

  static {
    hasOriginalForward = (module) => module.forward === module.#forward;
  }

  constructor() {
    const forward = this.forward as (...inputs: unknown[]) => unknown;
    // Operations know the layer that they are called in; a field named `forward` replaces this.
    const wrapped = (...inputs: unknown[]): unknown =>
      within(new Call(this, currentPlace()), () => forward.apply(this, inputs));
    Object.defineProperty(this, 'forward', { value: wrapped, writable: true, configurable: true });
    this.#forward = wrapped;
  }

  /** Computes the outputs from the inputs. */
  abstract forward(...inputs: never[]): unknown;

  /** Whether layers that differ between training and evaluation (dropout, batch normalization) act as in training. */
  get training(): boolean {
    unchanging(`training of ${this.constructor.name}`, () => this.#training);
    return this.#training;
  }

  /** Switches the tree to training, or back with `train(false)`. Returns this. */
  train(training = true): this {
    for (const [, module] of this.namedModules()) module.#training = training;
    return this;
  }

  /** Switches the tree to evaluation. Returns this. */
  eval(): this {
    return this.train(false);
  }

  /** Every module of the tree once, itself first, under the name of its first place. */
  namedModules(): readonly (readonly [name: string, module: Module])[] {
    const seen = new Map<Module, string>();
    for (const [name, value] of this.#walk()) if (value instanceof Module && !seen.has(value)) seen.set(value, name);
    return Array.from(seen, ([module, name]) => [name, module]);
  }

  /** Every parameter once, under the name of its first place. */
  namedParameters(): readonly NamedTensor[] {
    return this.#namedTensors(true);
  }

  /** Every buffer once, under the name of its first place. */
  namedBuffers(): readonly NamedTensor[] {
    return this.#namedTensors(false);
  }

  /** The parameters of the tree, each once. */
  parameters(): readonly Tensor[] {
    return this.namedParameters().map(([, tensor]) => tensor);
  }

  /** The buffers of the tree, each once. */
  buffers(): readonly Tensor[] {
    return this.namedBuffers().map(([, tensor]) => tensor);
  }

  /** Parameters and buffers by name, in the order of the fields; the tensors themselves, not copies. */
  stateDict(): Map<string, Tensor> {
    const state = new Map<string, Tensor>();
    for (const [name, value] of this.#walk()) if (value instanceof Tensor) state.set(name, value);
    return state;
  }

  /**
   * Copies values into the parameters and buffers of the same names. Throws StateError, before anything is written, for
   * shapes or dtypes that differ, for different values of one tensor's two names and, unless `strict` is false, for names
   * that are missing or unexpected.
   */
  loadStateDict(state: State, options: { readonly strict?: boolean } = {}): void {
    expectState('loadStateDict', state);
    expectOptions('loadStateDict', options, ['strict']);
    const own = this.stateDict();
    // One name is enough for a tensor with several: safetensors files keep one.
    const given = new Set([...own].flatMap(([name, tensor]) => (state.has(name) ? [tensor] : [])));
    const missing = [...own].flatMap(([name, tensor]) => (given.has(tensor) ? [] : [name]));
    const unexpected = [...state.keys()].filter((name) => !own.has(name));
    const faults: string[] = [];
    if (options.strict !== false) {
      if (missing.length > 0) faults.push(`missing ${listed(missing)}`);
      if (unexpected.length > 0) faults.push(`unexpected ${listed(unexpected)}`);
    }
    const shared = [...own].flatMap(([name, target]) => {
      const source = state.get(name);
      return source ? [{ name, target, source }] : [];
    });
    for (const { name, target, source } of shared) {
      const [to, from] = [target, source].map(({ dtype, shape }) => `${dtype} [${shape.join(', ')}]`);
      if (to !== from) faults.push(`${name} expects ${to}, got ${from}`);
    }
    faults.push(...differingTied(shared));
    if (faults.length > 0) {
      throw new StateError(
        `loadStateDict: ${listed(faults)} (${this.constructor.name}); build the network that was saved, or pass strict: false for a part`,
      );
    }
    for (const { target, source } of shared) assign(target, source instanceof Tensor ? source : source.data);
  }

  /** Gives back the memory of every parameter, gradient and buffer. */
  dispose(): void {
    for (const tensor of this.stateDict().values()) {
      tensor.grad = null;
      tensor.dispose();
    }
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #namedTensors(requiresGrad: boolean): readonly NamedTensor[] {
    const seen = new Map<Tensor, string>();
    for (const [name, value] of this.#walk()) {
      if (value instanceof Tensor && value.requiresGrad === requiresGrad && !seen.has(value)) seen.set(value, name);
    }
    return Array.from(seen, ([tensor, name]) => [name, tensor]);
  }

  /** This module and everything in it by name. Throws StateError for what has no name of its own, or cannot be seen. */
  #walk(): readonly (readonly [name: string, value: Module | Tensor])[] {
    const found = [...this.#entries('', [])];
    const byName = new Map<string, Module | Tensor>();
    for (const [name, value] of found) {
      const other = byName.get(name);
      if (other && other !== value) this.#refuse(`two fields are called ${name}; rename one of them`);
      byName.set(name, value);
    }
    const known = new Set<object>(byName.values());
    for (const [name, value] of byName) {
      if (!(value instanceof Module)) continue;
      const hidden = hiddenIn(value, name === '' ? '' : `${name}.`, Module, known);
      if (hidden) {
        this.#refuse(
          `${hidden[0]} is inside an object of class ${hidden[1]}, where it is not found; hold it in a list, record, map, set or Module, or in a #private field`,
        );
      }
    }
    return found;
  }

  /** `within` are the modules around it: a child that refers back to one of them is not entered again. */
  *#entries(name: string, within: readonly Module[]): Generator<readonly [name: string, value: Module | Tensor]> {
    yield [name, this];
    const around = [...within, this];
    const prefix = name === '' ? '' : `${name}.`;
    for (const [place, value] of fieldsOf(this, prefix, Module, (message) => this.#refuse(message))) {
      if (value instanceof Tensor) {
        // The result of an operation, kept to be looked at, is neither parameter nor buffer.
        if (producerOf(value) === null) yield [place, value];
      } else if (!around.includes(value as Module)) yield* (value as Module).#entries(place, around);
    }
  }

  #refuse(message: string): never {
    throw new StateError(`${this.constructor.name}: ${message}`);
  }
}

/** A module whose forward runs, called in that of another. */
class Call implements Place {
  readonly #module: Module;
  readonly #outer: Place | null;

  constructor(module: Module, outer: Place | null) {
    this.#module = module;
    this.#outer = outer;
  }

  /** The module's name in the tree of the outermost that was called; one that the tree does not hold adds its class. */
  get name(): string {
    const chain: Module[] = [];
    for (let call: Place | null = this; call instanceof Call; call = call.#outer) chain.push(call.#module);
    const root = chain.at(-1) as Module;
    const names = new Map(root.namedModules().map(([name, module]) => [module, name]));
    const held = chain.find((module) => names.has(module)) as Module;
    const path = names.get(held) || root.constructor.name;
    return held === this.#module ? path : `${path} (${this.#module.constructor.name})`;
  }
}
