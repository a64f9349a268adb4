// Reads consts, parameters and bindings from a kernel's text, the only place that declares them.
import { KernelError } from '../errors.ts';
import { Live } from './live.ts';

/** One storage buffer of a kernel. */
export interface Binding {
  readonly name: string;
  readonly index: number;
  readonly access: 'read' | 'read_write';
  /** The scalar type of its elements, also of vectors and atomics; null for structs, for `bits` and where it is unknown. */
  readonly scalar: Scalar | null;
}

/** Scalar types of tensors; f16 values are packed in tensors of any type. */
export type Scalar = 'f32' | 'i32' | 'u32';

/** One member of `struct Params` and its offset in the uniform buffer. */
export interface Param {
  readonly name: string;
  readonly scalar: 'u32' | 'i32' | 'f32';
  readonly count: number;
  readonly byteOffset: number;
}

/** The uniform block of a kernel. */
export interface ParamLayout {
  readonly params: readonly Param[];
  readonly bytes: number;
}

/** Values that specialize a kernel: the right-hand sides of its top-level `const` and `alias` declarations, by name. */
export type KernelValues = Readonly<Record<string, string | number | boolean>>;

/** A kernel's text with named consts and aliases set, followed by its libraries; line numbers are unchanged. */
export function specialize(name: string, text: string, values: KernelValues, libraries: readonly string[]): string {
  let specialized = text;
  for (const [declared, value] of Object.entries(values)) {
    const declaration = new RegExp(`^((?:const|alias) ${declared}(?:: \\w+)? = )[^;]+;`, 'm');
    if (!declaration.test(specialized)) throw new KernelError(`${name}: no top-level const or alias named ${declared}`);
    specialized = specialized.replace(declaration, `$1${value};`);
  }
  const enable = /^alias \w+ = f16;/m.test(specialized) ? 'enable f16; ' : '';
  return enable + [specialized, ...libraries].join('\n');
}

/** The entry point's name: the function after `@compute`. */
export function entryPoint(text: string): string {
  const found = /@compute\s+@workgroup_size\([^)]*\)\s*fn\s+(\w+)/.exec(text);
  if (!found) throw new KernelError('kernel: no `@compute @workgroup_size(...) fn name` in the text');
  return found[1] as string;
}

/** The library names of a kernel's `// uses:` line. */
export function usedLibraries(text: string): readonly string[] {
  const line = /^\/\/ uses:\s*(.+)$/m.exec(text);
  return line ? (line[1] as string).split(/[\s,]+/).filter((name) => name.endsWith('.wgsl')) : [];
}

/** Top-level consts whose value is a number literal, such as tile sizes that the host needs. */
export function numericConsts(text: string): Readonly<Record<string, number>> {
  const consts: Record<string, number> = {};
  for (const [, name, value] of text.matchAll(/^const (\w+)(?:: \w+)? = (-?[\d.]+(?:e[+-]?\d+)?)[uifh]?;/gm)) {
    consts[name as string] = Number(value);
  }
  return consts;
}

/** The storage bindings of group 0, in the order of their indices. */
export function storageBindings(text: string): readonly Binding[] {
  const pattern = /@group\(0\)\s*@binding\((\d+)\)\s*var<storage(?:,\s*(read|read_write))?>\s*(\w+)\s*:\s*([^;]+);/g;
  return [...text.matchAll(pattern)]
    .map(([, index, access, name, type]) => ({
      scalar: scalarIn(type as string, text),
      name: name as string,
      index: Number(index),
      access: access === 'read_write' ? ('read_write' as const) : ('read' as const),
    }))
    .sort((a, b) => a.index - b.index);
}

/**
 * The scalar type of a storage type such as `array<vec4<real>>`, with aliases resolved. An alias named `bits` accepts every
 * dtype: the kernel moves or tests bits.
 */
