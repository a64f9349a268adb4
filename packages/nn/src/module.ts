// Trees of modules: the parameters, buffers and children of a module are its fields.
import { assign, keep, Tensor, unchanging } from '@mien/tensor';
import {
  currentPlace,
  expectBoolean,
  expectOptions,
  expectTensor,
  isLeaf,
  type Place,
  producerOf,
  storageOf,
  within,
} from '@mien/tensor/internal';
import { StateError } from './errors.ts';
import { fieldsOf, hiddenIn } from './moduleWalk.ts';
import { differingTied, expectState, listed, type State } from './state.ts';

/** A tensor with its dotted name in a tree of modules. */
export type NamedTensor = readonly [name: string, tensor: Tensor];

/** A parameter: a leaf that requires gradients and outlives every scope. Takes ownership of `values`. */
export function parameter(values: Tensor): Tensor {
  expectTensor('parameter', 'values', values);
  return toLeaf(values, true);
}

/** A buffer: saved with its module and not trained; outlives every scope. Takes ownership of `values`. */
export function buffer(values: Tensor): Tensor {
  expectTensor('buffer', 'values', values);
  return toLeaf(values, false);
}

function toLeaf(values: Tensor, requiresGrad: boolean): Tensor {
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
 * Fields that hold a Tensor are parameters if it requires gradients or is frozen, else buffers; fields that hold a Module are
 * children.
 * They may be nested in arrays, plain objects, Maps and Sets, named by index or key. `#private` fields, functions and results
 * of operations are ignored. A Module or parameter inside an object of another class is refused with StateError unless it is
 * also in a field. A child may refer to its parents. Names in state dicts are PyTorch's: `runningMean` of the first of
 * `features` is `features.0.running_mean`. One tensor in two places (tied weights) is one parameter with two names.
 */
export abstract class Module {
  #training = true;
  readonly #forward: unknown;

  static {
    hasOriginalForward = (module) => module.forward === module.#forward || !Object.hasOwn(module, 'forward');
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

  /** Whether layers that differ between training and evaluation (dropout, batch normalization) are in training mode. */
  get training(): boolean {
    unchanging(`training of ${this.constructor.name}`, () => this.#training);
    return this.#training;
  }

  /** Sets the tree to training mode, or to evaluation mode with `train(false)`. Returns this. */
  train(training = true): this {
    for (const [, module] of this.namedModules()) module.#training = training;
    return this;
  }

  /** Sets the tree to evaluation mode. Returns this. */
  eval(): this {
    return this.train(false);
  }

  /**
   * Freezes every parameter of the tree with `setRequiresGrad(false)`, or trains them again: backward leaves them no gradient and
   * optimizers skip them (`requires_grad_` in PyTorch). Returns this.
   */
  setRequiresGrad(requiresGrad = true): this {
    expectBoolean('setRequiresGrad', 'requiresGrad', requiresGrad);
    for (const parameter of this.parameters()) parameter.requiresGrad = requiresGrad;
    return this;
  }

  /** Every module of the tree once, this one first, by the name of its first place. */
  namedModules(): readonly (readonly [name: string, module: Module])[] {
    const seen = new Map<Module, string>();
    for (const [name, value] of this.#walk()) if (value instanceof Module && !seen.has(value)) seen.set(value, name);
    return Array.from(seen, ([module, name]) => [name, module]);
  }

  /** Every parameter once, by the name of its first place. */
  namedParameters(): readonly NamedTensor[] {
    return this.#namedTensors(true);
  }

  /** Every buffer once, by the name of its first place. */
  namedBuffers(): readonly NamedTensor[] {
    return this.#namedTensors(false);
  }

  /** Every parameter of the tree once. */
  parameters(): readonly Tensor[] {
    return this.namedParameters().map(([, tensor]) => tensor);
  }

  /** Every buffer of the tree once. */
  buffers(): readonly Tensor[] {
    return this.namedBuffers().map(([, tensor]) => tensor);
  }

  /** Parameters and buffers by name, in the order of fields: the tensors themselves, not copies. */
  stateDict(): Map<string, Tensor> {
    const state = new Map<string, Tensor>();
    for (const [name, value] of this.#walk()) if (value instanceof Tensor) state.set(name, value);
    return state;
  }

  /**
   * Copies values into the parameters and buffers of the same names. Throws StateError, before anything is written, for
   * other shapes or dtypes, different values of tied names and, unless `strict` is false, missing or unexpected names.
   */
  loadStateDict(state: State, options: { readonly strict?: boolean } = {}): void {
    expectState('loadStateDict', state);
    expectOptions('loadStateDict', options, ['strict']);
    const targets = this.stateDict();
    // One of a tensor's names is enough: safetensors files keep one.
    const present = new Set([...targets].flatMap(([name, tensor]) => (state.has(name) ? [tensor] : [])));
    const missing = [...targets].flatMap(([name, tensor]) => (present.has(tensor) ? [] : [name]));
    const unexpected = [...state.keys()].filter((name) => !targets.has(name));
    const faults: string[] = [];
    if (options.strict !== false) {
      if (missing.length > 0) faults.push(`missing ${listed(missing)}`);
      if (unexpected.length > 0) faults.push(`unexpected ${listed(unexpected)}`);
    }
    const shared = [...targets].flatMap(([name, target]) => {
      const source = state.get(name);
      return source ? [{ name, target, source }] : [];
    });
    for (const { name, target, source } of shared) {
      const [to, from] = [target, source].map(({ dtype, shape }) => `${dtype} [${shape.join(', ')}]`);
      if (to !== from) faults.push(`${name}: expected ${to}, got ${from}`);
    }
    faults.push(...differingTied(shared));
    if (faults.length > 0) {
      throw new StateError(
        `loadStateDict: ${listed(faults)} (${this.constructor.name}); build the network that was saved, or pass strict: false to load a part`,
      );
    }
    for (const { target, source } of shared) assign(target, source instanceof Tensor ? source : source.data);
  }

  /** Frees every parameter, gradient and buffer. */
  dispose(): void {
    for (const tensor of this.stateDict().values()) {
      tensor.grad = null;
      tensor.dispose();
    }
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  #namedTensors(parameters: boolean): readonly NamedTensor[] {
    const seen = new Map<Tensor, string>();
    for (const [name, value] of this.#walk()) {
      if (value instanceof Tensor && isLeaf(value) === parameters && !seen.has(value)) seen.set(value, name);
    }
    return Array.from(seen, ([tensor, name]) => [name, tensor]);
  }

  /** This module and everything in it by name. Throws StateError for ambiguous names and hidden modules or parameters. */
  #walk(): readonly (readonly [name: string, value: Module | Tensor])[] {
    const entries = [...this.#entries('', [])];
    const byName = new Map<string, Module | Tensor>();
    for (const [name, value] of entries) {
      const other = byName.get(name);
      if (other && other !== value) this.#refuse(`two fields are named ${name} in state dicts; rename one`);
      byName.set(name, value);
    }
    const known = new Set<object>(byName.values());
    for (const [name, value] of byName) {
      if (!(value instanceof Module)) continue;
      const hidden = hiddenIn(value, name === '' ? '' : `${name}.`, Module, known);
      if (hidden) {
        this.#refuse(
          `${hidden[0]} is inside an object of class ${hidden[1]}, which is not searched; move it to an array, plain object, Map, Set or Module, or to a #private field`,
        );
      }
    }
    return entries;
  }

  /** Entries of the tree; `parents` are not entered again. */
  *#entries(name: string, parents: readonly Module[]): Generator<readonly [name: string, value: Module | Tensor]> {
    yield [name, this];
    const path = [...parents, this];
    const prefix = name === '' ? '' : `${name}.`;
    for (const [place, value] of fieldsOf(this, prefix, Module, (message) => this.#refuse(message))) {
      if (value instanceof Tensor) {
        // The result of an operation is neither parameter nor buffer.
        if (producerOf(value) === null) yield [place, value];
      } else if (!path.includes(value as Module)) yield* (value as Module).#entries(place, path);
    }
  }

  #refuse(message: string): never {
    throw new StateError(`${this.constructor.name}: ${message}`);
  }
}

/** A call of a module's forward, inside that of another module or of none. */
class Call implements Place {
  readonly #module: Module;
  readonly #outer: Place | null;

  constructor(module: Module, outer: Place | null) {
    this.#module = module;
    this.#outer = outer;
  }

  /** The module's name in the tree of the outermost module, followed by its class if the tree lacks it. */
  get name(): string {
    const chain: Module[] = [];
    for (let call: Place | null = this; call instanceof Call; call = call.#outer) chain.push(call.#module);
    const root = chain.at(-1) as Module;
    const names = new Map(root.namedModules().map(([name, module]) => [module, name]));
    const known = chain.find((module) => names.has(module)) as Module;
    const path = names.get(known) || root.constructor.name;
    return known === this.#module ? path : `${path} (${this.#module.constructor.name})`;
  }
}
