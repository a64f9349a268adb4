// A tree of modules: parameters, buffers and children are found among a module's own fields.
import { assign, keep, Tensor, unchanging } from '@mien/tensor';
import { StateError } from './errors.ts';
import { listed, type State } from './state.ts';

/** A tensor with its dotted name in a module tree. */
export type NamedTensor = readonly [name: string, tensor: Tensor];

/** A module that maps one tensor to one tensor, as Sequential chains them. */
export interface Layer extends Module {
  forward(x: Tensor): Tensor;
}

/** Makes `values` a parameter: a leaf that requires gradients and outlives every scope. Takes `values` over. */
export function parameter(values: Tensor): Tensor {
  return taken(values, true);
}

/** Makes `values` a buffer: saved with its module and outliving every scope, but not trained. Takes `values` over. */
export function buffer(values: Tensor): Tensor {
  return taken(values, false);
}

function taken(values: Tensor, requiresGrad: boolean): Tensor {
  const leaf = keep(values.detach({ requiresGrad }));
  values.dispose();
  return leaf;
}

/**
 * Base of all layers and networks.
 *
 * Fields that hold a Tensor that requires gradients are parameters, fields that hold another Tensor are buffers, fields
 * that hold a Module are children; lists of them count by index, and `#private` fields are nobody's business. Names in
 * state dicts are PyTorch's: `runningMean` of the first of `features` is `features.0.running_mean`.
 */
export abstract class Module {
  #training = true;

  /** Computes the outputs from the inputs. */
  abstract forward(...inputs: never[]): unknown;

  /** Whether layers that differ between training and evaluation (dropout, batch normalisation) act as in training. */
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
    for (const [name, value] of this.#walk('')) if (value instanceof Module && !seen.has(value)) seen.set(value, name);
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
    for (const [name, value] of this.#walk('')) if (value instanceof Tensor) state.set(name, value);
    return state;
  }

  /**
   * Copies values into the parameters and buffers of the same names. Throws StateError, before anything is written, for
   * shapes or dtypes that differ and, unless `strict` is false, for names that are missing or unexpected.
   */
  loadStateDict(state: State, options: { readonly strict?: boolean } = {}): void {
    const own = this.stateDict();
    const missing = [...own.keys()].filter((name) => !state.has(name));
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
      if (to !== from) faults.push(`${name} expects ${to}, came ${from}`);
    }
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
    for (const [name, value] of this.#walk('')) {
      if (value instanceof Tensor && value.requiresGrad === requiresGrad && !seen.has(value)) seen.set(value, name);
    }
    return Array.from(seen, ([tensor, name]) => [name, tensor]);
  }

  *#walk(name: string): Generator<readonly [name: string, value: Module | Tensor]> {
    yield [name, this];
    const prefix = name === '' ? '' : `${name}.`;
    for (const [field, value] of Object.entries(this)) {
      const places = Array.isArray(value) ? value.map((each, i) => [`${field}.${i}`, each] as const) : [[field, value]];
      for (const [place, each] of places as (readonly [string, unknown])[]) {
        const full = prefix + snakeCase(place);
        if (each instanceof Module) yield* each.#walk(full);
        else if (each instanceof Tensor) yield [full, each];
      }
    }
  }
}

/** `runningMean` to `running_mean`: state dicts have PyTorch's names. */
function snakeCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