function scalarIn(type: string, text: string): Scalar | null {
  const inner = /^(?:array|atomic|vec[234]|mat[234]x[234])<\s*(.+?)\s*(?:,\s*\w+\s*)?>$/s.exec(type.trim());
  if (inner) return scalarIn(inner[1] as string, text);
  const [, scalar] = /^(f32|i32|u32)$/.exec(type.trim()) ?? [];
  if (scalar) return scalar as Scalar;
  const [, letter] = /^(?:vec[234]|mat[234]x[234])([fiu])$/.exec(type.trim()) ?? [];
  if (letter) return scalarOf[letter as 'f' | 'i' | 'u'];
  if (type.trim() === 'bits') return null;
  const alias = new RegExp(`^alias ${type.trim().replace(/\W/g, '\\$&')} = ([^;]+);`, 'm').exec(text);
  return alias ? scalarIn(alias[1] as string, text) : null;
}

const typePattern = /^(?:(u32|i32|f32)|vec([234])(u|i|f)|array<vec4(u|i|f),\s*(\d+)>)$/;
const scalarOf = { u: 'u32', i: 'i32', f: 'f32' } as const;

/** The layout of `struct Params` by WGSL's rules for uniform buffers, or null without one. */
export function paramLayout(name: string, text: string): ParamLayout | null {
  const found = /struct Params\s*\{([^}]*)\}/.exec(text.replace(/\/\/.*$/gm, ''));
  if (!found) return null;
  const params: Param[] = [];
  let end = 0;
  for (const member of (found[1] as string).split(/,(?![^<]*>)/).map((m) => m.trim())) {
    if (member === '') continue;
    const [, field, type] = /^(\w+)\s*:\s*(.+)$/s.exec(member) ?? [];
    const parts = typePattern.exec(type ?? '');
    if (!field || !parts) {
      throw new KernelError(`${name}: Params cannot hold \`${member}\`; use u32, i32, f32, vec2..4 or array<vec4, N>`);
    }
    const [, plain, width, letter, arrayLetter, length] = parts;
    const scalar = (plain ?? scalarOf[(letter ?? arrayLetter) as 'u' | 'i' | 'f']) as Param['scalar'];
    const count = plain ? 1 : width ? Number(width) : 4 * Number(length);
    const alignment = count === 1 ? 4 : count === 2 ? 8 : 16;
    const byteOffset = Math.ceil(end / alignment) * alignment;
    params.push({ name: field, scalar, count, byteOffset });
    end = byteOffset + 4 * count;
  }
  return { params, bytes: Math.ceil(end / 16) * 16 };
}

/** Writes named numbers into a new uniform block. Throws KernelError unless `values` names exactly its members. */
export function packParams(name: string, layout: ParamLayout, values: Params): ArrayBuffer {
  const block = new ArrayBuffer(layout.bytes);
  const view = new DataView(block);
  for (const param of layout.params) {
    const given = values[param.name];
    if (given === undefined) throw new KernelError(`${name}: params lack ${param.name}`);
    writeParam(name, view, param, given instanceof Live ? given.value : given);
  }
  for (const given of Object.keys(values)) {
    if (!layout.params.some((param) => param.name === given)) throw new KernelError(`${name}: no param named ${given}`);
  }
  return block;
}

/** Writes one member of the uniform block at `start` in `view`. */
export function writeParam(
  name: string,
  view: DataView,
  { name: member, scalar, count, byteOffset }: Param,
  value: ParamValue,
  start = 0,
): void {
  const numbers = typeof value === 'number' ? [value] : value;
  if (numbers.length > count || (count > 1 && typeof value === 'number')) {
    throw new KernelError(`${name}: param ${member} takes ${count} numbers, got ${numbers.length}`);
  }
  for (let i = 0; i < numbers.length; i++) {
    const at = start + byteOffset + 4 * i;
    const number = numbers[i] as number;
    if (scalar === 'f32') view.setFloat32(at, number, true);
    else if (scalar === 'i32') view.setInt32(at, number, true);
    else view.setUint32(at, number, true);
  }
}

/** A number, or several for a vector or an array. */
export type ParamValue = number | readonly number[];

/** Values for `struct Params` by WGSL name; every call of a captured function computes live ones again. */
export type Params = Readonly<Record<string, ParamValue | Live<ParamValue>>>;
