import { KernelError } from '../errors.ts';
import { libraries } from './libraries.ts';
import {
  type Binding,
  entryPoint,
  type KernelValues,
  numericConsts,
  type ParamLayout,
  paramLayout,
  specialise,
  storageBindings,
  usedLibraries,
} from './wgsl.ts';

const registry: Kernel[] = [];

/**
 * One specialisation of one WGSL file. Made at module level by `kernel`, so that every specialisation in use is known
 * before anything runs; read from its text on first use, compiled on first dispatch.
 */
export class Kernel {
  /** Position in the order of declaration; unique. */
  readonly id: number;
  readonly name: string;
  /** The name and the values it was specialised with, as error messages show it. */
  readonly label: string;
  readonly #text: string;
  readonly #values: KernelValues;
  #parsed: Parsed | null = null;

  constructor(text: string, values: KernelValues) {
    this.id = registry.length;
    this.name = entryPoint(text);
    const shown = Object.entries(values).map(([name, value]) => `${name}=${value}`);
    this.label = shown.length === 0 ? this.name : `${this.name}<${shown.join(', ')}>`;
    this.#text = text;
    this.#values = values;
  }

  /** The complete WGSL: kernel, then libraries. */
  get code(): string {
    return this.#read().code;
  }

  /** Top-level consts that are number literals, after specialising: tile sizes that the host needs too. */
  get consts(): Readonly<Record<string, number>> {
    return this.#read().consts;
  }

  /** Storage bindings in the order of their indices. */
  get bindings(): readonly Binding[] {
    return this.#read().bindings;
  }

  /** Layout of `struct Params`, or null where the kernel has none. */
  get params(): ParamLayout | null {
    return this.#read().params;
  }

  /** A const of the kernel as a number. Throws KernelError where there is none. */
  const(name: string): number {
    const value = this.consts[name];
    if (value === undefined) throw new KernelError(`${this.label}: no numeric const named ${name}`);
    return value;
  }

  #read(): Parsed {
    if (this.#parsed) return this.#parsed;
    const used = usedLibraries(this.#text).map((name) => {
      const library = libraries[name];
      if (library === undefined) throw new KernelError(`${this.name}: uses ${name}, which is not a library`);
      return library;
    });
    const code = specialise(this.name, this.#text, this.#values, used);
    this.#parsed = {
      code,
      consts: numericConsts(code),
      bindings: storageBindings(code),
      params: paramLayout(this.name, code),
    };
    return this.#parsed;
  }
}

interface Parsed {
  readonly code: string;
  readonly consts: Readonly<Record<string, number>>;
  readonly bindings: readonly Binding[];
  readonly params: ParamLayout | null;
}

/**
 * Declares a kernel from WGSL text, with top-level consts and aliases set by name. Call it at module level only.
 * The text names its libraries (`// uses: lib/grid.wgsl`), its bindings and its `struct Params`; dispatch it with `run`.
 */
export function kernel(text: string, values: KernelValues = {}): Kernel {
  const made = new Kernel(text, values);
  registry.push(made);
  return made;
}

/** Every kernel declared so far, each in every specialisation that it is used with. */
export function kernels(): readonly Kernel[] {
  return registry;
}
