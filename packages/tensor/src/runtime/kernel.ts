import { expectOptions, kindOf } from '../arguments.ts';
import { KernelError } from '../errors.ts';
import { slot } from '../session.ts';
import { libraries } from './libraries.ts';
import {
  type Binding,
  entryPoint,
  type KernelValues,
  numericConsts,
  type ParamLayout,
  paramLayout,
  specialize,
  storageBindings,
  usedLibraries,
} from './wgsl.ts';

const registry: Kernel[] = [];

/** Returns the text to use instead of that of a kernel, by entry point (`im2col`), or of a library (`lib/gemm.wgsl`). */
export type TextEdit = (name: string, text: string) => string;

const textEdit = slot<TextEdit | null>(() => null);

/**
 * One specialization of one WGSL file. Declared at module level by `kernel`, so that all specializations are known before
 * anything runs; parsed on first use and compiled on first dispatch.
 */
export class Kernel {
  /** Position in the order of declaration; unique. */
  readonly id: number;
  readonly name: string;
  /** The name and the specialization values, for errors. */
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

  /** The complete WGSL: the kernel, then its libraries. */
  get code(): string {
    return this.#read().code;
  }

  /** Top-level consts that are number literals, after specialization: tile sizes that the host needs too. */
  get consts(): Readonly<Record<string, number>> {
    return this.#read().consts;
  }

  /** Storage bindings in the order of their indices. */
  get bindings(): readonly Binding[] {
    return this.#read().bindings;
  }

  /** Layout of `struct Params`, or null without one. */
  get params(): ParamLayout | null {
    return this.#read().params;
  }

  /** A const of the kernel as a number. Throws KernelError if there is none. */
  const(name: string): number {
    const value = this.consts[name];
    if (value === undefined) throw new KernelError(`${this.label}: no numeric const named ${name}`);
    return value;
  }

  #read(): Parsed {
    const edit = textEdit.value;
    if (this.#parsed?.edit === edit) return this.#parsed;
    const used = usedLibraries(this.#text).map((name) => {
      const library = libraries[name];
      if (library === undefined) throw new KernelError(`${this.name}: uses ${name}, which is not a library`);
      return edit ? edit(name, library) : library;
    });
    const text = edit ? edit(this.name, this.#text) : this.#text;
    const code = specialize(this.name, text, this.#values, used);
    this.#parsed = {
      edit,
      code,
      consts: numericConsts(code),
      bindings: storageBindings(code),
      params: paramLayout(this.name, code),
    };
    return this.#parsed;
  }
}

interface Parsed {
  /** The edit that was applied to the text. */
  readonly edit: TextEdit | null;
  readonly code: string;
  readonly consts: Readonly<Record<string, number>>;
  readonly bindings: readonly Binding[];
  readonly params: ParamLayout | null;
}

/**
 * Declares a kernel from WGSL text, with top-level consts and aliases set by name; call it at module level only. The text
 * declares its libraries (`// uses: lib/grid.wgsl`), bindings and `struct Params`. Dispatch it with `run`.
 */
export function kernel(text: string, values: KernelValues = {}): Kernel {
  if (typeof text !== 'string') throw new KernelError(`kernel: text must be WGSL, got ${kindOf(text)}`);
  expectOptions('kernel', values);
  const made = new Kernel(text, values);
  registry.push(made);
  return made;
}

/** Every declared kernel, in each of its specializations. */
export function kernels(): readonly Kernel[] {
  return registry;
}

/** Applies `edit` to the text of every kernel; null restores the declared texts. Devices must drop their pipelines too. */
export function editKernels(edit: TextEdit | null): void {
  textEdit.value = edit;
}
